"""A server on a Unix socket that answers each request by a function of the test, and records the requests."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any, Callable

Request = dict[str, Any]
Serve = Callable[[Callable[[Request], Any]], "AnsweringServer"]


class AnsweringServer:
    """Each connection has a thread. A request without an answer waits until it is released."""

    def __init__(self, path: str, answer: Callable[[Request], Any]) -> None:
        self.path = path
        self.requests: list[Request] = []
        self._held: list[tuple[Any, Request]] = []
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def release(self, reply: Request) -> None:
        """Answers the requests that wait, all in the same way."""
        held, self._held = self._held, []
        for lines, request in held:
            _send(lines, request, reply)

    def operations(self) -> list[str]:
        return [request["op"] for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines:
            for line in lines:
                request = json.loads(line)
                self.requests.append(request)
                reply = self._answer(request)
                if reply is None:
                    self._held.append((lines, request))
                else:
                    _send(lines, request, reply)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()


def _send(lines: Any, request: Request, reply: Request) -> None:
    lines.write(json.dumps({"id": request["id"], **reply}).encode() + b"\n")
    lines.flush()


def token(value: str = "secret token") -> dict[str, Any]:
    return {
        "access_token": value,
        "token_type": "Bearer",
        "expires_in": 60,
        "expires_at": "2026-11-23T22:10:00Z",
        "scope": "s",
        "source": "cache",
    }


def provisioned(source: str | None = None) -> dict[str, Any]:
    reply = {"user_id": "6305", "status": "active", "created": True, "groups_changed": False}
    return {**reply, "source": source} if source else reply
