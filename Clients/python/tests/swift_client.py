"""The Swift client in a process of its own, whose driver reads the calls from its standard input."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

from support import TIMEOUT

from tokencached import Hello, Invalidation, Prefetch, Provisioning, Revocation, Token, TokenCacheError, Upstream

_ANSWERS: Mapping[str, Any] = {
    "token": Token,
    "prefetch": Prefetch,
    "invalidate": Invalidation,
    "revoke": Revocation,
    "provision": Provisioning,
    "hello": Hello,
}


class _Call(concurrent.futures.Future[Any]):
    """A call in the driver. Cancelling waits until it has ended there."""

    def __init__(self, client: SwiftClient, number: int, operation: str) -> None:
        super().__init__()
        self.operation = operation
        self._client = client
        self._number = number

    def cancel(self) -> bool:
        self._client.tell({"cancel": self._number})
        with_end = threading.Event()
        self.add_done_callback(lambda _: with_end.set())
        assert with_end.wait(TIMEOUT), "a cancelled call doesn't end"
        return self.cancelled()

    def end_as_cancelled(self) -> None:
        super().cancel()


class SwiftClient:
    """`TokenCacheClient` in a process of its own."""

    can_cancel = True
    last_failure = ""

    def __init__(self, path: str, restart_grace: float) -> None:
        program = f"{os.environ['TOKENCACHED_PROGRAMS']}/conformance-driver"
        self._process = subprocess.Popen(
            [program, path, str(restart_grace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._calls: dict[int, _Call] = {}
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def call(self, operation: str, arguments: Mapping[str, Any]) -> concurrent.futures.Future[Any]:
        number = len(self._calls) + 1
        call = self._calls[number] = _Call(self, number, operation)
        self.tell({"call": number, "operation": operation, "arguments": arguments})
        return call

    def suspended(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def cancel(self, calls: list[concurrent.futures.Future[Any]]) -> None:
        for call in calls:
            call.cancel()

    def close(self) -> None:
        self.tell({"close": True})
        assert self._closed.wait(TIMEOUT), "the client doesn't close"

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(TIMEOUT)
        self._reader.join()
        self._process.stdout.close()

    def tell(self, command: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if told.get("closed"):
                self._closed.set()
                continue
            call = self._calls[told["call"]]
            if "answer" in told:
                call.set_result(_ANSWERS[call.operation](**told["answer"]))
            elif "error" in told:
                call.set_exception(_error(told["error"]))
            else:
                call.end_as_cancelled()


def _error(members: Mapping[str, Any]) -> TokenCacheError:
    upstream = members["upstream"] and Upstream(**members["upstream"])
    return TokenCacheError(members["code"], members["description"], members["retry_after"], upstream)
