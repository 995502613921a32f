"""What the machine decides, without a socket."""

from __future__ import annotations

from typing import Any

from tokencached import Revocation, TokenCacheError
from tokencached._exchange import Call, Exchange
from tokencached._requests import Key, Request, revoke, token

Outcomes = list[tuple[Any, Any]]


def call_of(request: Request[Any], outcomes: Outcomes) -> Call:
    def end(answer: object, error: TokenCacheError | None) -> None:
        outcomes.append((answer, error and error.code))

    return Call(request, deadline=10.0, end=end)


def revocation(subject: str) -> Call:
    return call_of(revoke(Key(subject, None, None, None), None), [])


def test_a_reply_cut_in_two_anywhere_is_one_reply() -> None:
    line = '{"id":1,"revoked":true,"later":"ü🂡"}\n'.encode()
    for cut in range(len(line) + 1):
        outcomes: Outcomes = []
        exchange = Exchange()
        exchange.add(call_of(revoke(Key("alice", None, None, None), None), outcomes))
        exchange.take(0)
        assert all(exchange.receive(piece) for piece in (line[:cut], line[cut:]))
        assert outcomes == [(Revocation(True), None)], f"cut at {cut}"


def test_not_more_than_a_thousand_requests_wait_those_given_up_included() -> None:
    exchange = Exchange()
    calls = [revocation(f"user-{index}") for index in range(1_002)]
    for call in calls:
        exchange.add(call)
    assert exchange.take(0).count(b"\n") == 1_000
    exchange.give_up(calls[0])
    exchange.give_up(calls[1_000])
    assert exchange.take(0) == b""
    assert exchange.receive(b'{"id":1,"revoked":true}\n')
    assert exchange.take(0) == b'{"id":1001,"op":"revoke","subject":"user-1001"}\n'


def test_what_was_under_way_is_asked_before_the_rest_and_not_what_was_given_up() -> None:
    exchange = Exchange()
    first, second, third = map(revocation, "abc")
    exchange.add(first)
    exchange.add(second)
    exchange.take(0)
    exchange.add(third)
    exchange.give_up(first)
    exchange.disconnected()
    assert exchange.take(0) == b'{"id":3,"op":"revoke","subject":"b"}\n{"id":4,"op":"revoke","subject":"c"}\n'


def test_a_token_is_asked_for_with_the_time_that_is_left() -> None:
    exchange = Exchange()
    exchange.add(call_of(token(Key(None, None, None, None), None, False, None), []))
    assert exchange.take(2.5004) == b'{"id":1,"timeout":7.5,"op":"token"}\n'
    exchange.disconnected()
    assert exchange.take(11) == b'{"id":2,"timeout":0,"op":"token"}\n'


def test_an_exchange_is_empty_only_when_nobody_waits() -> None:
    exchange = Exchange()
    call = revocation("alice")
    assert exchange.is_empty
    exchange.add(call)
    assert not exchange.is_empty
    exchange.take(0)
    assert not exchange.is_empty
    exchange.give_up(call)
    assert exchange.is_empty
