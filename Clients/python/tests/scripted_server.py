"""A server on a Unix socket whose connections the test accepts, reads, writes and closes."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time

from support import TIMEOUT


class ScriptedServer:
    def __init__(self, path: str) -> None:
        self._path = path
        self._listener: socket.socket | None = None
        self._connections: list[ScriptedConnection] = []

    def listen(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen(8)
        self._listener.settimeout(TIMEOUT)

    def unlisten(self) -> None:
        """Removes the socket. Connections stay open."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            os.unlink(self._path)

    def accept(self) -> ScriptedConnection:
        assert self._listener is not None
        accepted, _ = self._listener.accept()
        connection = ScriptedConnection(accepted)
        self._connections.append(connection)
        return connection

    def stop(self) -> None:
        self.unlisten()
        for connection in self._connections:
            connection.hang_up()


class ScriptedConnection:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(TIMEOUT)
        self._rest = b""

    @property
    def has_line(self) -> bool:
        """True if a line has arrived that hasn't been read. It doesn't wait."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return b"\n" in self._rest or bool(selector.select(0))

    def line(self) -> bytes:
        while b"\n" not in self._rest:
            chunk = self._socket.recv(1 << 20)
            assert chunk, "the client hung up"
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def send(self, data: bytes) -> None:
        # The client may close the connection at the first malformed byte.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def send_bytes(self, data: bytes) -> None:
        """Sends each byte in a write of its own, and lets the client read it before the next."""
        for byte in data:
            self.send(bytes((byte,)))
            time.sleep(0)

    def expect_end(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while self._socket.recv(1 << 20):
                pass

    def hang_up(self) -> None:
        self._socket.close()
