"""One connection to the daemon, as threads and asyncio have it."""

from __future__ import annotations

import socket
import time

from tokencached._exchange import Exchange

CHUNK = 65_536


class Link:
    """A connection that is open: its socket, what was asked on it, and what the socket hasn't taken yet."""

    def __init__(self, connection: socket.socket, exchange: Exchange) -> None:
        self.socket = connection
        self._exchange = exchange
        self._conversation = exchange.connected()
        self._unsent = b""

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    @property
    def is_draining(self) -> bool:
        return self._conversation.is_draining

    @property
    def is_dispensable(self) -> bool:
        return self._exchange.is_dispensable(self._conversation)

    def send(self) -> None:
        """Sends what waits, as far as the connection takes it."""
        while self._unsent or (lines := self._exchange.take(self._conversation, time.monotonic())):
            self._unsent = self._unsent or lines
            try:
                sent = self.socket.send(self._unsent)
            except OSError:
                # There is no room now, or the connection has ended. Reading will tell, after what the daemon may have
                # said before it hung up.
                return
            self._unsent = self._unsent[sent:]

    def receive(self) -> bool:
        """Reads all that has come; False where the connection has ended or is of no further use.

        What came last and the end of the connection may be there at once, and uvloop tells of an end only once.
        """
        try:
            while chunk := self.socket.recv(CHUNK):
                if not self._exchange.receive(self._conversation, chunk):
                    return False
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """Ends the connection; what was under way is to be asked again."""
        self._exchange.disconnected(self._conversation)
        self.socket.close()
