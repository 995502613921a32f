"""Tokens of clients, refused tokens, provisions and revocations everywhere, as requests and replies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any, Callable

import httpx
import pytest
from answering_server import AnsweringServer, Request, Serve, provisioned, token
from player import KINDS, Client
from support import TIMEOUT

from tokencached import AsyncTokenCache, Provisioning, Revocation, TokenCache, TokenCacheError
from tokencached.httpx import TokenCacheAuth

SHA256 = hashlib.sha256(b"secret 1").hexdigest()
CONTENT: dict[str, Any] = {"name": "Bob", "email": "bob@example.com", "groups": []}
TENANT = "https://tenant.example"


@pytest.fixture(params=KINDS)
def clients(request: pytest.FixtureRequest) -> Iterator[Callable[[AnsweringServer], Client]]:
    made: list[Client] = []

    def make(server: AnsweringServer) -> Client:
        made.append(request.param(server.path, TIMEOUT))
        return made[-1]

    yield make
    for client in made:
        client.stop()


Make = Callable[[AnsweringServer], Client]


def without_number(request: Request) -> Request:
    return {name: value for name, value in request.items() if name not in ("id", "timeout")}


@pytest.mark.parametrize(
    ("operation", "arguments", "line"),
    [
        ("token", {"client": "backend"}, {"op": "token", "client": "backend"}),
        ("prefetch", {"clients": ["a", "b"]}, {"op": "prefetch", "clients": ["a", "b"]}),
        ("invalidate", {"client": "a", "token_sha256": SHA256}, {"op": "invalidate", "client": "a"}),
        ("revoke", {"client": "a", "everywhere": False}, {"op": "revoke", "client": "a"}),
        ("revoke", {"subject": "b", "everywhere": True}, {"op": "revoke", "subject": "b", "everywhere": True}),
        ("provision", {"subject": "b"}, {"op": "provision", "subject": "b"}),
        ("provision", {"subject": "b", **CONTENT}, {"op": "provision", "subject": "b", **CONTENT}),
        ("token", {"subject": "b", "refused_token_sha256": SHA256.upper()}, {"op": "token", "subject": "b"}),
    ],
)
def test_each_call_is_a_line_of_the_protocol(
    serve: Serve, clients: Make, operation: str, arguments: dict[str, Any], line: dict[str, Any]
) -> None:
    replies = {
        "token": token(),
        "prefetch": {"queued": 2, "cached": 0},
        "invalidate": {"invalidated": True},
        "revoke": {"revoked": True, "upstream_revoked": 3},
        "provision": provisioned(),
    }
    server = serve(lambda request: replies[request["op"]])
    clients(server).call(operation, arguments).result(TIMEOUT)
    (request,) = server.requests
    for name in ("token_sha256", "refused_token_sha256"):
        assert request.pop(name, None) == arguments.get(name)
    assert without_number(request) == line
    assert ("timeout" in request) is (operation in ("token", "provision"))


def test_a_client_and_a_user_exclude_each_other_as_the_daemon_decides(serve: Serve, clients: Make) -> None:
    server = serve(lambda _: {"error": "invalid_request", "error_description": "exactly one"})
    for operation, arguments in (
        ("token", {"client": "a", "subject": "b"}),
        ("prefetch", {"clients": ["a"], "subjects": ["b"]}),
    ):
        error = clients(server).call(operation, arguments).exception(TIMEOUT)
        assert isinstance(error, TokenCacheError)
        assert error.code == "invalid_request"
    assert [len(request) for request in server.requests] == [5, 4]


def test_a_provision_says_what_was_done(serve: Serve, clients: Make) -> None:
    replies = [provisioned(), provisioned("cache"), {"user_id": "7", "status": "active"}]
    server = serve(lambda _: replies.pop(0))
    client = clients(server)
    results = [client.call("provision", {"subject": "b"}).result(TIMEOUT) for _ in range(2)]
    assert results == [
        Provisioning("6305", "active", True, False, "tenant"),
        Provisioning("6305", "active", True, False, "cache"),
    ]
    error = client.call("provision", {"subject": "b"}).exception(TIMEOUT)
    assert isinstance(error, TokenCacheError)
    assert error.code == "bad_reply"


def test_a_daemon_that_does_not_know_everywhere_has_not_revoked_everywhere(serve: Serve, clients: Make) -> None:
    replies: list[Request] = [{"revoked": True, "upstream": False, "upstream_revoked": 2}, {"revoked": True}]
    server = serve(lambda _: replies.pop(0))
    client = clients(server)
    arguments = {"subject": "b", "everywhere": True}
    assert client.call("revoke", arguments).result(TIMEOUT) == Revocation(True, False, 2)
    error = client.call("revoke", arguments).exception(TIMEOUT)
    assert isinstance(error, TokenCacheError)
    assert error.code == "bad_reply"


class OlderDaemon:
    """A daemon that doesn't know `refused_token_sha256`. It has these tokens, one after another."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)

    def __call__(self, request: Request) -> Any:
        if request["op"] == "token":
            return token(self._tokens[0])
        cached = hashlib.sha256(self._tokens[0].encode()).hexdigest()
        if len(self._tokens) == 1:
            return {"invalidated": False, "retry_after": 4}
        is_cached = request["token_sha256"].lower() == cached
        if is_cached:
            del self._tokens[0]
        return {"invalidated": is_cached}


