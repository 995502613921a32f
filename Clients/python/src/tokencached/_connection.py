"""One open connection to the daemon, for threads and for asyncio."""

from __future__ import annotations

import socket
import time

from tokencached._exchange import Exchange

CHUNK = 65_536


class Connection:
    """A connected socket, the requests on it, and the bytes that the socket has not accepted yet."""

    def __init__(self, connected: socket.socket, exchange: Exchange) -> None:
        self.socket = connected
        self._exchange = exchange
        self._requests = exchange.connected()
        self._unsent = b""

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    @property
    def is_draining(self) -> bool:
        return self._requests.pending.is_draining

    @property
    def is_dispensable(self) -> bool:
        return self._exchange.is_dispensable(self._requests)

    def send(self) -> None:
        """Sends what waits, as far as the socket accepts it."""
        while self._unsent or (lines := self._exchange.send(self._requests, time.monotonic())):
            self._unsent = self._unsent or lines
            try:
                sent = self.socket.send(self._unsent)
            except OSError:
                # The socket's buffer is full, or the connection has ended. If it has, reading reports that, after the
                # replies that the daemon sent before.
                return
            self._unsent = self._unsent[sent:]

    def receive(self) -> bool:
        """Reads all that has arrived. False if the connection has ended or can't be used further.

        The last bytes and the end of the connection may be there at once, and uvloop reports an end only once.
        """
        try:
            while chunk := self.socket.recv(CHUNK):
                if not self._exchange.receive(self._requests, chunk):
                    return False
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        self._exchange.disconnected(self._requests)
        self.socket.close()
