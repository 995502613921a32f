"""The connections that all threads of a process share, and the thread that keeps them."""

from __future__ import annotations

import _thread
import contextlib
import os
import selectors
import socket
import threading
import time
import weakref
from collections import deque
from typing import Callable

from tokencached._conversation import Call
from tokencached._errors import TokenCacheError
from tokencached._exchange import Exchange
from tokencached._link import CHUNK, Link
from tokencached._reconnecting import LONGEST_PAUSE, Attempts, closed, connect

# How long `close` waits for the thread, which only has to close its sockets.
CLOSING = 5.0


class ThreadConnections:
    """Made when a call needs them, made again after they ended, and again in a process that was forked."""

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._restart_grace = restart_grace
        self._is_closed = False
        self._keeper = Keeper(path, restart_grace)
        _all.add(self)

    def ask(self, call: Call) -> None:
        if not self._is_closed:
            self._keeper.ask(call)
        # It may have been closed in between, and the thread have ended.
        if self._is_closed:
            raise closed()

    def give_up(self, call: Call) -> None:
        """Forgets a call; the late reply to it will be dropped."""
        self._keeper.give_up(call)

    def is_trying(self, call: Call) -> bool:
        """Whether the daemon has been asked this, or is about to be."""
        return self._keeper.is_trying(call)

    def late(self) -> TokenCacheError:
        """The error of a call whose time has passed."""
        return self._keeper.late()

    def close(self) -> None:
        """Ends the connections; calls that wait fail, and later ones too. A signal handler may call it anywhere."""
        self._is_closed = True
        self._keeper.close()
        self._keeper.join()

    def abandon(self) -> None:
        """Ends the connections of a client that nobody has any more. The garbage collector may call it anywhere."""
        self._is_closed = True
        self._keeper.close()

    def begin_after_fork(self) -> None:
        """Starts afresh in the child, without the parent's thread and its descriptors."""
        inherited = self._keeper
        self._keeper = Keeper(self._path, self._restart_grace)
        inherited.disown()


