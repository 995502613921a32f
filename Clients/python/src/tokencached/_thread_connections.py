"""The connections that all threads of a process share, and the thread that serves them."""

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

from tokencached._connecting import LONGEST_BACKOFF, ConnectionAttempts, closed, connect
from tokencached._connection import CHUNK, Connection
from tokencached._errors import TokenCacheError
from tokencached._exchange import Exchange
from tokencached._pending_requests import Call

# The time for which `close` waits for the thread, which only has to close its sockets, in seconds.
CLOSE_TIMEOUT = 5.0


class ThreadConnections:
    """The connections of a process. They are made when a call needs them, also after their end or a fork."""

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._restart_grace = restart_grace
        self._is_closed = False
        self._thread = ConnectionThread(path, restart_grace)
        _all.add(self)

    def add(self, call: Call) -> None:
        if not self._is_closed:
            self._thread.add(call)
        # The client may have been closed in between, and the thread may have ended.
        if self._is_closed:
            raise closed()

    def give_up(self, call: Call) -> None:
        """Removes a call. A reply to it will be dropped."""
        self._thread.give_up(call)

    def is_trying(self, call: Call) -> bool:
        """True if the call is sent, or is about to be."""
        return self._thread.is_trying(call)

    def timeout_error(self) -> TokenCacheError:
        """The error of a call whose timeout has passed."""
        return self._thread.timeout_error()

    def close(self) -> None:
        """Closes the connections. Calls that wait and later ones fail. A signal handler may call it at any time."""
        self._is_closed = True
        self._thread.close()
        self._thread.join()

    def abandon(self) -> None:
        """Closes the connections of a client that is collected. The garbage collector may call it at any time."""
        self._is_closed = True
        self._thread.close()

    def begin_after_fork(self) -> None:
        """Replaces the thread, which the child doesn't have, and closes its descriptors."""
        inherited = self._thread
        self._thread = ConnectionThread(self._path, self._restart_grace)
        inherited.close_inherited()


