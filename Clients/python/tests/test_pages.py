"""The answers to a page that asks for its access token, with the requests of several web frameworks."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

import flask
import pytest
from answering_server import Request, Serve, provisioned, token
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tokencached import Answer, AsyncTokenCache, TokenCache, User

settings.configure()
SHA256 = hashlib.sha256(b"refused").hexdigest()
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ALICE = User("alice", name="Alice Archer")


@dataclass
class PageRequest:
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


Ask = Callable[..., Answer]


@pytest.fixture(params=["threads", "asyncio", "asyncio with an async function"])
def ask(request: pytest.FixtureRequest, serve: Serve) -> Ask:
    """Answers one request of a page, with the daemon's replies and with what the application's function gives."""

    def threads(path: str, page: PageRequest, found: Any, **options: Any) -> Answer:
        with TokenCache(path) as cache:
            return cache.access_token_handler(lambda _: found, **options)(page)

    def tasks(path: str, page: PageRequest, found: Any, **options: Any) -> Answer:
        async def find(_: PageRequest) -> Any:
            return found

        async def use() -> Answer:
            async with AsyncTokenCache(path) as cache:
                function = find if "async function" in request.param else lambda _: found
                return await cache.access_token_handler(function, **options)(page)

        return asyncio.run(use())

    def answer(daemon: Any, page: PageRequest, found: Any = "alice", **options: Any) -> Answer:
        return (threads if request.param == "threads" else tasks)(daemon.path, page, found, **options)

    return answer


def friendly(request: Request) -> Any:
    return provisioned() if request["op"] == "provision" else token()


def test_the_body_is_the_token_and_nobody_may_store_it(serve: Serve, ask: Ask) -> None:
    answer = ask(serve(friendly), PageRequest())
    assert answer == Answer(
        "secret token",
        200,
        {
            "content-type": "text/plain; charset=utf-8",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
    )


def test_a_described_user_is_provisioned_first(serve: Serve, ask: Ask) -> None:
    server = serve(friendly)
    assert ask(server, PageRequest(), ALICE, min_ttl=60, timeout=5).status == 200
    assert server.operations() == ["provision", "token"]
    assert server.requests[1]["min_ttl"] == 60
    assert all(request["timeout"] <= 5 for request in server.requests)


def test_the_refused_token_and_the_trace_go_with_the_request(serve: Serve, ask: Ask) -> None:
    server = serve(friendly)
    ask(server, PageRequest(headers={"x-refused-token": SHA256, "traceparent": TRACE}))
    (request,) = server.requests
    assert (request["refused_token_sha256"], request["traceparent"]) == (SHA256, TRACE)


@pytest.mark.parametrize("refused", ["", "x", SHA256[1:], f"{SHA256}0", f"{SHA256}\n", "ü" * 64])
def test_a_malformed_refused_token_is_ignored(serve: Serve, ask: Ask, refused: str) -> None:
    server = serve(friendly)
    assert ask(server, PageRequest(headers={"x-refused-token": refused})).status == 200
    assert "refused_token_sha256" not in server.requests[0]


@pytest.mark.parametrize("nobody", [None, User(), User(name="Alice Archer")])
def test_nobody_gets_no_token(serve: Serve, ask: Ask, nobody: User | None) -> None:
    server = serve(friendly)
    answer = ask(server, PageRequest(), nobody)
    assert (answer.status, answer.headers["cache-control"]) == (401, "no-store")
    assert server.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "post"])
def test_only_post_is_answered(serve: Serve, ask: Ask, method: str) -> None:
    server = serve(friendly)
    answer = ask(server, PageRequest(method))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert server.requests == []


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        ({"error": "forbidden"}, 403, None),
        ({"error": "invalid_request"}, 500, None),
        ({"error": "unknown_tenant"}, 500, None),
        ({"error": "unsupported_op"}, 500, None),
        ({"error": "conflict"}, 500, None),
        ({"error": "rate_limited", "retry_after": 2.5}, 503, "3"),
        ({"error": "unavailable", "retry_after": 0}, 503, "1"),
        ({"error": "denied"}, 503, "5"),
        ({"error": "denied", "upstream": {"code": "disabled"}}, 403, None),
        ({"error": "denied", "upstream": {"code": "deleted"}}, 403, None),
        ({"error": "denied", "upstream": {"status": 400, "code": "deleted"}}, 503, "5"),
        ({"error": "unavailable", "upstream": {"code": "deleted"}}, 503, "5"),
    ],
)
def test_an_error_says_if_and_when_to_ask_again(
    serve: Serve, ask: Ask, error: Request, status: int, retry_after: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(lambda _: {**error, "error_description": "the reason"})
    with caplog.at_level(logging.DEBUG, "tokencached"):
        answer = ask(server, PageRequest(), ALICE)
    assert (answer.status, answer.headers.get("retry-after")) == (status, retry_after)
    assert error["error"] in answer.body
    # The reason is for the log and not for the page.
    assert "the reason" not in answer.body
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert (logged == "") is (status == 503)
    assert status == 503 or f"no access token can be given: {error['error']}: the reason" in logged


def test_an_error_of_the_applications_function_is_the_applications(serve: Serve) -> None:
    def find(_: PageRequest) -> str:
        raise LookupError("no session")

    with TokenCache(serve(friendly).path) as cache, pytest.raises(LookupError, match="no session"):
        cache.access_token_handler(find)(PageRequest())


def test_flask_takes_the_answer_as_it_is(serve: Serve) -> None:
    server = serve(friendly)
    application = flask.Flask("application")
    with TokenCache(server.path) as cache:
        handler = cache.access_token_handler(lambda request: request.headers.get("x-user"))

        @application.route("/access-token", methods=["GET", "POST"])
        def access_token() -> Answer:
            return handler(flask.request)

        client = application.test_client()
        response = client.post("/access-token", headers={"X-User": "alice", "X-Refused-Token": SHA256})
        assert (response.status_code, response.text) == (200, "secret token")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers.getlist("content-type") == ["text/plain; charset=utf-8"]
        assert client.post("/access-token").status_code == 401
        assert client.get("/access-token").status_code == 405
    assert [request["refused_token_sha256"] for request in server.requests] == [SHA256]


def test_django_makes_a_response_of_the_answer(serve: Serve) -> None:
    server = serve(friendly)
    with TokenCache(server.path) as cache:
        handler = cache.access_token_handler(lambda request: "alice")

        def access_token(request: HttpRequest) -> HttpResponse:
            answer = handler(request)
            return HttpResponse(answer.body, status=answer.status, headers=answer.headers)

        response = access_token(RequestFactory().post("/access-token", headers={"X-Refused-Token": SHA256}))
        assert (response.status_code, response.content) == (200, b"secret token")
        assert response["content-type"] == "text/plain; charset=utf-8"
        assert access_token(RequestFactory().get("/access-token")).status_code == 405
    assert [request["refused_token_sha256"] for request in server.requests] == [SHA256]
