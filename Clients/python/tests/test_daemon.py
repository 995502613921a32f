"""The cases of the suite for the real daemon, with each client."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any, Callable

import pytest
from player import KINDS, Client, Player
from support import TIMEOUT, Stage, cases_of


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", cases_of("daemon.json"), ids=lambda case: case["name"])
def test_real_daemon(case: Mapping[str, Any], kind: Callable[[str, float], Client]) -> None:
    with Stage() as stage:
        client = kind(stage.socket, TIMEOUT)
        try:
            Player(client, lambda step, player: play_daemon(step, stage, player)).play(case)
        finally:
            client.stop()


def play_daemon(step: Mapping[str, Any], stage: Stage, player: Player) -> None:
    if "tenant" in step:
        stage.control(step["tenant"], step["body"])
    elif "counter" in step:
        stage.counter(step["counter"], step["is"])
    elif "daemon" in step:
        _DAEMON_STEPS[step["daemon"]](stage)
    elif "fill" in step or "drain" in step:
        """The player does all that these steps need."""
    elif "crowd" in step:
        _crowd(step["crowd"], step["users"], player.client)
    else:
        raise AssertionError("there is no such step")


_DAEMON_STEPS: Mapping[str, Callable[[Stage], object]] = {
    "kill": lambda stage: stage.end(signal.SIGKILL),
    "terminate": lambda stage: stage.daemon.terminate(),
    "await_end": lambda stage: stage.daemon.wait(TIMEOUT),
    "start": lambda stage: stage.start(),
    "suspend": lambda stage: stage.suspend(),
    "resume": lambda stage: stage.daemon.send_signal(signal.SIGCONT),
}


def _crowd(count: int, users: int, client: Client) -> None:
    calls = [client.call("token", {"subject": f"user-{index % users}", "timeout": TIMEOUT}) for index in range(count)]
    tokens = [call.result(TIMEOUT).access_token for call in calls]
    assert tokens == [tokens[index % users] for index in range(count)]
    assert len(set(tokens)) == users
