"""The values of the suite, a wait with an end, and the real daemon with a stand-in tenant."""

from __future__ import annotations

import json
import os
import signal
import string
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Callable

SUITE = Path(__file__).resolve().parents[2] / "conformance"
# The time in seconds after which a wait of a test fails: more than a busy machine needs.
TIMEOUT = 60.0


def cases_of(file: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((SUITE / file).read_text())["cases"]
    return cases


def resolve(value: Any, token_of: Callable[[str], str]) -> Any:
    """The value that one of the suite stands for."""
    if isinstance(value, list):
        return [resolve(each, token_of) for each in value]
    if not isinstance(value, dict):
        return value
    if "times" in value:
        return value["text"] * value["times"]
    if "token_of" in value:
        return token_of(value["token_of"])
    return {name: resolve(each, token_of) for name, each in value.items()}


def expect_members(actual: Mapping[str, Any], expected: Mapping[str, Any], token_of: Callable[[str], str]) -> None:
    for name, value in expected.items():
        if isinstance(value, dict) and "from" in value:
            assert value["from"] <= actual[name] <= value["to"], name
        else:
            assert actual[name] == resolve(value, token_of), name


def eventually(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    """Repeats the check until the condition holds."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what()}"
        time.sleep(0.005)


class Stage:
    """The real daemon with a stand-in tenant, in a directory of their own."""

    def __init__(self) -> None:
        self._programs = os.environ.get("TOKENCACHED_PROGRAMS")
        assert self._programs, "TOKENCACHED_PROGRAMS should name the directory of the built programs"
        self._directory = tempfile.TemporaryDirectory(prefix="tokencached-")
        self.directory = Path(self._directory.name)
        self.socket = str(self.directory / "requests.sock")
        ready = self.directory / "tenant"
        secret = self.directory / "secret"
        secret.touch(0o600)
        secret.write_text("stage-secret")
        client = ("--client-id", "stage", "--client-secret", "stage-secret")
        backend = ("--client", "backend:stage-secret:user_default")
        users = ("--client", "users:stage-secret:admin_classic")
        self._stand_in = self._spawn("standin-tenant", *client, *backend, *users, "--ready-file", str(ready))
        eventually(ready.exists, lambda: "the stand-in tenant")
        self.tenant = ready.read_text().strip()
        values = {"directory": str(self.directory), "tenant": self.tenant, "rate": "10000000", "api_rate": "10000000"}
        template = string.Template((SUITE / "daemon.yaml").read_text())
        (self.directory / "tokencached.yaml").write_text(template.substitute(values))
        self.start()

    def start(self) -> None:
        log = self.directory / "daemon.log"
        log.unlink(missing_ok=True)
        options = ("--config", self.directory / "tokencached.yaml", "--socket", self.socket)
        self.daemon = self._spawn(
            "tokencached", *map(str, options), "--admin-socket", str(self.directory / "admin.sock"), log=log
        )
        eventually(lambda: "the daemon serves" in log.read_text() or self.daemon.poll() is not None, log.read_text)
        assert self.daemon.poll() is None, log.read_text()

    def end(self, number: signal.Signals) -> None:
        self.daemon.send_signal(number)
        self.daemon.wait(TIMEOUT)

    def suspend(self) -> None:
        """Suspends the daemon, and waits until all its threads are stopped."""
        self.daemon.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.daemon.pid}/task")
        # The state follows the name, which is in parentheses.
        eventually(lambda: all(") T " in (each / "stat").read_text() for each in tasks.iterdir()), lambda: "its stop")

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.tenant}/_control/{path}",
            data,
            {"content-type": "application/json"},
            method="POST" if data else "GET",
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            return json.loads(reply.read() or b"null")

    def counter(self, name: str, value: int) -> None:
        """Waits until a counter of the stand-in has that value."""
        eventually(lambda: bool(self.control("counters")[name] == value), lambda: str(self.control("counters")[name]))

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self.daemon, self._stand_in):
            if process.poll() is None:
                process.kill()
            process.wait()
        self._directory.cleanup()

    def _spawn(self, program: str, *options: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        with open(log or os.devnull, "ab") as output:
            return subprocess.Popen([f"{self._programs}/{program}", *options], stdout=output, stderr=output)
