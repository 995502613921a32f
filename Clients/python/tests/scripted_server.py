"""A server on a Unix socket that does nothing by itself: the test accepts, reads lines, sends and hangs up."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time

from support import PATIENCE


class ScriptedServer:
    def __init__(self, path: str) -> None:
        self._path = path
        self._listener: socket.socket | None = None
        self._connections: list[ScriptedConnection] = []

    def listen(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen(8)
        self._listener.settimeout(PATIENCE)

    def unlisten(self) -> None:
        """Takes the socket away; connections stay."""
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
        self._socket.settimeout(PATIENCE)
        self._rest = b""

    @property
    def has_line(self) -> bool:
        """Whether a line is there that hasn't been read; it doesn't wait for one."""
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
        # The client may hang up at the first byte that it doesn't like.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def send_bytes(self, data: bytes) -> None:
        """Each byte is a write of its own, between which the client's thread has a turn to read it."""
        for byte in data:
            self.send(bytes((byte,)))
            time.sleep(0)

    def expect_end(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while self._socket.recv(1 << 20):
                pass

    def hang_up(self) -> None:
        self._socket.close()
