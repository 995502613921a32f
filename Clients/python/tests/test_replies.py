"""Malformed replies: each is an error of its own call, and none harms the client."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from support import cases_of, expect_members

from tokencached import TokenCacheError
from tokencached._exchange import Exchange
from tokencached._pending_requests import Call
from tokencached._requests import Key, Request, hello, invalidate, prefetch, provision, revoke, token

KEY = Key("alice", None, None, None)
REQUESTS: Mapping[str, Request[Any]] = {
    "token": token(KEY, None, False, None),
    "prefetch": prefetch(["alice"], None, None, None, None)[0],
    "invalidate": invalidate(KEY, "a", None, None),
    "revoke": revoke(KEY, None),
    "provision": provision("alice", None, None, None, None, None),
    "hello": hello(None),
}


def receive(operation: str, line: bytes) -> tuple[bool, list[Any]]:
    """The effect of a line on the call with the id 1: if the connection can be used further, and the call's outcome."""
    outcomes: list[Any] = []
    exchange = Exchange()
    exchange.add(Call(REQUESTS[operation], 10.0, lambda answer, error: outcomes.append(error or answer)))
    connection = exchange.connected()
    exchange.send(connection, 0)
    return exchange.receive(connection, line + b"\n"), outcomes


@pytest.mark.parametrize("case", cases_of("replies.json"), ids=lambda case: f"{case['operation']}: {case['name']}")
def test_reply(case: Mapping[str, Any]) -> None:
    is_usable, outcomes = receive(case["operation"], case["line"].encode())
    assert is_usable is not case.get("ends", False)
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


def test_a_line_that_is_nested_too_deeply_is_no_reply() -> None:
    is_usable, (error,) = receive("revoke", b'{"id":1,"revoked":true,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert not is_usable
    assert error.code == "bad_reply"
    assert error.__context__ is None


@pytest.mark.parametrize(("more", "clients"), [(b"", ()), (b',"clients":["backend"]', ("backend",))])
def test_hello_lists_the_clients_whose_tokens_this_process_may_have(more: bytes, clients: tuple[str, ...]) -> None:
    line = b'{"id":1,"server":"tokencached","version":"1","protocol":1,"ops":["token"],"tenants":["main"],"max_line":9'
    _, (hello,) = receive("hello", line + more + b"}")
    assert hello.clients == clients
