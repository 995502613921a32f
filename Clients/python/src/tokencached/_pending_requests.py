"""The requests of one connection that the daemon hasn't answered."""

from __future__ import annotations

from typing import Any, Callable

from tokencached._errors import TokenCacheError
from tokencached._requests import Request

# The daemon stops reading a connection on which 1,024 requests wait. Below that, none delays those behind it.
LIMIT = 1_000


class Call:
    """A request that somebody waits for. `end` is called once with the outcome."""

    __slots__ = ("deadline", "end", "id", "is_wanted", "pending", "request")

    def __init__(
        self, request: Request[Any], deadline: float, end: Callable[[Any, TokenCacheError | None], None]
    ) -> None:
        self.request = request
        self.deadline = deadline
        self.end = end
        self.is_wanted = True
        # The requests among which the call is under way, and its id there. None: it waits.
        self.pending: PendingRequests | None = None
        self.id = 0

    def finish(self, answer: object, error: TokenCacheError | None) -> None:
        self.is_wanted = False
        self.pending = None
        self.end(answer, error)


class PendingRequests:
    """The requests of one connection, by id.

    Calls that were given up stay until their reply arrives, because the daemon still counts them.
    """

    def __init__(self) -> None:
        self._unanswered: dict[int, Call] = {}
        self._awaited = 0
        # True if the daemon is shutting down, so that no further request is sent on this connection.
        self.is_draining = False

    @property
    def is_full(self) -> bool:
        return len(self._unanswered) >= LIMIT

    @property
    def has_capacity(self) -> bool:
        """True if the connection accepts another request."""
        return not self.is_full and not self.is_draining

    @property
    def is_awaited(self) -> bool:
        """True if somebody waits for a reply."""
        return self._awaited > 0

    def add(self, call: Call, number: int) -> None:
        call.id = number
        call.pending = self
        self._unanswered[number] = call
        self._awaited += 1

    def give_up(self, call: Call) -> None:
        call.pending = None
        self._awaited -= 1

    def remove(self, number: object) -> Call | None:
        """Removes the call that was answered. None if no call has that id or nobody waits for it any more."""
        # In a dict `True` and 1.0 are the same key as 1.
        call = self._unanswered.pop(number, None) if type(number) is int else None
        if call is None or not call.is_wanted:
            return None
        call.pending = None
        self._awaited -= 1
        return call

    def remove_all(self) -> list[Call]:
        """Removes all calls and returns those that somebody waits for, in the order in which they were sent."""
        calls = [call for call in self._unanswered.values() if call.is_wanted]
        for call in calls:
            call.pending = None
        self._unanswered.clear()
        self._awaited = 0
        return calls
