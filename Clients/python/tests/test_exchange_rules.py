"""What the machine decides, without a socket."""

from __future__ import annotations

from typing import Any

from tokencached import Revocation, TokenCacheError
from tokencached._conversation import Call, Conversation
from tokencached._exchange import MOST_CONNECTIONS, Exchange
from tokencached._requests import Key, Request, revoke, token

Outcomes = list[tuple[Any, Any]]


def call_of(request: Request[Any], outcomes: Outcomes) -> Call:
    def end(answer: object, error: TokenCacheError | None) -> None:
        outcomes.append((answer, error and error.code))

    return Call(request, deadline=10.0, end=end)


def revocation(subject: str) -> Call:
    return call_of(revoke(Key(subject, None, None, None), None), [])


def take(exchange: Exchange, conversation: Conversation) -> list[bytes]:
    return exchange.take(conversation, 0).splitlines()


def full_exchange() -> tuple[Exchange, Conversation, list[Call]]:
    exchange = Exchange()
    calls = [revocation(f"user-{index}") for index in range(1_000)]
    for call in calls:
        exchange.add(call)
    conversation = exchange.connected()
    assert len(take(exchange, conversation)) == 1_000
    return exchange, conversation, calls


def test_a_reply_cut_in_two_anywhere_is_one_reply() -> None:
    line = '{"id":1,"revoked":true,"later":"ü🂡"}\n'.encode()
    for cut in range(len(line) + 1):
        outcomes: Outcomes = []
        exchange = Exchange()
        exchange.add(call_of(revoke(Key("alice", None, None, None), None), outcomes))
        conversation = exchange.connected()
        take(exchange, conversation)
        assert all(exchange.receive(conversation, piece) for piece in (line[:cut], line[cut:]))
        assert outcomes == [(Revocation(True), None)], f"cut at {cut}"


def test_a_connection_has_a_thousand_requests_those_given_up_included() -> None:
    exchange, first, calls = full_exchange()
    exchange.give_up(calls[0])
    exchange.add(revocation("late"))
    assert take(exchange, first) == []
    assert exchange.receive(first, b'{"id":1,"revoked":true}\n')
    assert take(exchange, first) == [b'{"id":1001,"op":"revoke","subject":"late"}']


def test_where_all_connections_are_full_another_one_is_wanted() -> None:
    exchange, first, _ = full_exchange()
    assert not exchange.wants_connection
    exchange.add(revocation("late"))
    assert exchange.wants_connection
    second = exchange.connected()
    assert not exchange.wants_connection
    assert take(exchange, second) == [b'{"id":1001,"op":"revoke","subject":"late"}']
    assert exchange.receive(second, b'{"id":1001,"revoked":true}\n')
    # As long as the first is full, the next call will need it.
    assert not exchange.is_dispensable(second)
    assert exchange.receive(first, b'{"id":7,"revoked":true}\n')
    assert exchange.is_dispensable(second)
    assert not exchange.is_dispensable(first)


def test_there_are_not_more_connections_than_the_daemon_has_room_for() -> None:
    exchange = Exchange()
    for _ in range(MOST_CONNECTIONS + 1):
        for index in range(1_000):
            exchange.add(revocation(f"user-{index}"))
    while exchange.wants_connection:
        take(exchange, exchange.connected())
    assert len(exchange._conversations) == MOST_CONNECTIONS
    assert exchange.has_queue


def test_a_connection_that_is_full_of_calls_that_were_given_up_is_dispensable() -> None:
    exchange, first, calls = full_exchange()
    for call in calls[:-1]:
        exchange.give_up(call)
    assert not exchange.is_dispensable(first)
    exchange.give_up(calls[-1])
    assert exchange.is_dispensable(first)
    exchange.disconnected(first)
    assert exchange.is_empty


def test_while_the_daemon_drains_a_connection_no_other_is_wanted() -> None:
    exchange = Exchange()
    exchange.add(revocation("alice"))
    exchange.add(revocation("bob"))
    first = exchange.connected()
    take(exchange, first)
    assert exchange.receive(first, b'{"id":1,"error":"shutting_down"}\n')
    assert not exchange.wants_connection
    assert not exchange.is_dispensable(first)
    assert exchange.receive(first, b'{"id":2,"revoked":true}\n')
    assert exchange.is_dispensable(first)
    exchange.disconnected(first)
    assert exchange.wants_connection


def test_what_was_under_way_is_asked_before_the_rest_and_not_what_was_given_up() -> None:
    exchange = Exchange()
    first, second, third = map(revocation, "abc")
    exchange.add(first)
    exchange.add(second)
    conversation = exchange.connected()
    take(exchange, conversation)
    exchange.add(third)
    exchange.give_up(first)
    exchange.disconnected(conversation)
    assert take(exchange, exchange.connected()) == [
        b'{"id":3,"op":"revoke","subject":"b"}',
        b'{"id":4,"op":"revoke","subject":"c"}',
    ]


def test_a_token_is_asked_for_with_the_time_that_is_left() -> None:
    exchange = Exchange()
    exchange.add(call_of(token(Key(None, None, None, None), None, False, None), []))
    conversation = exchange.connected()
    assert exchange.take(conversation, 2.5004) == b'{"id":1,"timeout":7.5,"op":"token"}\n'
    exchange.disconnected(conversation)
    assert exchange.take(exchange.connected(), 11) == b'{"id":2,"timeout":0,"op":"token"}\n'


def test_an_exchange_is_empty_only_when_nobody_waits() -> None:
    exchange = Exchange()
    call = revocation("alice")
    assert exchange.is_empty
    exchange.add(call)
    assert not exchange.is_empty
    take(exchange, exchange.connected())
    assert not exchange.is_empty
    exchange.give_up(call)
    assert exchange.is_empty


def test_a_call_that_was_interrupted_before_it_was_asked_leaves_nothing() -> None:
    exchange = Exchange()
    exchange.give_up(revocation("alice"))
    assert exchange.is_empty
