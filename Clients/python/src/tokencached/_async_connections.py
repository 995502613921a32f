"""The connections that all tasks of an event loop share."""

from __future__ import annotations

import asyncio
import os
import time
import weakref

from tokencached._connecting import LONGEST_BACKOFF, ConnectionAttempts, closed, connect
from tokencached._connection import Connection
from tokencached._errors import TokenCacheError
from tokencached._exchange import Exchange
from tokencached._pending_requests import Call


class AsyncConnections:
    """The connections of each event loop. Those of a loop that was closed are forgotten."""

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._restart_grace = restart_grace
        self._is_closed = False
        self._by_loop: dict[asyncio.AbstractEventLoop, LoopConnections] = {}
        _all.add(self)

    def here(self) -> LoopConnections:
        """The connections of the running loop. Raises `closed` if the client is closed."""
        if self._is_closed:
            raise closed()
        loop = asyncio.get_running_loop()
        found = self._by_loop.get(loop)
        if found is None:
            self._forget_closed_loops()
            found = self._by_loop[loop] = LoopConnections(loop, self._path, self._restart_grace)
        return found

    def _forget_closed_loops(self) -> None:
        for loop in list(self._by_loop):
            # A loop of another thread may do the same.
            if loop.is_closed() and (connections := self._by_loop.pop(loop, None)):
                connections.forget()

    def close(self) -> None:
        """Closes the connections of all loops. Calls that wait and later ones fail."""
        self._is_closed = True
        here = asyncio.get_running_loop()
        for loop, connections in list(self._by_loop.items()):
            if loop is here:
                connections.close()
            elif loop.is_closed():
                connections.forget()
            else:
                loop.call_soon_threadsafe(connections.close)
        self._by_loop.clear()

    def begin_after_fork(self) -> None:
        """Closes the descriptors that the child inherits. No loop of the parent runs there."""
        for inherited in self._by_loop.values():
            inherited.forget()
        self._by_loop.clear()


class LoopConnections:
    """The connections of one event loop. They are made when a call needs them, and again after they have ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str, restart_grace: float) -> None:
        self._loop = loop
        self._path = path
        self._exchange = Exchange()
        self._attempts = ConnectionAttempts(path, restart_grace)
        self._open: list[Connection] = []
        # The connections whose socket's buffer is full, which the loop watches for space.
        self._stalled: set[Connection] = set()
        self._delay: asyncio.TimerHandle | None = None
        self._is_scheduled = False

    def add(self, call: Call) -> None:
        self._exchange.add(call)
        self._schedule()

    def give_up(self, call: Call) -> None:
        self._exchange.give_up(call)
        self._schedule()

    def is_trying(self, call: Call) -> bool:
        """True if the call is sent, or is about to be."""
        return call.pending is not None or not (self._open or self._delay)

    def timeout_error(self) -> TokenCacheError:
        """The error of a call whose timeout has passed."""
        if self._open:
            return TokenCacheError("timeout", "the daemon did not answer in time")
        return self._attempts.unreachable()

    def close(self) -> None:
        self._exchange.end(closed())
        if self._delay is not None:
            self._delay.cancel()
        for connection in list(self._open):
            self._drop(connection)

    def forget(self) -> None:
        """Closes the sockets of a loop that doesn't run any more."""
        for connection in self._open:
            # The loop may still refer to the socket, which otherwise would be closed later or never.
            os.close(connection.socket.detach())
        self._open.clear()

    # The calls of one turn of the loop are sent in one write.
    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._proceed)

    def _proceed(self) -> None:
        self._is_scheduled = False
        for connection in [each for each in self._open if each.is_dispensable]:
            self._drop(connection)
        for connection in self._open:
            self._send(connection)
        while self._exchange.needs_connection and self._delay is None:
            self._connect()

    def _connect(self) -> None:
        try:
            connection = Connection(connect(self._path), self._exchange)
        except OSError as error:
            backoff = self._attempts.failed(error, time.monotonic())
            if backoff is not None or self._open:
                self._connect_again(LONGEST_BACKOFF if backoff is None else backoff)
            else:
                self._exchange.end(self._attempts.unreachable())
            return
        self._attempts.connected()
        self._open.append(connection)
        self._loop.add_reader(connection.socket, self._receive, connection)
        self._send(connection)

    def _send(self, connection: Connection) -> None:
        connection.send()
        if connection.has_unsent and connection not in self._stalled:
            self._stalled.add(connection)
            self._loop.add_writer(connection.socket, self._send, connection)
        elif not connection.has_unsent and connection in self._stalled:
            self._stalled.remove(connection)
            self._loop.remove_writer(connection.socket)

    def _receive(self, connection: Connection) -> None:
        if connection.receive():
            self._attempts.answered()
        else:
            self._drop(connection)
            self._connect_again(self._attempts.disconnected())
        self._schedule()

    def _drop(self, connection: Connection) -> None:
        self._loop.remove_reader(connection.socket)
        self._loop.remove_writer(connection.socket)
        self._stalled.discard(connection)
        self._open.remove(connection)
        if connection.is_draining:
            self._connect_again(self._attempts.disconnected())
        connection.close()

    def _connect_again(self, seconds: float) -> None:
        if self._delay is not None:
            self._delay.cancel()
        self._delay = self._loop.call_later(seconds, self._delay_ended)

    def _delay_ended(self) -> None:
        self._delay = None
        self._proceed()


_all: weakref.WeakSet[AsyncConnections] = weakref.WeakSet()


def _begin_after_fork() -> None:
    for connections in list(_all):
        connections.begin_after_fork()


os.register_at_fork(after_in_child=_begin_after_fork)
