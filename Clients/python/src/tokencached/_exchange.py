"""Which calls wait, which are under way, and what the daemon's bytes mean for them; no socket, clock or thread."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from tokencached._errors import TokenCacheError, error_of
from tokencached._requests import Request
from tokencached._results import Unreadable

# The daemon stops reading a connection on which 1,024 requests wait; below that, none holds up those behind it.
WINDOW = 1_000
# Sixteen times the longest token that the daemon hands out.
LONGEST_REPLY = 1_048_576


class Call:
    """A request that somebody waits for; `end` is told once what came of it."""

    __slots__ = ("deadline", "end", "id", "is_wanted", "request")

    def __init__(
        self, request: Request[Any], deadline: float, end: Callable[[Any, TokenCacheError | None], None]
    ) -> None:
        self.request = request
        self.deadline = deadline
        self.end = end
        self.is_wanted = True
        self.id = 0


class Exchange:
    """The calls of one client, over the connections that it has one after another.

    Every operation of the daemon can be asked again, so what was under way when a connection ended goes to the head of
    the queue.
    """

    def __init__(self) -> None:
        # Calls that were given up stay in the queues until it is their turn, and under way because the daemon still
        # counts them as waiting; they are not among these.
        self._queued = 0
        self._awaited = 0
        self._again: deque[Call] = deque()
        self._queue: deque[Call] = deque()
        self._under_way: dict[int, Call] = {}
        self._last_id = 0
        self._rest = bytearray()
        self._is_draining = False

    @property
    def has_queue(self) -> bool:
        return self._queued > 0

    @property
    def is_empty(self) -> bool:
        return self._queued == 0 and self._awaited == 0

    def is_under_way(self, call: Call) -> bool:
        return self._under_way.get(call.id) is call

    def add(self, call: Call) -> None:
        self._queue.append(call)
        self._queued += 1

    def give_up(self, call: Call) -> None:
        """Forgets a call; the late reply to it will be dropped."""
        if not call.is_wanted:
            return
        call.is_wanted = False
        if self.is_under_way(call):
            self._awaited -= 1
        else:
            self._queued -= 1

    def take(self, now: float) -> bytes:
        """The lines that may go now."""
        if self._is_draining:
            return b""
        return b"".join(self._line(call, now) for call in self._next())

    def _next(self) -> Iterator[Call]:
        for calls in (self._again, self._queue):
            while calls and len(self._under_way) < WINDOW:
                call = calls.popleft()
                if call.is_wanted:
                    yield call

    def _line(self, call: Call, now: float) -> bytes:
        self._last_id += 1
        call.id = self._last_id
        self._under_way[call.id] = call
        self._queued -= 1
        self._awaited += 1
        if call.request.operation != "token":
            return b'{"id":%d,%b}\n' % (call.id, call.request.body)
        # The daemon is to answer within what is left of the caller's time, not within all of it from here.
        left = max(0, math.ceil((call.deadline - now) * 1_000)) / 1_000
        return b'{"id":%d,"timeout":%g,%b}\n' % (call.id, left, call.request.body)

    def receive(self, chunk: bytes) -> bool:
        """Ends the calls whose replies came; whether the connection is of further use."""
        start = len(self._rest)
        self._rest += chunk
        # Only what is new can hold the end of a line.
        last = self._rest.rfind(b"\n", start)
        lines = [] if last < 0 else bytes(self._rest[:last]).split(b"\n")
        del self._rest[: last + 1]
        is_readable = all(self._receive_line(line) for line in lines)
        if not is_readable or len(self._rest) > LONGEST_REPLY:
            self._fail_all(TokenCacheError("bad_reply", "the daemon's reply can't be understood"))
            return False
        return not (self._is_draining and self._awaited == 0)

    def disconnected(self) -> None:
        """The connection has ended: what was under way is to be asked again."""
        again = [call for call in self._under_way.values() if call.is_wanted]
        self._again.extend(again)
        self._queued += len(again)
        self._forget_connection()

    def end(self, error: TokenCacheError) -> None:
        """Ends all calls with an error."""
        self.disconnected()
        calls = [call for call in (*self._again, *self._queue) if call.is_wanted]
        self._again.clear()
        self._queue.clear()
        self._queued = 0
        for call in calls:
            # One each: an error that is raised in several places collects the traces of all.
            self._finish(call, None, TokenCacheError(*error.args))

    def _forget_connection(self) -> None:
        self._under_way.clear()
        self._awaited = 0
        self._rest.clear()
        self._is_draining = False

    def _receive_line(self, line: bytes) -> bool:
        reply = _parse(line) if len(line) <= LONGEST_REPLY else None
        if reply is None:
            return False
        error = error_of(reply)
        if "id" not in reply:
            return self._receive_unnumbered(error)
        is_shutting_down = error is not None and error.code == "shutting_down"
        if is_shutting_down:
            self._is_draining = True
        number = reply["id"]
        # What has no entry was never asked.
        call = self._under_way.pop(number, None) if type(number) is int else None
        if call is None or not call.is_wanted:
            return True
        self._awaited -= 1
        if is_shutting_down:
            self._again.append(call)
            self._queued += 1
        elif error is not None:
            self._finish(call, None, error)
        else:
            self._answer(call, reply)
        return True

    def _answer(self, call: Call, reply: Mapping[str, Any]) -> None:
        answer, error = None, None
        try:
            answer = call.request.read(reply)
        except Unreadable:
            error = TokenCacheError("bad_reply", f"the daemon's reply is none to '{call.request.operation}'")
        self._finish(call, answer, error)

    def _receive_unnumbered(self, error: TokenCacheError | None) -> bool:
        """All our requests have an id, so what comes without one is about the connection itself."""
        if error is None:
            return False
        self._is_draining = True
        if error.code != "shutting_down":
            self._fail_all(error)
        return True

    def _fail_all(self, error: TokenCacheError) -> None:
        calls = [call for call in self._under_way.values() if call.is_wanted]
        self._under_way.clear()
        self._awaited = 0
        for call in calls:
            self._finish(call, None, TokenCacheError(*error.args))

    @staticmethod
    def _finish(call: Call, answer: object, error: TokenCacheError | None) -> None:
        call.is_wanted = False
        call.end(answer, error)


def _parse(line: bytes) -> Mapping[str, Any] | None:
    # A ValueError of the parser holds the text, in which a token may stand: it goes no further.
    try:
        reply = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) else None
