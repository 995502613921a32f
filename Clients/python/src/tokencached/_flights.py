"""Work that several callers need at the same time, and that one of them does."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Hashable
from typing import Callable

from tokencached._connecting import REPLY_GRACE
from tokencached._errors import TokenCacheError


class Outcome:
    """The end of the work that another caller does."""

    def __init__(self, deadline: float) -> None:
        # The caller who does the work has ended by then. An entry that is older was left behind by an interrupt.
        self.latest_end = deadline + REPLY_GRACE
        self.has_succeeded = False
        self.error: TokenCacheError | None = None

    def is_final(self) -> bool:
        """True if the work is done. Raises its error if it would be that of each caller.

        The time of one caller is not that of another, who begins the work again. So does one whose predecessor was
        interrupted.
        """
        if self.error is not None and self.error.code != "timeout":
            # A copy, because an error that is raised in several places collects the tracebacks of all.
            raise TokenCacheError(*self.error.args)
        return self.has_succeeded


class ThreadOutcome(Outcome):
    def __init__(self, deadline: float) -> None:
        super().__init__(deadline)
        self.ended = threading.Event()

    def record(self, work: Callable[[], object]) -> None:
        """Does the work, and records what became of it."""
        try:
            work()
            self.has_succeeded = True
        except TokenCacheError as error:
            self.error = error
            raise


class ThreadFlights:
    """The work that threads of this process are doing."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, ThreadOutcome] = {}

    def do(self, key: Hashable, work: Callable[[], object], deadline: float) -> None:
        """Does the work, or waits until another thread has done it."""
        # A forked process has none of its parent's threads, for which it could wait.
        key = (os.getpid(), key)
        while not self._do_or_wait(key, work, ThreadOutcome(deadline), deadline):
            if time.monotonic() >= deadline:
                raise timeout_error()

    def _do_or_wait(self, key: Hashable, work: Callable[[], object], mine: ThreadOutcome, deadline: float) -> bool:
        """True if the work is done. An interrupt such as Ctrl-C may come at any step, also in the last two lines."""
        try:
            found = self._under_way.setdefault(key, mine)
            if found is not mine and time.monotonic() < found.latest_end:
                found.ended.wait(max(0, min(deadline, found.latest_end) - time.monotonic()))
                return found.is_final()
            self._under_way[key] = mine
            mine.record(work)
            return True
        finally:
            if self._under_way.get(key) is mine:
                self._under_way.pop(key, None)
            mine.ended.set()


class TaskOutcome(Outcome):
    def __init__(self, deadline: float) -> None:
        super().__init__(deadline)
        self.ended = asyncio.get_running_loop().create_future()


class TaskFlights:
    """The work that tasks of this process are doing, each event loop for itself."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, TaskOutcome] = {}

    async def do(self, key: Hashable, work: Callable[[], Awaitable[object]], deadline: float) -> None:
        """Does the work, or waits until another task of this event loop has done it."""
        key = (asyncio.get_running_loop(), key)
        while (found := self._under_way.get(key)) is not None:
            await asyncio.wait([found.ended], timeout=max(0, deadline - time.monotonic()))
            if found.is_final():
                return
            if time.monotonic() >= deadline:
                raise timeout_error()
        await self._do(key, work, TaskOutcome(deadline))

    async def _do(self, key: Hashable, work: Callable[[], Awaitable[object]], outcome: TaskOutcome) -> None:
        self._under_way[key] = outcome
        try:
            await work()
            outcome.has_succeeded = True
        except TokenCacheError as error:
            outcome.error = error
            raise
        finally:
            self._under_way.pop(key, None)
            outcome.ended.set_result(None)


def timeout_error() -> TokenCacheError:
    return TokenCacheError("timeout", "another caller's request for the same user was not answered in time")
