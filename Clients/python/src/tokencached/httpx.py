"""Adds a user's or a client's token to requests of httpx.

    auth = TokenCacheAuth(cache, subject="auth0|alice", origin="https://your-tenant.eu.qlikcloud.com")
    client = httpx.Client(auth=auth)

It needs httpx, which `pip install tokencached[httpx]` installs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import TypedDict

import httpx

from tokencached._async_client import AsyncTokenCache
from tokencached._client import TokenCache
from tokencached._errors import TokenCacheError

__all__ = ["TokenCacheAuth"]


class TokenCacheAuth(httpx.Auth):
    """Adds a user's or a client's token to requests to the tenant.

    The token is sent only to the origins that were named. A request of another URL fails with `invalid_request`, and a
    redirect to another origin gets no token.

    If the status is 401, the token is reported as refused, and the request is sent once more with another one. The
    response is that with status 401 if there is no other one yet, and if the body was read while it was sent, because
    it can't be sent twice. `httpx.Client` needs a `TokenCache`, `httpx.AsyncClient` an `AsyncTokenCache`.
    """

    def __init__(
        self,
        cache: TokenCache | AsyncTokenCache,
        *,
        origin: str | Sequence[str],
        subject: str | None = None,
        user_id: str | None = None,
        client: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        min_ttl: float | None = None,
        timeout: float | None = None,
        traceparent: str | None = None,
    ) -> None:
        """`origin`: the tenant's URL, such as `https://your-tenant.eu.qlikcloud.com`, or several.

        Raises ValueError if it is no web address.
        """
        self._origins = [_origin(httpx.URL(each)) for each in ([origin] if isinstance(origin, str) else origin)]
        if not all(scheme in ("https", "http") and host for scheme, host, _ in self._origins):
            raise ValueError(f"'origin' should be a web address, not {origin!r}")
        self._cache = cache
        self._key: _Key = {
            "subject": subject,
            "user_id": user_id,
            "client": client,
            "tenant": tenant,
            "scope": scope,
        }
        self._min_ttl = min_ttl
        self._timeout = timeout
        self._traceparent = traceparent

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not isinstance(self._cache, TokenCache):
            raise TypeError("httpx.Client needs a TokenCache, not an AsyncTokenCache")
        self._check(request)
        first = self._token(self._cache)
        response = yield _signed(request, first)
        if not self._is_refusal(response):
            return
        if not _is_repeatable(request):
            self._cache.invalidate(**self._key, access_token=first, timeout=self._timeout)
            return
        try:
            second = self._token(self._cache, first)
        except TokenCacheError as error:
            # There is no other token yet, which the response says as well.
            if error.code == "rate_limited":
                return
            raise
        yield _signed(request, second)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not isinstance(self._cache, AsyncTokenCache):
            raise TypeError("httpx.AsyncClient needs an AsyncTokenCache, not a TokenCache")
        self._check(request)
        first = await self._async_token(self._cache)
        response = yield _signed(request, first)
        if not self._is_refusal(response):
            return
        if not _is_repeatable(request):
            await self._cache.invalidate(**self._key, access_token=first, timeout=self._timeout)
            return
        try:
            second = await self._async_token(self._cache, first)
        except TokenCacheError as error:
            # There is no other token yet, which the response says as well.
            if error.code == "rate_limited":
                return
            raise
        yield _signed(request, second)

    def _check(self, request: httpx.Request) -> None:
        if _origin(request.url) not in self._origins:
            raise TokenCacheError("invalid_request", f"the token is sent only to the tenant, not to {request.url.host}")

    def _is_refusal(self, response: httpx.Response) -> bool:
        # After a redirect to another origin, which got no token, none was refused.
        return response.status_code == httpx.codes.UNAUTHORIZED and _origin(response.url) in self._origins

    def _token(self, cache: TokenCache, refused: str | None = None) -> str:
        return cache.token(**self._key, **self._options(refused)).access_token

    async def _async_token(self, cache: AsyncTokenCache, refused: str | None = None) -> str:
        return (await cache.token(**self._key, **self._options(refused))).access_token

    def _options(self, refused: str | None) -> _Options:
        return {
            "min_ttl": self._min_ttl,
            "timeout": self._timeout,
            "traceparent": self._traceparent,
            "refused_token": refused,
        }


class _Key(TypedDict):
    subject: str | None
    user_id: str | None
    client: str | None
    tenant: str | None
    scope: str | None


class _Options(TypedDict):
    min_ttl: float | None
    timeout: float | None
    traceparent: str | None
    refused_token: str | None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _signed(request: httpx.Request, access_token: str) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {access_token}"
    return request


def _is_repeatable(request: httpx.Request) -> bool:
    try:
        return request.content is not None
    except httpx.RequestNotRead:
        return False
