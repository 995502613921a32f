"""Distributes calls over connections and assigns the daemon's replies to them. It has no socket, clock or thread."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from tokencached._errors import TokenCacheError, error_of
from tokencached._pending_requests import Call, PendingRequests
from tokencached._reply_reader import ReplyReader
from tokencached._results import MalformedReply

# The daemon lets 65,536 requests wait in all, and these connections hold more.
MOST_CONNECTIONS = 66
# The operations that tell the daemon the time that is left.
WITH_TIMEOUT = ("token", "provision")


class ExchangeConnection:
    """One connection of an exchange: its requests without a reply, and the bytes of the next reply."""

    def __init__(self) -> None:
        self.pending = PendingRequests()
        self.replies = ReplyReader()


class Exchange:
    """The calls of one client, over its connections.

    A call is sent on the oldest connection that has capacity. If all are full, another one is needed, so that a cached
    token never waits behind tokens that have to be minted. Every operation may be repeated, so a call that was under
    way when its connection ended is sent again, before the calls that wait.
    """

    def __init__(self) -> None:
        self._retries: OrderedDict[Call, None] = OrderedDict()
        self._queue: OrderedDict[Call, None] = OrderedDict()
        # The oldest connection is the first.
        self._connections: list[ExchangeConnection] = []
        self._last_id = 0

    @property
    def has_queue(self) -> bool:
        return bool(self._retries or self._queue)

    @property
    def is_empty(self) -> bool:
        return not self.has_queue and not any(each.pending.is_awaited for each in self._connections)

    @property
    def needs_connection(self) -> bool:
        """True if calls wait for another connection to be made. A daemon that is shutting down accepts none."""
        return (
            self.has_queue
            and len(self._connections) < MOST_CONNECTIONS
            and all(each.pending.is_full and not each.pending.is_draining for each in self._connections)
        )

    def add(self, call: Call) -> None:
        self._queue[call] = None

    def give_up(self, call: Call) -> None:
        """Removes a call. A reply to it will be dropped."""
        call.is_wanted = False
        self._retries.pop(call, None)
        self._queue.pop(call, None)
        if call.pending is not None:
            call.pending.give_up(call)

    def connected(self) -> ExchangeConnection:
        """Adds a connection that has been made, and returns what stands for it here."""
        connection = ExchangeConnection()
        self._connections.append(connection)
        return connection

    def disconnected(self, connection: ExchangeConnection) -> None:
        """Removes a connection that has ended. The calls that were under way on it wait again."""
        self._connections.remove(connection)
        self._retries.update((call, None) for call in connection.pending.remove_all())

    def is_dispensable(self, connection: ExchangeConnection) -> bool:
        """True if nobody waits for a reply on the connection and it should be closed.

        It should if it is full of calls that were given up, of which the daemon learns so, if it accepts no more, or if
        an older connection has capacity.
        """
        if connection.pending.is_awaited:
            return False
        older = self._connections[: self._connections.index(connection)]
        return not connection.pending.has_capacity or any(each.pending.has_capacity for each in older)

    def send(self, connection: ExchangeConnection, now: float) -> bytes:
        """The lines to send on that connection now."""
        return b"".join(self._line(call, connection.pending, now) for call in self._next(connection.pending))

    def receive(self, connection: ExchangeConnection, chunk: bytes) -> bool:
        """Ends the calls whose replies arrive. False if the connection can't be used further."""
        try:
            return all(self._receive(reply, connection.pending) for reply in connection.replies.read(chunk))
        except MalformedReply:
            pass
        # Outside of the handler, so that the error of a call doesn't have that exception as its context.
        error = TokenCacheError("bad_reply", "the daemon's reply can't be understood")
        return self._fail(connection.pending, error)

    def end(self, error: TokenCacheError) -> None:
        """Ends all calls with an error."""
        for connection in self._connections:
            self._retries.update((call, None) for call in connection.pending.remove_all())
        calls = [*self._retries, *self._queue]
        self._retries.clear()
        self._queue.clear()
        _fail_all(calls, error)

    def _next(self, pending: PendingRequests) -> Iterator[Call]:
        for calls in (self._retries, self._queue):
            while calls and pending.has_capacity:
                yield calls.popitem(last=False)[0]

    def _line(self, call: Call, pending: PendingRequests, now: float) -> bytes:
        self._last_id += 1
        pending.add(call, self._last_id)
        if call.request.operation not in WITH_TIMEOUT:
            return b'{"id":%d,%b}\n' % (call.id, call.request.body)
        # The daemon is to answer in the time that is left to the caller, which is less than the caller gave.
        left = max(0, math.ceil((call.deadline - now) * 1_000)) / 1_000
        return b'{"id":%d,"timeout":%g,%b}\n' % (call.id, left, call.request.body)

    def _receive(self, reply: Mapping[str, Any], pending: PendingRequests) -> bool:
        error = error_of(reply)
        is_shutting_down = error is not None and error.code == "shutting_down"
        pending.is_draining |= is_shutting_down
        if "id" not in reply:
            return self._receive_without_id(error, pending)
        # A call that isn't pending here was never sent on this connection, or was given up.
        call = pending.remove(reply["id"])
        if call is None:
            return True
        if is_shutting_down:
            self._retries[call] = None
        elif error is not None:
            call.finish(None, error)
        else:
            _answer(call, reply)
        return True

    def _receive_without_id(self, error: TokenCacheError | None, pending: PendingRequests) -> bool:
        """All requests of this client have an id, so an error without one is about the connection itself."""
        if error is None:
            raise MalformedReply
        return error.code == "shutting_down" or self._fail(pending, error)

    @staticmethod
    def _fail(pending: PendingRequests, error: TokenCacheError) -> bool:
        _fail_all(pending.remove_all(), error)
        return False


def _answer(call: Call, reply: Mapping[str, Any]) -> None:
    answer, error = None, None
    try:
        answer = call.request.read(reply)
    except MalformedReply:
        error = TokenCacheError("bad_reply", f"the daemon's reply is not one to '{call.request.operation}'")
    call.finish(answer, error)


def _fail_all(calls: list[Call], error: TokenCacheError) -> None:
    for call in calls:
        # A copy for each call, because an error that is raised in several places collects the tracebacks of all.
        call.finish(None, TokenCacheError(*error.args))
