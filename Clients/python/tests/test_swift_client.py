"""The suite with the Swift client, played by the Python players."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from player import Player
from scripted_server import ScriptedServer
from support import TIMEOUT, Stage, cases_of
from swift_client import SwiftClient
from test_daemon import play_daemon
from test_exchanges import Script

# A string of Swift can't contain a lone surrogate.
LACKS = {"lone surrogates"}


def _skip_what_it_lacks(case: Mapping[str, Any]) -> None:
    if lacking := LACKS.intersection(case.get("needs", ())):
        pytest.skip(f"it lacks {', '.join(lacking)}")


@pytest.mark.parametrize("case", cases_of("exchanges.json"), ids=lambda case: case["name"])
def test_exchange(case: Mapping[str, Any], tmp_path_factory: Any) -> None:
    _skip_what_it_lacks(case)
    path = str(Path(tmp_path_factory.mktemp("e")) / "s")
    server = ScriptedServer(path)
    client = SwiftClient(path, case.get("restart_grace", TIMEOUT))
    if case.get("listening", True):
        server.listen()
    try:
        Player(client, Script(server).play).play(case)
    finally:
        client.stop()
        server.stop()


@pytest.mark.parametrize("case", cases_of("daemon.json"), ids=lambda case: case["name"])
def test_real_daemon(case: Mapping[str, Any]) -> None:
    _skip_what_it_lacks(case)
    with Stage() as stage:
        client = SwiftClient(stage.socket, TIMEOUT)
        try:
            Player(client, lambda step, player: play_daemon(step, stage, player)).play(case)
        finally:
            client.stop()
