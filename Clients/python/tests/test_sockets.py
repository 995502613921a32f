"""The path of the daemon's socket, and errors of connecting to it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from player import KINDS, Client
from support import TIMEOUT, Stage, eventually

from tokencached import AsyncTokenCache, TokenCache, TokenCacheError
from tokencached._connecting import DEFAULT_PATH, LONGEST_PATH, socket_path

Kind = Callable[[str, float], Client]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def test_the_socket_is_that_of_the_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (stage.socket, f"unix://{stage.socket}"):
        monkeypatch.setenv("TOKENCACHED_SOCKET", value)
        with TokenCache() as cache:
            assert cache.hello().server == "tokencached"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENCACHED_SOCKET", "")
    assert socket_path(None) == DEFAULT_PATH
    monkeypatch.setenv("TOKENCACHED_SOCKET", "/elsewhere")
    assert socket_path(Path("/given")) == "/given"
    assert socket_path("unix:///given") == "/given"


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_may_have_107_bytes(stage: Stage, kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = str(tmp_path_factory.mktemp("p"))
    longest = f"{directory}/{'ü' * 10}"
    longest += "x" * (LONGEST_PATH - len(os.fsencode(longest)))
    os.symlink(stage.socket, longest)
    client = kind(longest, TIMEOUT)
    try:
        assert client.call("hello", {}).result(TIMEOUT).server == "tokencached"
    finally:
        client.stop()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("path", "last_failure"),
    [
        (f"/{'x' * 107}", "the path has 108 bytes, and a socket's at most 107"),
        ("", "the path is empty"),
        ("unix://", "the path is empty"),
        ("/tmp/a\0b", "the path has a NUL in it"),
        ("/etc/hostname/socket", "Not a directory"),
    ],
)
def test_an_error_that_waiting_does_not_fix_is_reported_at_once(kind: Kind, path: str, last_failure: str) -> None:
    client = kind(path, TIMEOUT)
    try:
        error = client.call("hello", {"timeout": 300}).exception(TIMEOUT)
        assert isinstance(error, TokenCacheError)
        assert error.code == "unreachable"
        assert error.description.endswith(last_failure)
    finally:
        client.stop()


@pytest.mark.parametrize("grace", [-1, 301, float("nan")])
def test_the_grace_period_for_a_restart_has_a_range(grace: float) -> None:
    for kind in (TokenCache, AsyncTokenCache):
        with pytest.raises(ValueError, match="0 to 300"):
            kind(restart_grace=grace)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_waits_for_a_daemon_whose_queue_is_full(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = str(tmp_path_factory.mktemp("q") / "s")
    client = kind(path, 0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        others = _fill(path)
        try:
            call = client.call("revoke", {"subject": "alice", "timeout": 300})
            eventually(lambda: client.last_failure == "the queue of the socket is full", lambda: client.last_failure)
            assert not call.done()
            for _ in others:
                listener.accept()[0].close()
            listener.settimeout(TIMEOUT)
            _answer_first(listener)
            assert call.result(TIMEOUT).revoked
        finally:
            client.stop()
            for other in others:
                other.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_a_connection_is_noticed_right_after_a_line(
    kind: Kind, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = str(tmp_path_factory.mktemp("e") / "s")
    client = kind(path, TIMEOUT)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(TIMEOUT)
        try:
            call = client.call("revoke", {"subject": "alice", "timeout": 300})
            connection, _ = listener.accept()
            connection.settimeout(TIMEOUT)
            assert connection.recv(1, socket.MSG_PEEK)
            # A line and an error, as the request wasn't read, arrive at once. uvloop reports them once.
            with client.suspended():
                connection.sendall(b'{"error":"shutting_down"}\n')
                connection.close()
            _answer_first(listener)
            assert call.result(TIMEOUT).revoked
        finally:
            client.stop()


def _fill(path: str) -> list[socket.socket]:
    """Connections that nobody accepts, as many as fill the queue."""
    waiting: list[socket.socket] = []
    while True:
        other = socket.socket(socket.AF_UNIX)
        other.setblocking(False)
        try:
            other.connect(path)
        except BlockingIOError:
            other.close()
            return waiting
        waiting.append(other)


def _answer_first(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.settimeout(TIMEOUT)
    with connection, connection.makefile("rwb") as lines:
        number = json.loads(lines.readline())["id"]
        lines.write(b'{"id":%d,"revoked":true}\n' % number)
        lines.flush()
