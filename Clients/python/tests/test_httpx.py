"""The httpx authentication, with the real daemon and an API that asks the stand-in tenant about tokens."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from answering_server import Request, Serve, token
from support import Stage

from tokencached import AsyncTokenCache, TokenCache, TokenCacheError
from tokencached.httpx import TokenCacheAuth

TENANT = "https://tenant.example"
SHA256 = hashlib.sha256(b"secret 1").hexdigest()


class API:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.seen: list[tuple[str | None, bytes]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.headers.get("transfer-encoding"):
                    # One chunk, and the empty one at the end.
                    body = self.rfile.read(int(self.rfile.readline(), 16))
                    self.rfile.readline(), self.rfile.readline(), self.rfile.readline()
                authorization = self.headers.get("authorization")
                api.seen.append((authorization, body))
                token = (authorization or "").replace("Bearer ", "")
                is_live = api.stage.control("live", {"token": token})["live"]
                self.send_response(307 if self.path == "/away" else 200 if is_live and self.path != "/refuse" else 401)
                self.send_header("location", api.url.replace("127.0.0.1", "localhost"))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002, the base class calls it so
                """No log on standard error."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def api() -> Iterator[API]:
    with Stage() as stage:
        api = API(stage)
        try:
            yield api
        finally:
            api.stop()


@pytest.fixture
def cache(api: API) -> Iterator[TokenCache]:
    with TokenCache(api.stage.socket) as cache:
        yield cache


@pytest.fixture
def client(api: API, cache: TokenCache) -> Iterator[httpx.Client]:
    with httpx.Client(auth=TokenCacheAuth(cache, subject="alice", origin=api.url)) as client:
        yield client


def test_the_request_carries_the_users_token(api: API, cache: TokenCache, client: httpx.Client) -> None:
    assert client.post(api.url, content=b"{}").status_code == 200
    assert api.seen == [(f"Bearer {cache.token(subject='alice').access_token}", b"{}")]


def test_the_token_is_asked_for_in_the_trace_that_is_given(api: API, cache: TokenCache) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = f"00-{trace}-b7ad6b7169203331-01"
    auth = TokenCacheAuth(cache, subject="alice", origin=api.url, traceparent=given)
    assert httpx.post(api.url, auth=auth).status_code == 200
    seen = [request["traceparent"] for request in api.stage.control("requests") if "traceparent" in request]
    assert [traceparent.split("-")[1] for traceparent in seen] == [trace]


def test_after_status_401_the_token_is_replaced(api: API, cache: TokenCache, client: httpx.Client) -> None:
    token = cache.token(subject="alice").access_token
    api.stage.control("revoke", {"token": token})
    assert client.post(api.url, content=b"{}").status_code == 200
    assert [body for _, body in api.seen] == [b"{}", b"{}"]
    api.stage.counter("mints", 2)


def test_an_api_that_keeps_refusing_is_called_twice(api: API, client: httpx.Client) -> None:
    assert client.post(f"{api.url}refuse").status_code == 401
    assert len(api.seen) == 2
    # The daemon keeps a new token that has just replaced a reported one, so there is no other to try.
    assert client.post(f"{api.url}refuse").status_code == 401
    assert len(api.seen) == 3


def test_a_body_that_can_be_read_only_once_is_sent_once(api: API, cache: TokenCache, client: httpx.Client) -> None:
    api.stage.control("revoke", {"token": cache.token(subject="alice").access_token})
    assert client.post(api.url, content=iter([b"streamed"])).status_code == 401
    assert [body for _, body in api.seen] == [b"streamed"]
    assert client.post(api.url).status_code == 200


def test_a_redirect_to_another_origin_gets_no_token(api: API, client: httpx.Client) -> None:
    client.post(f"{api.url}away", follow_redirects=True)
    assert api.seen[0][0] is not None
    assert api.seen[1][0] is None


def test_status_401_after_a_redirect_to_another_origin_does_not_invalidate_the_token(
    api: API, cache: TokenCache, client: httpx.Client
) -> None:
    # Without a token the API answers 401 there.
    assert client.post(f"{api.url}away", follow_redirects=True).status_code == 401
    assert len(api.seen) == 2
    assert cache.token(subject="alice").source == "cache"
    api.stage.counter("mints", 1)


