"""Replies that make no sense, or hardly any: each is the call's own error, and none harms the client."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from support import cases_of, expect_members

from tokencached import TokenCacheError
from tokencached._conversation import Call
from tokencached._exchange import Exchange
from tokencached._requests import Key, Request, hello, invalidate, prefetch, revoke, token

KEY = Key("alice", None, None, None)
REQUESTS: Mapping[str, Request[Any]] = {
    "token": token(KEY, None, False, None),
    "prefetch": prefetch(["alice"], None, None, None, None)[0],
    "invalidate": invalidate(KEY, "a", None, None),
    "revoke": revoke(KEY, None),
    "hello": hello(None),
}


def receive(operation: str, line: bytes) -> tuple[bool, list[Any]]:
    """What a line is to the call with the id 1: whether the connection is of further use, and the call's end."""
    outcomes: list[Any] = []
    exchange = Exchange()
    exchange.add(Call(REQUESTS[operation], 10.0, lambda answer, error: outcomes.append(error or answer)))
    conversation = exchange.connected()
    exchange.take(conversation, 0)
    return exchange.receive(conversation, line + b"\n"), outcomes


@pytest.mark.parametrize("case", cases_of("replies.json"), ids=lambda case: f"{case['operation']}: {case['name']}")
def test_reply(case: Mapping[str, Any]) -> None:
    is_useful, outcomes = receive(case["operation"], case["line"].encode())
    assert is_useful is not case.get("ends", False)
    if "pending" in case:
        assert outcomes == []
        return
    (outcome,) = outcomes
    if "error" in case:
        assert isinstance(outcome, TokenCacheError)
        assert (outcome.__cause__, outcome.__context__) == (None, None)
        upstream = outcome.upstream and dataclasses.asdict(outcome.upstream)
        expect_members({**vars(outcome), "upstream": upstream}, case["error"], str)
    else:
        expect_members(dataclasses.asdict(outcome), case["answer"], str)


def test_what_is_nested_too_deeply_for_the_parser_is_no_reply() -> None:
    is_useful, (error,) = receive("revoke", b'{"id":1,"revoked":true,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert not is_useful
    assert error.code == "bad_reply"
    assert error.__context__ is None