class Keeper:
    """The thread, and what belongs to it alone.

    Callers tell it what they want in a queue and wait, each at a lock of its own. They share none, because a signal
    handler or Ctrl-C interrupts a caller at any place, and must find and leave nothing half done.
    """

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._inbox: deque[tuple[Callable[[Call], None], Call]] = deque()
        self._exchange = Exchange()
        self._attempts = Attempts(path, restart_grace)
        self._links: list[Link] = []
        # When the next attempt to connect may be made.
        self._pause_end = 0.0
        self._is_closing = False
        # Ends the thread's wait. It is made by the thread; until then, each call starts one.
        self._bell: tuple[socket.socket, socket.socket] | None = None
        # Which thread it is; nobody waits for this lock.
        self._claim = threading.Lock()
        self._thread_id: int | None = None
        # Held while the thread lives; made with it, as gevent may have replaced what a lock is until then.
        self._life: threading.Lock | None = None
        self._has_ended = False

    # What callers do.

    def ask(self, call: Call) -> None:
        self._inbox.append((self._exchange.add, call))
        if self._bell is None:
            self._start()
        self._ring()

    def give_up(self, call: Call) -> None:
        self._inbox.append((self._exchange.give_up, call))
        self._ring()

    def is_trying(self, call: Call) -> bool:
        return call.conversation is not None or not (self._links or self._is_pausing)

    def late(self) -> TokenCacheError:
        if self._links:
            return TokenCacheError("timeout", "the daemon did not answer in time")
        return self._attempts.unreachable()

    def close(self) -> None:
        self._is_closing = True
        self._ring()

    def join(self) -> None:
        """Waits until the thread has closed its sockets."""
        if self._life is None or self._has_ended or self._thread_id == threading.get_ident():
            return
        # Where Ctrl-C comes before the release, nobody needs it any more.
        if self._life.acquire(timeout=CLOSING):
            self._life.release()

    def disown(self) -> None:
        """Closes the child's copies of the descriptors."""
        # A thread of gevent's goes on in the child, and has to end there.
        self._is_closing = True
        for inherited in (*(link.socket for link in self._links), *(self._bell or ())):
            inherited.close()

    def _start(self) -> None:
        try:
            # A bare thread: those of `threading` do what neither a signal handler nor a fork may interrupt. Where
            # several callers start one, the first one stays.
            _thread.start_new_thread(self._run, ())
        except RuntimeError as error:
            raise TokenCacheError("unreachable", f"no thread can be started: {error}") from None

    def _ring(self) -> None:
        if self._bell is None:
            return
        # Where there is no room for another, it rings already. Where it is closed, the thread has ended.
        with contextlib.suppress(OSError):
            self._bell[1].send(b"!")

    # What the thread does.

    def _run(self) -> None:
        # A thread that finds the claim taken leaves its call to the one that has it, which looks again afterwards.
        while self._claim.acquire(blocking=False):
            self._thread_id = threading.get_ident()
            self._life = threading.Lock()
            with self._life:
                self._keep()
            if self._has_ended:
                return
            self._claim.release()
            if not self._inbox:
                return

    def _keep(self) -> None:
        """Serves calls until the client is closed. Where no descriptor is free, it fails those that are there."""
        try:
            self._bell = socket.socketpair()
        except OSError as error:
            return self._refuse(f"no connection can be made: {error.strerror}")
        bell, rope = self._bell
        # A poll needs no descriptor, of which a child would have a copy.
        with bell, rope, selectors.PollSelector() as selector:
            bell.setblocking(False)
            rope.setblocking(False)
            selector.register(bell, selectors.EVENT_READ)
            while not self._is_closing:
                self._work(selector)
                self._await(selector, bell)
            self._empty_inbox()
            self._exchange.end(closed())
            for link in self._links:
                link.socket.close()
        self._has_ended = True

    def _refuse(self, reason: str) -> None:
        while self._inbox:
            _, call = self._inbox.popleft()
            if call.is_wanted:
                call.finish(None, TokenCacheError("unreachable", reason))

    def _work(self, selector: selectors.BaseSelector) -> None:
        self._empty_inbox()
        for link in [link for link in self._links if link.is_dispensable]:
            self._drop(link, selector)
        while self._exchange.wants_connection and not self._is_pausing:
            self._connect(selector)
        for link in self._links:
            link.send()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.has_unsent else 0)
            if selector.get_key(link.socket).events != events:
                selector.modify(link.socket, events, link)

    def _await(self, selector: selectors.BaseSelector, bell: socket.socket) -> None:
        wants = self._exchange.wants_connection
        for key, events in selector.select(max(0, self._pause_end - time.monotonic()) if wants else None):
            link: Link | None = key.data
            if link is None:
                _silence(bell)
            elif events & ~selectors.EVENT_WRITE:
                self._receive(link, selector)

    def _empty_inbox(self) -> None:
        while self._inbox:
            act, call = self._inbox.popleft()
            act(call)

    def _connect(self, selector: selectors.BaseSelector) -> None:
        try:
            link = Link(connect(self._path), self._exchange)
        except OSError as error:
            pause = self._attempts.failed(error, time.monotonic())
            if pause is not None or self._links:
                self._pause(LONGEST_PAUSE if pause is None else pause)
            else:
                self._exchange.end(self._attempts.unreachable())
            return
        self._attempts.connected()
        self._links.append(link)
        selector.register(link.socket, selectors.EVENT_READ, link)
        link.send()

    def _receive(self, link: Link, selector: selectors.BaseSelector) -> None:
        if link.receive():
            self._attempts.answered()
        else:
            self._drop(link, selector)
            self._pause(self._attempts.hung_up())

    def _drop(self, link: Link, selector: selectors.BaseSelector) -> None:
        selector.unregister(link.socket)
        self._links.remove(link)
        if link.is_draining:
            self._pause(self._attempts.hung_up())
        link.close()

    @property
    def _is_pausing(self) -> bool:
        return time.monotonic() < self._pause_end

    def _pause(self, seconds: float) -> None:
        self._pause_end = time.monotonic() + seconds


def _silence(bell: socket.socket) -> None:
    # Where a fork has closed it, the thread is about to end.
    with contextlib.suppress(OSError):
        while bell.recv(CHUNK):
            pass


_all: weakref.WeakSet[ThreadConnections] = weakref.WeakSet()


def _begin_after_fork() -> None:
    for connections in list(_all):
        connections.begin_after_fork()


os.register_at_fork(after_in_child=_begin_after_fork)