def test_a_token_is_sent_only_to_the_origins_that_were_named(api: API, cache: TokenCache, client: httpx.Client) -> None:
    for url in (api.url.replace("127.0.0.1", "localhost"), api.url.replace("http:", "https:"), "http://127.0.0.1:1/"):
        with pytest.raises(TokenCacheError) as caught:
            client.post(url)
        assert caught.value.code == "invalid_request"
    assert api.seen == []
    assert api.stage.control("counters")["calls"] == 0
    auth = TokenCacheAuth(cache, subject="alice", origin=["https://x.example/path", api.url])
    assert httpx.post(api.url, auth=auth).status_code == 200
    for origin in ("your-tenant.eu.qlikcloud.com", "ftp://x", ["https://x", ""]):
        with pytest.raises(ValueError, match="web address"):
            TokenCacheAuth(cache, subject="alice", origin=origin)


def test_without_a_token_nothing_is_sent(api: API, cache: TokenCache) -> None:
    auth = TokenCacheAuth(cache, subject="unknown-401:alice", origin=api.url)
    with httpx.Client(auth=auth) as client, pytest.raises(TokenCacheError, match="denied"):
        client.post(api.url)
    assert api.seen == []


def test_asyncio_has_the_same(api: API) -> None:
    async def use() -> None:
        async with AsyncTokenCache(api.stage.socket) as cache:
            auth = TokenCacheAuth(cache, origin=api.url, user_id="7", scope="user_default")
            async with httpx.AsyncClient(auth=auth) as client:
                assert (await client.post(api.url)).status_code == 200
                token = await cache.token(user_id="7")
                assert api.seen == [(f"Bearer {token.access_token}", b"")]
                api.stage.control("revoke", {"token": token.access_token})
                assert (await client.post(api.url)).status_code == 200
                api.stage.counter("mints", 2)

    asyncio.run(use())


def test_each_kind_of_httpx_client_needs_its_own_kind_of_cache(api: API, cache: TokenCache) -> None:
    async def use() -> None:
        async with httpx.AsyncClient(auth=TokenCacheAuth(cache, subject="alice", origin=api.url)) as client:
            with pytest.raises(TypeError, match="AsyncTokenCache"):
                await client.post(api.url)

    asyncio.run(use())
    auth = TokenCacheAuth(AsyncTokenCache(api.stage.socket), subject="alice", origin=api.url)
    with httpx.Client(auth=auth) as client, pytest.raises(TypeError, match="TokenCache"):
        client.post(api.url)


def refusing(request: httpx.Request) -> httpx.Response:
    """An API that has refused one token."""
    return httpx.Response(401 if request.headers["authorization"] == "Bearer secret 1" else 200)


@pytest.mark.parametrize(
    ("reply", "status"),
    [(token("another"), 200), ({"error": "rate_limited", "error_description": "", "retry_after": 9}, 401)],
)
def test_another_token_after_status_401_is_one_request(serve: Serve, reply: Request, status: int) -> None:
    async def use_tasks(path: str) -> int:
        async with AsyncTokenCache(path) as cache:
            auth = TokenCacheAuth(cache, client="backend", origin=TENANT)
            async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(refusing)) as client:
                return (await client.get(TENANT)).status_code

    for is_async in (False, True):
        server = serve(lambda request: reply if "refused_token_sha256" in request else token("secret 1"))
        if is_async:
            assert asyncio.run(use_tasks(server.path)) == status
        else:
            with TokenCache(server.path) as cache:
                auth = TokenCacheAuth(cache, client="backend", origin=TENANT)
                with httpx.Client(auth=auth, transport=httpx.MockTransport(refusing)) as client:
                    assert client.get(TENANT).status_code == status
        assert server.operations() == ["token", "token"]
        assert [request["client"] for request in server.requests] == ["backend", "backend"]
        assert [request.get("refused_token_sha256") for request in server.requests] == [None, SHA256]


def test_another_error_after_status_401_is_raised(serve: Serve) -> None:
    replies = [token("secret 1"), {"error": "unavailable", "error_description": "down"}]
    server = serve(lambda _: replies.pop(0))
    with TokenCache(server.path) as cache:
        auth = TokenCacheAuth(cache, subject="b", origin=TENANT)
        with (
            httpx.Client(auth=auth, transport=httpx.MockTransport(refusing)) as client,
            pytest.raises(TokenCacheError, match="unavailable"),
        ):
            client.get(TENANT)
