"""The exchanges of the suite, with a scripted server and each client."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import pytest
from player import KINDS, Client, Player, ThreadsClient
from scripted_server import ScriptedConnection, ScriptedServer
from support import TIMEOUT, cases_of, resolve


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", cases_of("exchanges.json"), ids=lambda case: case["name"])
def test_exchange(case: Mapping[str, Any], kind: Callable[[str, float], Client], tmp_path_factory: Any) -> None:
    if "cancellation" in case.get("needs", ()) and kind is ThreadsClient:
        pytest.skip("a call in a thread can't be cancelled")
    # The names of `tmp_path` are too long for a socket.
    path = str(Path(tmp_path_factory.mktemp("e")) / "s")
    server = ScriptedServer(path)
    client = kind(path, case.get("restart_grace", TIMEOUT))
    if case.get("listening", True):
        server.listen()
    try:
        Player(client, Script(server).play).play(case)
    finally:
        client.stop()
        server.stop()


class Script:
    """Plays the steps of the scripted server."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._latest: ScriptedConnection | None = None
        self._filled: ScriptedConnection
        self._waiting: list[Any] = []
        self._ids: dict[str, int] = {}

    @property
    def _connection(self) -> ScriptedConnection:
        assert self._latest is not None
        return self._latest

    def play(self, step: Mapping[str, Any], player: Player) -> None:
        if "accept" in step:
            self._latest = self._server.accept()
        elif "receive" in step:
            self._receive(step, player.operations[step["receive"]][1])
        elif "send" in step:
            self._send(step, player)
        elif "send_hex" in step:
            self._connection.send(bytes.fromhex(step["send_hex"]))
        elif "hang_up" in step:
            self._connection.hang_up()
        elif "expect_end" in step:
            self._connection.expect_end()
        elif "listen" in step:
            (self._server.listen if step["listen"] else self._server.unlisten)()
        elif "pending" in step:
            assert not player.calls[step["pending"]].done()
        elif "fill" in step:
            self._latest = self._filled = self._server.accept()
            self._waiting = [json.loads(self._filled.line()) for _ in player.filling]
        elif "drain" in step:
            self._filled.send(b"".join(map(_token_reply, self._waiting)))
        elif "crowd" in step:
            self._crowd(step["crowd"], step["most_waiting"], player.client)
        else:
            raise AssertionError("there is no such step")

    def _receive(self, step: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        request = json.loads(self._connection.line())
        number = request.pop("id")
        assert type(number) is int
        self._ids[step["receive"]] = number
        timeout = request.pop("timeout", None)
        assert request == resolve(step["request"], lambda name: "")
        if request["op"] not in ("token", "provision"):
            assert timeout is None
            return
        least, most = step.get("timeout", (0.001, given.get("timeout", 10)))
        assert least <= timeout <= most

    def _send(self, step: Mapping[str, Any], player: Player) -> None:
        text = resolve(step["send"], player.token_of)
        data = re.sub(r"\$\{(\w+)\}", lambda match: str(self._ids[match[1]]), text).encode()
        (self._connection.send_bytes if step.get("each_byte") else self._connection.send)(data)

    def _crowd(self, count: int, most: int, client: Client) -> None:
        calls = [client.call("token", {"subject": f"user-{index}", "timeout": TIMEOUT}) for index in range(count)]
        connections, replies = [], []
        for _ in range(count // most):
            connections.append(self._server.accept())
            replies += [(connections[-1], _token_reply(json.loads(connections[-1].line()))) for _ in range(most)]
        assert not any(connection.has_line for connection in connections), f"more than {most} requests wait"
        random.shuffle(replies)
        for connection, reply in replies:
            connection.send(reply)
        tokens = [call.result(TIMEOUT).access_token for call in calls]
        assert tokens == [f"token of user-{index}" for index in range(count)]
        for connection in connections[1:]:
            connection.expect_end()


def _token_reply(request: Mapping[str, Any]) -> bytes:
    reply = {
        "id": request["id"],
        "access_token": f"token of {request['subject']}",
        "token_type": "Bearer",
        "expires_in": 60,
        "expires_at": "2026-11-23T22:10:00Z",
        "scope": "s",
        "source": "cache",
    }
    return json.dumps(reply).encode() + b"\n"