@pytest.mark.parametrize("refused", [{"refused_token": "secret 1"}, {"refused_token_sha256": SHA256.upper()}])
def test_another_token_is_one_request(serve: Serve, clients: Make, refused: dict[str, str]) -> None:
    server = serve(lambda _: token("another"))
    assert clients(server).call("token", {"subject": "b", **refused}).result(TIMEOUT).access_token == "another"
    (request,) = server.requests
    assert request["refused_token_sha256"].lower() == SHA256
    assert "refused_token" not in request


@pytest.mark.parametrize("refused", [{"refused_token": "secret 1"}, {"refused_token_sha256": SHA256.upper()}])
def test_an_older_daemon_is_told_of_the_refused_token_by_itself(
    serve: Serve, clients: Make, refused: dict[str, str]
) -> None:
    server = serve(OlderDaemon("secret 1", "another"))
    arguments = {"subject": "b", "tenant": "t", "scope": "s", **refused}
    assert clients(server).call("token", arguments).result(TIMEOUT).access_token == "another"
    assert server.operations() == ["token", "invalidate", "token"]
    report = without_number(server.requests[1])
    assert report.pop("token_sha256").lower() == SHA256
    assert report == {"op": "invalidate", "subject": "b", "tenant": "t", "scope": "s"}


def test_the_refused_token_is_never_given_out_again(serve: Serve, clients: Make) -> None:
    server = serve(OlderDaemon("secret 1"))
    error = clients(server).call("token", {"subject": "b", "refused_token": "secret 1"}).exception(TIMEOUT)
    assert isinstance(error, TokenCacheError)
    assert (error.code, error.retry_after) == ("rate_limited", 4)
    assert "secret" not in str(error)
    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"refused_token": "secret 1", "refused_token_sha256": SHA256},
        {"refused_token": 7},
        {"refused_token": "\ud800"},
        {"refused_token_sha256": 7},
    ],
)
def test_a_malformed_refused_token_is_an_invalid_request(serve: Serve, clients: Make, wrong: dict[str, Any]) -> None:
    server = serve(lambda _: token())
    error = clients(server).call("token", {"subject": "b", **wrong}).exception(TIMEOUT)
    assert isinstance(error, TokenCacheError)
    assert error.code == "invalid_request"
    assert server.requests == []


def api(request: httpx.Request) -> httpx.Response:
    """An API that has refused one token."""
    return httpx.Response(401 if request.headers["authorization"] == "Bearer secret 1" else 200)


@pytest.mark.parametrize(
    ("replies", "status", "operations"),
    [
        ([token("secret 1"), token("another")], 200, ["token", "token"]),
        ([token("secret 1"), {"error": "rate_limited", "error_description": "", "retry_after": 9}], 401, ["token"] * 2),
    ],
)
def test_after_status_401_httpx_needs_one_more_request(
    serve: Serve, replies: list[Request], status: int, operations: list[str]
) -> None:
    async def use(path: str) -> int:
        async with AsyncTokenCache(path) as cache:
            auth = TokenCacheAuth(cache, client="backend", origin=TENANT)
            async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(api)) as client:
                return (await client.get(TENANT)).status_code

    for is_async in (False, True):
        waiting = list(replies)
        server = serve(lambda _, waiting=waiting: waiting.pop(0))  # type: ignore[misc]
        if is_async:
            assert asyncio.run(use(server.path)) == status
        else:
            with TokenCache(server.path) as cache:
                auth = TokenCacheAuth(cache, client="backend", origin=TENANT)
                with httpx.Client(auth=auth, transport=httpx.MockTransport(api)) as client:
                    assert client.get(TENANT).status_code == status
        assert server.operations() == operations
        assert [request["client"] for request in server.requests] == ["backend", "backend"]
        assert [request.get("refused_token_sha256") for request in server.requests] == [None, SHA256]


def test_another_error_after_status_401_is_raised(serve: Serve) -> None:
    replies = [token("secret 1"), {"error": "unavailable", "error_description": "down"}]
    server = serve(lambda _: replies.pop(0))
    with TokenCache(server.path) as cache:
        auth = TokenCacheAuth(cache, subject="b", origin=TENANT)
        with (
            httpx.Client(auth=auth, transport=httpx.MockTransport(api)) as client,
            pytest.raises(TokenCacheError, match="unavailable"),
        ):
            client.get(TENANT)
