"""Requests of httpx with a user's token: `httpx.Client(auth=TokenCacheAuth(cache, subject="auth0|alice"))`.

It needs httpx, which `pip install tokencached[httpx]` brings along.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from tokencached._async_client import AsyncTokenCache
from tokencached._client import TokenCache

__all__ = ["TokenCacheAuth"]


class TokenCacheAuth(httpx.Auth):
    """Signs requests with a user's token.

    On 401 that very token is invalidated and the request sent once more with another; a body that is read while it is
    sent can't be sent twice, and the 401 is then the answer. `TokenCache` goes with `httpx.Client`, `AsyncTokenCache`
    with `httpx.AsyncClient`. Redirects to another origin take no token along.
    """

    def __init__(
        self,
        cache: TokenCache | AsyncTokenCache,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        min_ttl: float | None = None,
        timeout: float | None = None,
    ) -> None:
        self._cache = cache
        self._subject = subject
        self._user_id = user_id
        self._tenant = tenant
        self._scope = scope
        self._min_ttl = min_ttl
        self._timeout = timeout

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not isinstance(self._cache, TokenCache):
            raise TypeError("httpx.Client needs a TokenCache, not an AsyncTokenCache")
        first = self._token(self._cache)
        response = yield _signed(request, first)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        self._cache.invalidate(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            access_token=first,
            timeout=self._timeout,
        )
        # The daemon keeps a token that has just replaced a reported one: asking with it would be refused again.
        if _is_repeatable(request) and (second := self._token(self._cache)) != first:
            yield _signed(request, second)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not isinstance(self._cache, AsyncTokenCache):
            raise TypeError("httpx.AsyncClient needs an AsyncTokenCache, not a TokenCache")
        first = await self._async_token(self._cache)
        response = yield _signed(request, first)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        await self._cache.invalidate(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            access_token=first,
            timeout=self._timeout,
        )
        if _is_repeatable(request) and (second := await self._async_token(self._cache)) != first:
            yield _signed(request, second)

    def _token(self, cache: TokenCache) -> str:
        return cache.token(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            min_ttl=self._min_ttl,
            timeout=self._timeout,
        ).access_token

    async def _async_token(self, cache: AsyncTokenCache) -> str:
        token = await cache.token(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            min_ttl=self._min_ttl,
            timeout=self._timeout,
        )
        return token.access_token


def _signed(request: httpx.Request, access_token: str) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {access_token}"
    return request


def _is_repeatable(request: httpx.Request) -> bool:
    try:
        return request.content is not None
    except httpx.RequestNotRead:
        return False
