"""Interrupts of a call by signal handlers and Ctrl-C, at each of its steps."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Callable

import pytest
from answering_server import Serve, provisioned, token
from support import TIMEOUT, Stage, eventually

import tokencached
from tokencached import TokenCache, TokenCacheError, User, _flights, _thread_connections

LIBRARY = str(Path(tokencached.__file__).parent)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


class Interruption:
    """Does something on a thread in the client or in one of its modules, before its step of that number."""

    def __init__(self, number: int, act: Callable[[CodeType], None], module: str = LIBRARY) -> None:
        self._left = number
        self._act = act
        self._module = module
        self.has_come = False

    def __call__(self, work: Callable[[], object]) -> None:
        sys.settrace(self._trace)
        try:
            work()
        finally:
            sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.has_come or not frame.f_code.co_filename.startswith(self._module):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self._left -= 1
            if self._left < 0:
                self.has_come = True
                self._act(frame.f_code)
        return self._trace


def sweep(each: Callable[[int], bool]) -> int:
    """Goes through the steps until there are no more, and returns their number."""
    number = 0
    while each(number):
        number += 1
    return number


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_a_signal_handler_may_close_the_client_at_any_step_of_a_call(stage: Stage, is_first: bool) -> None:
    def interrupt(number: int) -> bool:
        cache = TokenCache(stage.socket)
        if not is_first:
            cache.hello()
        outcomes: list[object] = []

        def close(_: CodeType) -> None:
            cache.close()
            life = cache._connections._thread._lifetime
            if life is not None and life.locked():
                outcomes.append("the client's thread can't end")

        interruption = Interruption(number, close)

        def call() -> None:
            try:
                cache.token(subject="alice", timeout=TIMEOUT)
                outcomes.append("answered")
            except TokenCacheError as error:
                outcomes.append(error.code)

        thread = threading.Thread(target=interruption, args=(call,), daemon=True)
        thread.start()
        thread.join(TIMEOUT)
        assert not thread.is_alive(), f"step {number} hangs"
        assert outcomes in (["answered"], ["closed"]), f"step {number}: {outcomes}"
        cache.close()
        return interruption.has_come

    assert sweep(interrupt) > 300


def test_ctrl_c_at_any_step_leaves_nothing_queued_and_the_client_usable(stage: Stage, tmp_path: Path) -> None:
    def interrupt(number: int) -> bool:
        # Nobody listens there yet, so the call waits.
        path = tmp_path / "s"
        cache = TokenCache(path, restart_grace=TIMEOUT)
        is_waiting = False

        def ctrl_c(code: CodeType) -> None:
            nonlocal is_waiting
            is_waiting = code.co_qualname == "_Waiter.wait" if sys.version_info >= (3, 11) else code.co_name == "wait"
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Interruption(number, ctrl_c)(lambda: cache.token(subject="alice", timeout=TIMEOUT))
        thread = cache._connections._thread
        eventually(lambda: not thread._inbox or thread._wakeup is None, lambda: f"step {number}: {thread._inbox}")
        eventually(lambda: thread._exchange.is_empty, lambda: f"step {number} leaves the call queued")
        path.symlink_to(stage.socket)
        assert cache.hello(timeout=TIMEOUT).server == "tokencached"
        cache.close()
        path.unlink()
        return not is_waiting

    assert sweep(interrupt) > 200


def test_ctrl_c_at_any_step_of_closing_leaves_a_client_that_can_be_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_thread_connections, "CLOSE_TIMEOUT", 2 * TIMEOUT)

    def ctrl_c(_: CodeType) -> None:
        raise KeyboardInterrupt

    def interrupt(number: int) -> bool:
        cache = TokenCache(stage.socket)
        cache.hello()
        interruption = Interruption(number, ctrl_c)

        def close_twice() -> None:
            with contextlib.suppress(KeyboardInterrupt):
                interruption(cache.close)
            cache.close()

        thread = threading.Thread(target=close_twice, daemon=True)
        thread.start()
        thread.join(TIMEOUT)
        assert not thread.is_alive(), f"step {number} hangs"
        assert cache._connections._thread._has_ended
        return interruption.has_come

    assert sweep(interrupt) > 30


def test_without_a_free_descriptor_a_call_fails_and_a_later_one_may_succeed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with TokenCache(stage.socket) as cache:
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socketpair", exhausted)
            for _ in range(3):
                with pytest.raises(
                    TokenCacheError, match="unreachable: no connection can be made: Too many open files"
                ):
                    cache.hello(timeout=TIMEOUT)
        assert cache.hello(timeout=TIMEOUT).server == "tokencached"


def test_ctrl_c_at_any_step_of_a_provision_does_not_block_those_who_come_later(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda request: provisioned() if request["op"] == "provision" else token())
    monkeypatch.setattr(_flights, "REPLY_GRACE", 0)

    def ctrl_c(_: CodeType) -> None:
        raise KeyboardInterrupt

    with TokenCache(server.path) as cache:

        def interrupt(number: int) -> bool:
            user = User(f"user-{number}", name="Alice")
            interruption = Interruption(number, ctrl_c, _flights.__file__)
            with contextlib.suppress(KeyboardInterrupt, TokenCacheError):
                # An entry that an interrupt leaves behind counts for this time.
                interruption(lambda: cache.token_for(user, timeout=0.1))
            assert cache.token_for(user, timeout=TIMEOUT).access_token, f"step {number}"
            return interruption.has_come

        assert sweep(interrupt) > 50