class ConnectionThread:
    """The thread, and the state that only it uses.

    A caller puts its call into a queue and waits at a lock of its own. Callers share no lock, because a signal handler
    or Ctrl-C may interrupt a caller at any point, also while it holds one.
    """

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._inbox: deque[tuple[Callable[[Call], None], Call]] = deque()
        self._exchange = Exchange()
        self._attempts = ConnectionAttempts(path, restart_grace)
        self._open: list[Connection] = []
        # The time at which the next attempt to connect may be made.
        self._delay_end = 0.0
        self._is_closing = False
        # A pair of sockets that ends the thread's wait. The thread makes it. Until then, each call starts a thread.
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        # Held by the one thread that serves. Nobody waits for this lock.
        self._ownership = threading.Lock()
        self._thread_id: int | None = None
        # Held while the thread runs. The thread makes it, because gevent may replace the type of locks before.
        self._lifetime: threading.Lock | None = None
        self._has_ended = False

    # For callers.

    def add(self, call: Call) -> None:
        self._inbox.append((self._exchange.add, call))
        if self._wakeup is None:
            self._start()
        self._wake()

    def give_up(self, call: Call) -> None:
        self._inbox.append((self._exchange.give_up, call))
        self._wake()

    def is_trying(self, call: Call) -> bool:
        return call.pending is not None or not (self._open or self._is_delayed)

    def timeout_error(self) -> TokenCacheError:
        if self._open:
            return TokenCacheError("timeout", "the daemon did not answer in time")
        return self._attempts.unreachable()

    def close(self) -> None:
        self._is_closing = True
        self._wake()

    def join(self) -> None:
        """Waits until the thread has closed its sockets."""
        if self._lifetime is None or self._has_ended or self._thread_id == threading.get_ident():
            return
        # If Ctrl-C interrupts before the release, nobody needs the lock any more.
        if self._lifetime.acquire(timeout=CLOSE_TIMEOUT):
            self._lifetime.release()

    def close_inherited(self) -> None:
        """Closes the copies of the descriptors that a child inherits."""
        # A thread of gevent continues in the child, and has to end there.
        self._is_closing = True
        for inherited in (*(connection.socket for connection in self._open), *(self._wakeup or ())):
            inherited.close()

    def _start(self) -> None:
        try:
            # A low-level thread, because what those of `threading` do may not be interrupted by a signal handler or a
            # fork. If several callers start one, the first one stays.
            _thread.start_new_thread(self._run, ())
        except RuntimeError as error:
            raise TokenCacheError("unreachable", f"no thread can be started: {error}") from None

    def _wake(self) -> None:
        if self._wakeup is None:
            return
        # If the buffer is full, the thread will wake anyway. If the socket is closed, the thread has ended.
        with contextlib.suppress(OSError):
            self._wakeup[1].send(b"!")

    # On the thread.

    def _run(self) -> None:
        # A thread that doesn't get the ownership leaves its call to the owner, which looks into the queue afterwards.
        while self._ownership.acquire(blocking=False):
            self._thread_id = threading.get_ident()
            self._lifetime = threading.Lock()
            with self._lifetime:
                self._serve()
            if self._has_ended:
                return
            self._ownership.release()
            if not self._inbox:
                return

    def _serve(self) -> None:
        """Serves calls until the client is closed. Without a free descriptor it fails those that wait."""
        try:
            self._wakeup = socket.socketpair()
        except OSError as error:
            return self._fail_all(f"no connection can be made: {error.strerror}")
        receiver, sender = self._wakeup
        # Unlike epoll, poll needs no descriptor, of which a child would have a copy.
        with receiver, sender, selectors.PollSelector() as selector:
            receiver.setblocking(False)
            sender.setblocking(False)
            selector.register(receiver, selectors.EVENT_READ)
            while not self._is_closing:
                self._work(selector)
                self._await(selector, receiver)
            self._empty_inbox()
            self._exchange.end(closed())
            for connection in self._open:
                connection.socket.close()
        self._has_ended = True

    def _fail_all(self, reason: str) -> None:
        while self._inbox:
            _, call = self._inbox.popleft()
            if call.is_wanted:
                call.finish(None, TokenCacheError("unreachable", reason))

    def _work(self, selector: selectors.BaseSelector) -> None:
        self._empty_inbox()
        for connection in [each for each in self._open if each.is_dispensable]:
            self._drop(connection, selector)
        while self._exchange.needs_connection and not self._is_delayed:
            self._connect(selector)
        for connection in self._open:
            connection.send()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.has_unsent else 0)
            if selector.get_key(connection.socket).events != events:
                selector.modify(connection.socket, events, connection)

    def _await(self, selector: selectors.BaseSelector, receiver: socket.socket) -> None:
        needs_connection = self._exchange.needs_connection
        for key, events in selector.select(max(0, self._delay_end - time.monotonic()) if needs_connection else None):
            connection: Connection | None = key.data
            if connection is None:
                _drain(receiver)
            elif events & ~selectors.EVENT_WRITE:
                self._receive(connection, selector)

    def _empty_inbox(self) -> None:
        while self._inbox:
            act, call = self._inbox.popleft()
            act(call)

    def _connect(self, selector: selectors.BaseSelector) -> None:
        try:
            connection = Connection(connect(self._path), self._exchange)
        except OSError as error:
            backoff = self._attempts.failed(error, time.monotonic())
            if backoff is not None or self._open:
                self._delay(LONGEST_BACKOFF if backoff is None else backoff)
            else:
                self._exchange.end(self._attempts.unreachable())
            return
        self._attempts.connected()
        self._open.append(connection)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send()

    def _receive(self, connection: Connection, selector: selectors.BaseSelector) -> None:
        if connection.receive():
            self._attempts.answered()
        else:
            self._drop(connection, selector)
            self._delay(self._attempts.disconnected())

    def _drop(self, connection: Connection, selector: selectors.BaseSelector) -> None:
        selector.unregister(connection.socket)
        self._open.remove(connection)
        if connection.is_draining:
            self._delay(self._attempts.disconnected())
        connection.close()

    @property
    def _is_delayed(self) -> bool:
        return time.monotonic() < self._delay_end

    def _delay(self, seconds: float) -> None:
        self._delay_end = time.monotonic() + seconds


def _drain(receiver: socket.socket) -> None:
    # If a fork has closed it, the thread is about to end.
    with contextlib.suppress(OSError):
        while receiver.recv(CHUNK):
            pass


_all: weakref.WeakSet[ThreadConnections] = weakref.WeakSet()


def _begin_after_fork() -> None:
    for connections in list(_all):
        connections.begin_after_fork()


os.register_at_fork(after_in_child=_begin_after_fork)
