"""The fixtures of several modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest
from answering_server import AnsweringServer, Request, Serve


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts servers that answer each request by a function. They end after the clients of the test."""
    servers: list[AnsweringServer] = []

    def start(answer: Callable[[Request], Any]) -> AnsweringServer:
        # The names of `tmp_path` are too long for a socket.
        server = AnsweringServer(str(tmp_path_factory.mktemp("f") / "s"), answer)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
