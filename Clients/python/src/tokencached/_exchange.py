"""Which calls wait, where the others are under way, and what the daemon's bytes mean for them.

It knows neither sockets nor clocks nor threads.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from tokencached._conversation import Call, Conversation
from tokencached._errors import TokenCacheError, error_of
from tokencached._results import Unreadable

# The daemon lets 65,536 requests wait in all, which is less than this many connections hold.
MOST_CONNECTIONS = 66


class Exchange:
    """The calls of one client, over its connections.

    A call goes on the oldest connection that has room. Where all are full, another one is needed, so that what the
    daemon has in its cache never waits behind what it has to fetch. A connection on which nobody waits any more is
    dispensable where it is full (of calls that were given up) or an older one has room.

    Every operation of the daemon can be asked again, so what was under way on a connection that ended goes to the head
    of the queue.
    """

    def __init__(self) -> None:
        self._again: OrderedDict[Call, None] = OrderedDict()
        self._queue: OrderedDict[Call, None] = OrderedDict()
        # The oldest first.
        self._conversations: list[Conversation] = []
        self._last_id = 0

    @property
    def has_queue(self) -> bool:
        return bool(self._again or self._queue)

    @property
    def is_empty(self) -> bool:
        return not self.has_queue and not any(each.is_awaited for each in self._conversations)

    @property
    def wants_connection(self) -> bool:
        """Whether calls wait that another connection would take. While the daemon drains one, it accepts no other."""
        return (
            self.has_queue
            and len(self._conversations) < MOST_CONNECTIONS
            and all(each.is_full and not each.is_draining for each in self._conversations)
        )

    def add(self, call: Call) -> None:
        self._queue[call] = None

    def give_up(self, call: Call) -> None:
        """Forgets a call; the late reply to it will be dropped."""
        call.is_wanted = False
        self._again.pop(call, None)
        self._queue.pop(call, None)
        if call.conversation is not None:
            call.conversation.give_up(call)

    def connected(self) -> Conversation:
        """A connection has been made."""
        conversation = Conversation()
        self._conversations.append(conversation)
        return conversation

    def disconnected(self, conversation: Conversation) -> None:
        """The connection has ended: what was under way is to be asked again."""
        self._conversations.remove(conversation)
        self._again.update((call, None) for call in conversation.clear())

    def is_dispensable(self, conversation: Conversation) -> bool:
        """Whether the connection serves nobody and can be closed."""
        if conversation.is_awaited:
            return False
        older = self._conversations[: self._conversations.index(conversation)]
        return conversation.is_draining or conversation.is_full or any(each.has_room for each in older)

    def take(self, conversation: Conversation, now: float) -> bytes:
        """The lines that may go on that connection now."""
        return b"".join(self._line(call, conversation, now) for call in self._next(conversation))

    def receive(self, conversation: Conversation, chunk: bytes) -> bool:
        """Ends the calls whose replies came; False where what came is none, and the connection of no further use."""
        try:
            return all(self._receive(reply, conversation) for reply in conversation.read(chunk))
        except Unreadable:
            pass
        # Out of reach of what was just raised: the error of a call has no other hanging on it.
        return self._fail(conversation, TokenCacheError("bad_reply", "the daemon's reply can't be understood"))

    def end(self, error: TokenCacheError) -> None:
        """Ends all calls with an error."""
        for conversation in self._conversations:
            self._again.update((call, None) for call in conversation.clear())
        calls = [*self._again, *self._queue]
        self._again.clear()
        self._queue.clear()
        _fail_all(calls, error)

    def _next(self, conversation: Conversation) -> Iterator[Call]:
        for calls in (self._again, self._queue):
            while calls and conversation.has_room:
                yield calls.popitem(last=False)[0]

    def _line(self, call: Call, conversation: Conversation, now: float) -> bytes:
        self._last_id += 1
        conversation.add(call, self._last_id)
        if call.request.operation != "token":
            return b'{"id":%d,%b}\n' % (call.id, call.request.body)
        # The daemon is to answer within what is left of the caller's time, not within all of it from here.
        left = max(0, math.ceil((call.deadline - now) * 1_000)) / 1_000
        return b'{"id":%d,"timeout":%g,%b}\n' % (call.id, left, call.request.body)

    def _receive(self, reply: Mapping[str, Any], conversation: Conversation) -> bool:
        error = error_of(reply)
        is_shutting_down = error is not None and error.code == "shutting_down"
        conversation.is_draining |= is_shutting_down
        if "id" not in reply:
            return self._receive_unnumbered(error, conversation)
        # What isn't under way was never asked, or nobody waits for it any more.
        call = conversation.remove(reply["id"])
        if call is None:
            return True
        if is_shutting_down:
            self._again[call] = None
        elif error is not None:
            call.finish(None, error)
        else:
            _answer(call, reply)
        return True

    def _receive_unnumbered(self, error: TokenCacheError | None, conversation: Conversation) -> bool:
        """All our requests have an id, so what comes without one is about the connection itself."""
        if error is None:
            raise Unreadable
        return error.code == "shutting_down" or self._fail(conversation, error)

    @staticmethod
    def _fail(conversation: Conversation, error: TokenCacheError) -> bool:
        _fail_all(conversation.clear(), error)
        return False


def _answer(call: Call, reply: Mapping[str, Any]) -> None:
    answer, error = None, None
    try:
        answer = call.request.read(reply)
    except Unreadable:
        error = TokenCacheError("bad_reply", f"the daemon's reply is none to '{call.request.operation}'")
    call.finish(answer, error)


def _fail_all(calls: list[Call], error: TokenCacheError) -> None:
    for call in calls:
        # One each: an error that is raised in several places collects the traces of all.
        call.finish(None, TokenCacheError(*error.args))
