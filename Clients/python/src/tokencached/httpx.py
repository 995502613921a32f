"""Adds a user's token to requests of httpx.

    auth = TokenCacheAuth(cache, subject="auth0|alice", origin="https://your-tenant.eu.qlikcloud.com")
    client = httpx.Client(auth=auth)

It needs httpx, which `pip install tokencached[httpx]` installs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence

import httpx

from tokencached._async_client import AsyncTokenCache
from tokencached._client import TokenCache
from tokencached._errors import TokenCacheError

__all__ = ["TokenCacheAuth"]


class TokenCacheAuth(httpx.Auth):
    """Adds a user's token to requests to the tenant.

    The token is sent only to the origins that were named. A request of another URL fails with `invalid_request`, and a
    redirect to another origin gets no token.

    If the status is 401, the token is invalidated, and the request is sent once more with another one. A body that is
    read while it is sent can't be sent twice, so the response is then that with status 401. `httpx.Client` needs a
    `TokenCache`, `httpx.AsyncClient` an `AsyncTokenCache`.
    """

    def __init__(
        self,
        cache: TokenCache | AsyncTokenCache,
        *,
        origin: str | Sequence[str],
        subject: str | None = None,
        user_id: str | None = None,
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
        self._subject = subject
        self._user_id = user_id
        self._tenant = tenant
        self._scope = scope
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
        self._cache.invalidate(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            access_token=first,
            timeout=self._timeout,
        )
        # The daemon keeps a token that has just replaced a reported one. The API would refuse it again.
        if _is_repeatable(request) and (second := self._token(self._cache)) != first:
            yield _signed(request, second)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not isinstance(self._cache, AsyncTokenCache):
            raise TypeError("httpx.AsyncClient needs an AsyncTokenCache, not a TokenCache")
        self._check(request)
        first = await self._async_token(self._cache)
        response = yield _signed(request, first)
        if not self._is_refusal(response):
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

    def _check(self, request: httpx.Request) -> None:
        if _origin(request.url) not in self._origins:
            raise TokenCacheError("invalid_request", f"the token is sent only to the tenant, not to {request.url.host}")

    def _is_refusal(self, response: httpx.Response) -> bool:
        # After a redirect to another origin, which got no token, none was refused.
        return response.status_code == httpx.codes.UNAUTHORIZED and _origin(response.url) in self._origins

    def _token(self, cache: TokenCache) -> str:
        return cache.token(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            min_ttl=self._min_ttl,
            timeout=self._timeout,
            traceparent=self._traceparent,
        ).access_token

    async def _async_token(self, cache: AsyncTokenCache) -> str:
        token = await cache.token(
            subject=self._subject,
            user_id=self._user_id,
            tenant=self._tenant,
            scope=self._scope,
            min_ttl=self._min_ttl,
            timeout=self._timeout,
            traceparent=self._traceparent,
        )
        return token.access_token


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
