"""The connections that all tasks of an event loop share."""

from __future__ import annotations

import asyncio
import os
import time
import weakref

from tokencached._conversation import Call
from tokencached._errors import TokenCacheError
from tokencached._exchange import Exchange
from tokencached._link import Link
from tokencached._reconnecting import LONGEST_PAUSE, Attempts, closed, connect


class AsyncConnections:
    """Each event loop has its own, made when a call needs them. Those of a loop that was closed are forgotten."""

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._restart_grace = restart_grace
        self._is_closed = False
        self._by_loop: dict[asyncio.AbstractEventLoop, LoopConnections] = {}
        _all.add(self)

    def here(self) -> LoopConnections:
        """Those of the loop that runs; raises `closed`."""
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
            # Another thread's loop may do the same.
            if loop.is_closed() and (connections := self._by_loop.pop(loop, None)):
                connections.forget()

    def close(self) -> None:
        """Ends the connections of all loops; calls that wait fail, and later ones too."""
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
        """Starts afresh in the child, where no loop of the parent's runs, without its descriptors."""
        for inherited in self._by_loop.values():
            inherited.forget()
        self._by_loop.clear()


class LoopConnections:
    """Made when a call needs them, and made again after they ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str, restart_grace: float) -> None:
        self._loop = loop
        self._path = path
        self._exchange = Exchange()
        self._attempts = Attempts(path, restart_grace)
        self._links: list[Link] = []
        # Those whose socket is full, and whose room the loop looks for.
        self._stalled: set[Link] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._is_scheduled = False

    def ask(self, call: Call) -> None:
        self._exchange.add(call)
        self._schedule()

    def give_up(self, call: Call) -> None:
        self._exchange.give_up(call)
        self._schedule()

    def is_trying(self, call: Call) -> bool:
        """Whether the daemon has been asked this, or is about to be."""
        return call.conversation is not None or not (self._links or self._pause)

    def late(self) -> TokenCacheError:
        """The error of a call whose time has passed."""
        if self._links:
            return TokenCacheError("timeout", "the daemon did not answer in time")
        return self._attempts.unreachable()

    def close(self) -> None:
        self._exchange.end(closed())
        if self._pause is not None:
            self._pause.cancel()
        for link in list(self._links):
            self._drop(link)

    def forget(self) -> None:
        """Closes the sockets where the loop doesn't run any more."""
        for link in self._links:
            # The loop may still hold the socket, which then would be closed later or never.
            os.close(link.socket.detach())
        self._links.clear()

    # The calls of one turn of the loop go in one write.
    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._proceed)

    def _proceed(self) -> None:
        self._is_scheduled = False
        for link in [link for link in self._links if link.is_dispensable]:
            self._drop(link)
        for link in self._links:
            self._send(link)
        while self._exchange.wants_connection and self._pause is None:
            self._connect()

    def _connect(self) -> None:
        try:
            link = Link(connect(self._path), self._exchange)
        except OSError as error:
            pause = self._attempts.failed(error, time.monotonic())
            if pause is not None or self._links:
                self._wait(LONGEST_PAUSE if pause is None else pause)
            else:
                self._exchange.end(self._attempts.unreachable())
            return
        self._attempts.connected()
        self._links.append(link)
        self._loop.add_reader(link.socket, self._receive, link)
        self._send(link)

    def _send(self, link: Link) -> None:
        link.send()
        if link.has_unsent and link not in self._stalled:
            self._stalled.add(link)
            self._loop.add_writer(link.socket, self._send, link)
        elif not link.has_unsent and link in self._stalled:
            self._stalled.remove(link)
            self._loop.remove_writer(link.socket)

    def _receive(self, link: Link) -> None:
        if link.receive():
            self._attempts.answered()
        else:
            self._drop(link)
            self._wait(self._attempts.hung_up())
        self._schedule()

    def _drop(self, link: Link) -> None:
        self._loop.remove_reader(link.socket)
        self._loop.remove_writer(link.socket)
        self._stalled.discard(link)
        self._links.remove(link)
        if link.is_draining:
            self._wait(self._attempts.hung_up())
        link.close()

    def _wait(self, seconds: float) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._pause = self._loop.call_later(seconds, self._pause_ended)

    def _pause_ended(self) -> None:
        self._pause = None
        self._proceed()


_all: weakref.WeakSet[AsyncConnections] = weakref.WeakSet()


def _begin_after_fork() -> None:
    for connections in list(_all):
        connections.begin_after_fork()


os.register_at_fork(after_in_child=_begin_after_fork)
