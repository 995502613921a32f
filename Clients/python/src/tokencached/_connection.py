"""The one connection that all threads of a process share, and the thread that keeps it."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
import weakref

from tokencached._errors import TokenCacheError
from tokencached._exchange import Call, Exchange
from tokencached._reconnecting import Attempts, closed, late

CHUNK = 65_536


class Connection:
    """Made when a call needs it, made again after it ended, and again after a fork.

    Callers send by themselves, as far as the socket takes it; one thread connects, reads, and sends what was left over.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_closed = False
        self._begin()
        _connections.add(self)

    def _begin(self) -> None:
        # Guards what follows. Held for no longer than a call that doesn't block.
        self._lock = threading.Lock()
        self._exchange = Exchange()
        self._attempts = Attempts(self._path)
        self._socket: socket.socket | None = None
        self._is_connecting = False
        self._unsent = b""
        self._thread: threading.Thread | None = None
        # Ends the thread's wait; made with it.
        self._bell: tuple[socket.socket, socket.socket] | None = None

    def ask(self, call: Call) -> None:
        with self._lock:
            if self._is_closed:
                raise closed()
            self._exchange.add(call)
            if self._thread is None:
                self._start()
            elif self._socket is not None:
                self._send()
            else:
                self._ring()

    def is_trying(self, call: Call) -> bool:
        """Whether the daemon has been asked this, or a connection to ask it on is being made."""
        with self._lock:
            return self._exchange.is_under_way(call) or self._is_connecting

    def late(self) -> TokenCacheError:
        """The error of a call whose time has passed."""
        with self._lock:
            return late(self._socket is not None, self._attempts)

    def give_up(self, call: Call) -> bool:
        """Forgets a call; False where it has ended already."""
        with self._lock:
            was_wanted = call.is_wanted
            self._exchange.give_up(call)
            return was_wanted

    def close(self) -> None:
        """Ends the connection; calls that wait fail, and later ones too."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._exchange.end(closed())
            self._ring()
            thread = self._thread
        if thread is not None:
            thread.join()

    def abandon(self) -> None:
        """Ends the connection of a client that nobody has any more.

        The garbage collector may call this in any thread and at any place, with the lock held too: so it takes none.
        """
        if not self._is_closed:
            self._is_closed = True
            self._ring()

    def begin_after_fork(self) -> None:
        """Starts afresh in the child, where the parent's thread isn't, without its copies of the descriptors."""
        for inherited in (self._socket, *(self._bell or ())):
            if inherited is not None:
                inherited.close()
        self._begin()

    # The thread and those who ask it for something.

    def _start(self) -> None:
        self._bell = socket.socketpair()
        for end in self._bell:
            end.setblocking(False)
        self._is_connecting = True
        thread = threading.Thread(target=self._run, args=self._bell, name="tokencached", daemon=True)
        thread.start()
        self._thread = thread

    def _ring(self) -> None:
        if self._bell is None:
            return
        # Where there is no room for another, it rings already.
        with contextlib.suppress(BlockingIOError):
            self._bell[1].send(b"!")

    def _run(self, bell: socket.socket, rope: socket.socket) -> None:
        with bell, rope, selectors.DefaultSelector() as selector:
            selector.register(bell, selectors.EVENT_READ)
            while self._await_work(selector, bell):
                failure = None
                try:
                    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                        self._serve(connection, selector, bell)
                except OSError as error:
                    failure = error
                self._pause(self._ended(failure), selector, bell)

    def _await_work(self, selector: selectors.BaseSelector, bell: socket.socket) -> bool:
        """Waits until there is something to ask; False: until the client was closed."""
        while True:
            with self._lock:
                if self._is_closed:
                    return False
                self._is_connecting = self._exchange.has_queue
                if self._is_connecting:
                    return True
            selector.select()
            _silence(bell)

    def _pause(self, seconds: float, selector: selectors.BaseSelector, bell: socket.socket) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if selector.select(left):
                _silence(bell)
            # A call that comes now waits for the end of the pause; closing doesn't.
            with self._lock:
                if self._is_closed:
                    return

    def _ended(self, failure: OSError | None) -> float:
        """The connection has ended or couldn't be made: how long to wait before the next attempt."""
        with self._lock:
            self._socket = None
            self._is_connecting = False
            self._unsent = b""
            self._exchange.disconnected()
            pause = self._attempts.failed(failure)
            if pause is not None:
                return pause
            self._exchange.end(self._attempts.unreachable())
            return 0

    def _serve(self, connection: socket.socket, selector: selectors.BaseSelector, bell: socket.socket) -> None:
        # Where the daemon's backlog is full, this is EAGAIN and not a wait that nothing could end.
        connection.setblocking(False)
        connection.connect(self._path)
        selector.register(connection, selectors.EVENT_READ)
        try:
            with self._lock:
                self._socket = connection
                self._is_connecting = False
                self._send()
            while self._serve_once(connection, selector, bell):
                pass
        finally:
            selector.unregister(connection)

    def _serve_once(self, connection: socket.socket, selector: selectors.BaseSelector, bell: socket.socket) -> bool:
        with self._lock:
            if self._is_closed:
                return False
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        if selector.get_key(connection).events != wanted:
            selector.modify(connection, wanted)
        for key, events in selector.select():
            if key.fileobj is bell:
                _silence(bell)
            elif events & selectors.EVENT_READ and not self._receive(connection):
                return False
        with self._lock:
            self._send()
        return True

    def _receive(self, connection: socket.socket) -> bool:
        chunk = connection.recv(CHUNK)
        if not chunk:
            return False
        with self._lock:
            self._attempts.answered()
            return self._exchange.receive(chunk)

    def _send(self) -> None:
        """Sends what the socket takes; with the lock held."""
        if self._socket is None:
            return
        had_unsent = bool(self._unsent)
        while self._unsent or (lines := self._exchange.take(time.monotonic())):
            self._unsent = self._unsent or lines
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                # The thread goes on when there is room; it has to be told unless it knows.
                if not had_unsent:
                    self._ring()
                return
            except OSError:
                # Reading will tell, after what the daemon may have said before it hung up.
                return
            self._unsent = self._unsent[sent:]


def _silence(bell: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while bell.recv(CHUNK):
            pass


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def _begin_after_fork() -> None:
    for connection in list(_connections):
        connection.begin_after_fork()


os.register_at_fork(after_in_child=_begin_after_fork)
