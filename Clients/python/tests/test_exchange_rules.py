"""Calls and connections of the clients, without a socket."""

from __future__ import annotations

from typing import Any

from tokencached import Revocation, TokenCacheError
from tokencached._exchange import MOST_CONNECTIONS, Exchange, ExchangeConnection
from tokencached._pending_requests import Call
from tokencached._requests import Key, Request, revoke, token

Outcomes = list[tuple[Any, Any]]


def call_of(request: Request[Any], outcomes: Outcomes) -> Call:
    def end(answer: object, error: TokenCacheError | None) -> None:
        outcomes.append((answer, error and error.code))

    return Call(request, deadline=10.0, end=end)


def revocation(subject: str) -> Call:
    return call_of(revoke(Key(subject, None, None, None), None), [])


def send(exchange: Exchange, connection: ExchangeConnection) -> list[bytes]:
    return exchange.send(connection, 0).splitlines()


def full_exchange() -> tuple[Exchange, ExchangeConnection, list[Call]]:
    exchange = Exchange()
    calls = [revocation(f"user-{index}") for index in range(1_000)]
    for call in calls:
        exchange.add(call)
    connection = exchange.connected()
    assert len(send(exchange, connection)) == 1_000
    return exchange, connection, calls


def test_a_reply_is_read_correctly_wherever_its_bytes_are_split() -> None:
    line = '{"id":1,"revoked":true,"later":"ü🂡"}\n'.encode()
    for split in range(len(line) + 1):
        outcomes: Outcomes = []
        exchange = Exchange()
        exchange.add(call_of(revoke(Key("alice", None, None, None), None), outcomes))
        connection = exchange.connected()
        send(exchange, connection)
        assert all(exchange.receive(connection, piece) for piece in (line[:split], line[split:]))
        assert outcomes == [(Revocation(True), None)], f"split at {split}"


def test_a_connection_has_at_most_a_thousand_requests_without_a_reply_also_those_given_up() -> None:
    exchange, first, calls = full_exchange()
    exchange.give_up(calls[0])
    exchange.add(revocation("late"))
    assert send(exchange, first) == []
    assert exchange.receive(first, b'{"id":1,"revoked":true}\n')
    assert send(exchange, first) == [b'{"id":1001,"op":"revoke","subject":"late"}']


def test_if_all_connections_are_full_another_one_is_needed() -> None:
    exchange, first, _ = full_exchange()
    assert not exchange.needs_connection
    exchange.add(revocation("late"))
    assert exchange.needs_connection
    second = exchange.connected()
    assert not exchange.needs_connection
    assert send(exchange, second) == [b'{"id":1001,"op":"revoke","subject":"late"}']
    assert exchange.receive(second, b'{"id":1001,"revoked":true}\n')
    # While the first is full, the next call will need the second.
    assert not exchange.is_dispensable(second)
    assert exchange.receive(first, b'{"id":7,"revoked":true}\n')
    assert exchange.is_dispensable(second)
    assert not exchange.is_dispensable(first)


def test_there_are_at_most_as_many_connections_as_the_daemon_has_capacity_for() -> None:
    exchange = Exchange()
    for _ in range(MOST_CONNECTIONS + 1):
        for index in range(1_000):
            exchange.add(revocation(f"user-{index}"))
    while exchange.needs_connection:
        send(exchange, exchange.connected())
    assert len(exchange._connections) == MOST_CONNECTIONS
    assert exchange.has_queue


def test_a_connection_is_closed_when_it_is_full_of_calls_that_were_given_up() -> None:
    exchange, first, calls = full_exchange()
    for call in calls[:-1]:
        exchange.give_up(call)
    assert not exchange.is_dispensable(first)
    exchange.give_up(calls[-1])
    assert exchange.is_dispensable(first)
    exchange.disconnected(first)
    assert exchange.is_empty


def test_while_the_daemon_shuts_down_no_other_connection_is_needed() -> None:
    exchange = Exchange()
    exchange.add(revocation("alice"))
    exchange.add(revocation("bob"))
    first = exchange.connected()
    send(exchange, first)
    assert exchange.receive(first, b'{"id":1,"error":"shutting_down"}\n')
    assert not exchange.needs_connection
    assert not exchange.is_dispensable(first)
    assert exchange.receive(first, b'{"id":2,"revoked":true}\n')
    assert exchange.is_dispensable(first)
    exchange.disconnected(first)
    assert exchange.needs_connection


def test_calls_that_were_under_way_are_sent_again_first_unless_they_were_given_up() -> None:
    exchange = Exchange()
    first, second, third = map(revocation, "abc")
    exchange.add(first)
    exchange.add(second)
    connection = exchange.connected()
    send(exchange, connection)
    exchange.add(third)
    exchange.give_up(first)
    exchange.disconnected(connection)
    assert send(exchange, exchange.connected()) == [
        b'{"id":3,"op":"revoke","subject":"b"}',
        b'{"id":4,"op":"revoke","subject":"c"}',
    ]


def test_a_request_for_a_token_has_the_time_that_is_left() -> None:
    exchange = Exchange()
    exchange.add(call_of(token(Key(None, None, None, None), None, False, None), []))
    connection = exchange.connected()
    assert exchange.send(connection, 2.5004) == b'{"id":1,"timeout":7.5,"op":"token"}\n'
    exchange.disconnected(connection)
    assert exchange.send(exchange.connected(), 11) == b'{"id":2,"timeout":0,"op":"token"}\n'


def test_an_exchange_is_empty_only_when_nobody_waits() -> None:
    exchange = Exchange()
    call = revocation("alice")
    assert exchange.is_empty
    exchange.add(call)
    assert not exchange.is_empty
    send(exchange, exchange.connected())
    assert not exchange.is_empty
    exchange.give_up(call)
    assert exchange.is_empty


def test_a_call_that_was_interrupted_before_it_was_added_leaves_nothing() -> None:
    exchange = Exchange()
    exchange.give_up(revocation("alice"))
    assert exchange.is_empty
