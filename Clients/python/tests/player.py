"""Plays the steps that both files of the suite have, with each client."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import threading
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Protocol

import uvloop
from support import TIMEOUT, expect_members, resolve

from tokencached import AsyncTokenCache, TokenCache, TokenCacheError
from tokencached._pending_requests import Call

# A small stack in bytes, because there are ten thousand threads.
STACK = 256 * 1_024


class Client(Protocol):
    can_cancel: bool

    @property
    def last_failure(self) -> str: ...
    def suspended(self) -> contextlib.AbstractContextManager[None]: ...
    def call(self, operation: str, arguments: Mapping[str, Any]) -> concurrent.futures.Future[Any]: ...
    def cancel(self, calls: list[concurrent.futures.Future[Any]]) -> None: ...
    def close(self) -> None: ...
    def stop(self) -> None: ...


class ThreadsClient:
    """`TokenCache`, with a thread for each call."""

    can_cancel = False

    def __init__(self, path: str, restart_grace: float) -> None:
        self.cache = TokenCache(path, restart_grace=restart_grace)
        # The event of each calling thread, which is set when the client has its call.
        self._local = threading.local()
        connection = self.cache._connections
        add = connection.add

        def add_and_report(call: Call) -> None:
            try:
                add(call)
            finally:
                self._local.added.set()

        connection.add = add_and_report  # type: ignore[method-assign]

    def call(self, operation: str, arguments: Mapping[str, Any]) -> concurrent.futures.Future[Any]:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        added = threading.Event()

        def run() -> None:
            self._local.added = added
            try:
                future.set_result(getattr(self.cache, operation)(**arguments))
            except TokenCacheError as error:
                future.set_exception(error)
            # The call may have failed before it was added.
            added.set()

        usual = threading.stack_size(STACK)
        try:
            threading.Thread(target=run, daemon=True).start()
        finally:
            threading.stack_size(usual)
        # Threads start in any order, and the suite fixes that of its calls.
        assert added.wait(TIMEOUT)
        return future

    @property
    def last_failure(self) -> str:
        """The reason why the last attempt to connect failed."""
        return self.cache._connections._thread._attempts.last_failure

    def suspended(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def cancel(self, calls: list[concurrent.futures.Future[Any]]) -> None:
        raise AssertionError("a call in a thread can't be cancelled")

    def close(self) -> None:
        self.cache.close()

    def stop(self) -> None:
        self.close()


class AsyncClient:
    """`AsyncTokenCache`, in an event loop on a thread of its own."""

    can_cancel = True

    def __init__(self, path: str, restart_grace: float) -> None:
        self.loop = self._new_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.cache = AsyncTokenCache(path, restart_grace=restart_grace)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> concurrent.futures.Future[Any]:
        return asyncio.run_coroutine_threadsafe(getattr(self.cache, operation)(**arguments), self.loop)

    @staticmethod
    def _new_loop() -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    @property
    def last_failure(self) -> str:
        """The reason why the last attempt to connect failed."""
        return "".join(each._attempts.last_failure for each in self.cache._connections._by_loop.values())

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Blocks the event loop for a while."""
        begun, ended = threading.Event(), threading.Event()

        def stand() -> None:
            begun.set()
            ended.wait(TIMEOUT)

        self.loop.call_soon_threadsafe(stand)
        assert begun.wait(TIMEOUT)
        try:
            yield
        finally:
            ended.set()

    def cancel(self, calls: list[concurrent.futures.Future[Any]]) -> None:
        for call in calls:
            call.cancel()
        asyncio.run_coroutine_threadsafe(self._turns(), self.loop).result(TIMEOUT)

    @staticmethod
    async def _turns() -> None:
        """Lets the loop run until the cancelled tasks have ended."""
        for _ in range(3):
            await asyncio.sleep(0)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.cache.close(), self.loop).result(TIMEOUT)

    def stop(self) -> None:
        self.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class UvloopClient(AsyncClient):
    """`AsyncTokenCache` in an event loop of uvloop."""

    @staticmethod
    def _new_loop() -> asyncio.AbstractEventLoop:
        return uvloop.new_event_loop()


KINDS = [ThreadsClient, AsyncClient, UvloopClient]


@contextlib.contextmanager
def _naming(number: int, step: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except (AssertionError, OSError) as error:
        raise AssertionError(f"step {number}, {step}") from error


class Player:
    def __init__(self, client: Client, others: Callable[[Mapping[str, Any], Player], None]) -> None:
        self.client = client
        self.operations: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.calls: dict[str, concurrent.futures.Future[Any]] = {}
        self.filling: list[concurrent.futures.Future[Any]] = []
        self._others = others

    def play(self, case: Mapping[str, Any]) -> None:
        for number, step in enumerate(case["steps"], 1):
            with _naming(number, step):
                self._play(step)

    def token_of(self, name: str) -> str:
        token: str = self.calls[name].result(0).access_token
        return token

    def _play(self, step: Mapping[str, Any]) -> None:
        if "call" in step:
            arguments = {name: resolve(value, self.token_of) for name, value in step["arguments"].items()}
            self.operations[step["call"]] = (step["operation"], step["arguments"])
            self.calls[step["call"]] = self.client.call(step["operation"], arguments)
        elif "answer" in step:
            answer = dataclasses.asdict(self.calls[step["answer"]].result(TIMEOUT))
            lists = {name: list(value) for name, value in answer.items() if isinstance(value, tuple)}
            expect_members({**answer, **lists}, step["is"], self.token_of)
        elif "error" in step:
            self._expect_error(self.calls[step["error"]].exception(TIMEOUT), step["is"])
        elif "cancel" in step:
            self.client.cancel([self.calls[step["cancel"]]])
        elif "cancelled" in step:
            assert self.calls[step["cancelled"]].cancelled()
        elif "fill" in step:
            subjects = [f"waiting-{index}" for index in range(step["fill"])]
            self.filling = [self.client.call("token", {"subject": each, "timeout": TIMEOUT}) for each in subjects]
            self._others(step, self)
        elif "drain" in step:
            self._others(step, self)
            for call in self.filling:
                call.result(TIMEOUT)
        elif "cancel_filled" in step:
            self.client.cancel(self.filling)
        elif "close" in step:
            self.client.close()
        else:
            self._others(step, self)

    def _expect_error(self, error: BaseException | None, expected: Mapping[str, Any]) -> None:
        assert isinstance(error, TokenCacheError)
        chained = (error.__cause__, error.__context__)
        assert chained == (None, None), "the error has a cause or a context, which may contain a token"
        assert "secret" not in "".join(traceback.format_exception(type(error), error, None))
        members = vars(error)
        upstream = error.upstream and dataclasses.asdict(error.upstream)
        expect_members({**members, "upstream": upstream}, expected, self.token_of)
