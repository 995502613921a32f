"""What was asked on one connection, and the daemon's lines as they come in pieces."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from tokencached._errors import TokenCacheError
from tokencached._requests import Request
from tokencached._results import Unreadable

# The daemon stops reading a connection on which 1,024 requests wait. Below that, none holds up those behind it.
WINDOW = 1_000
# Sixteen times the longest token that the daemon hands out.
LONGEST_REPLY = 1_048_576
# Python reads integers of any length, and takes long over them. None of the protocol's has more than 16 digits.
LONGEST_INTEGER = 20


class Call:
    """A request that somebody waits for; `end` is told once what came of it."""

    __slots__ = ("conversation", "deadline", "end", "id", "is_wanted", "request")

    def __init__(
        self, request: Request[Any], deadline: float, end: Callable[[Any, TokenCacheError | None], None]
    ) -> None:
        self.request = request
        self.deadline = deadline
        self.end = end
        self.is_wanted = True
        # Where it is under way, and by which number.
        self.conversation: Conversation | None = None
        self.id = 0

    def finish(self, answer: object, error: TokenCacheError | None) -> None:
        self.is_wanted = False
        self.conversation = None
        self.end(answer, error)


class Conversation:
    """The requests of one connection that the daemon hasn't answered.

    Calls that were given up stay until their reply comes, because the daemon still counts them.
    """

    def __init__(self) -> None:
        self._under_way: dict[int, Call] = {}
        self._awaited = 0
        self._rest = bytearray()
        self.is_draining = False

    @property
    def is_full(self) -> bool:
        return len(self._under_way) >= WINDOW

    @property
    def has_room(self) -> bool:
        return not self.is_full and not self.is_draining

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a reply."""
        return self._awaited > 0

    def add(self, call: Call, number: int) -> None:
        call.id = number
        call.conversation = self
        self._under_way[number] = call
        self._awaited += 1

    def give_up(self, call: Call) -> None:
        call.conversation = None
        self._awaited -= 1

    def remove(self, number: object) -> Call | None:
        """Takes out the call that was answered; None where none has that number or nobody waits for it any more."""
        # `True` and 1.0 are keys, too, where 1 is one.
        call = self._under_way.pop(number, None) if type(number) is int else None
        if call is None or not call.is_wanted:
            return None
        call.conversation = None
        self._awaited -= 1
        return call

    def clear(self) -> list[Call]:
        """Takes out all calls that somebody waits for, in the order in which they were asked."""
        calls = [call for call in self._under_way.values() if call.is_wanted]
        for call in calls:
            call.conversation = None
        self._under_way.clear()
        self._awaited = 0
        return calls

    def read(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        """The replies that are complete now; raises `Unreadable` after those before it."""
        start = len(self._rest)
        self._rest += chunk
        # Only what is new can hold the end of a line.
        last = self._rest.rfind(b"\n", start)
        lines = [] if last < 0 else bytes(self._rest[:last]).split(b"\n")
        del self._rest[: last + 1]
        for line in lines:
            if len(line) > LONGEST_REPLY:
                raise Unreadable
            yield _parse(line)
        if len(self._rest) > LONGEST_REPLY:
            raise Unreadable


def _parse(line: bytes) -> Mapping[str, Any]:
    # A ValueError of the parser holds the text, in which a token may stand: it goes no further.
    reply = None
    with contextlib.suppress(ValueError, RecursionError):
        reply = json.loads(line.decode(), parse_int=_integer, parse_constant=_constant)
    if not isinstance(reply, dict):
        raise Unreadable
    return reply


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _constant(name: str) -> None:
    """`NaN` and `Infinity` are Python's, not JSON's."""
    raise ValueError
