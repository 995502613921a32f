"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TypeVar

from tokencached import _requests
from tokencached._async_connections import AsyncConnections
from tokencached._connecting import REPLY_GRACE, RESTART_GRACE, checked_grace, socket_path
from tokencached._errors import TokenCacheError
from tokencached._pending_requests import Call
from tokencached._requests import Key, Request
from tokencached._results import Hello, Invalidation, Prefetch, Revocation, Token, total

T = TypeVar("T")


class AsyncTokenCache:
    """A client of the daemon on this machine, over connections that all tasks of an event loop share.

    Make one for the process. Each event loop has connections of its own, and connects when the first call is made. A
    restart of the daemon fails no call. Cancelling a task ends its call. All times are in seconds. Every call may raise
    `TokenCacheError`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, restart_grace: float = RESTART_GRACE) -> None:
        """Creates a client, which connects when the first call is made.

        `path`: the path of the daemon's socket, 1 to 107 bytes, with or without `unix://` in front. By default it is
        that of `TOKENCACHED_SOCKET` unless it is empty, otherwise `/run/tokencached/tokencached.sock`.
        `restart_grace`: the time for which calls wait for a daemon that isn't there, from 0 to 300 seconds. When it has
        passed, calls fail at once with `unreachable` until the daemon is there again. Raises ValueError out of range.
        """
        self._connections = AsyncConnections(socket_path(path), checked_grace(restart_grace))

    async def token(
        self,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        min_ttl: float | None = None,
        no_cache: bool = False,
        timeout: float | None = None,
        traceparent: str | None = None,
    ) -> Token:
        """Gets a user's token, from the daemon's cache or by a call of the daemon to the tenant.

        The user is named by `subject`, as the identity provider knows them, or by `user_id`, the tenant's own ID.
        `tenant`: the tenant's name in the daemon's configuration. By default it is the default tenant.
        `scope`: the scopes, separated by spaces. By default they are those of the tenant's configuration.
        `min_ttl`: the time for which the token must still be valid, from 0 to 86,400. By default the daemon prefers
        what its configuration says, and makes do with less if minting fails: see `Token.stale`.
        `no_cache`: true if a cached token is not acceptable.
        `timeout`: the time that the call may take, from 0 to 300. The default is 10.
        `traceparent`: the place in a distributed trace, as the header of W3C Trace Context has it. The daemon's call to
        the tenant, if there is one, becomes a part of the trace. The daemon ignores a text that is not valid.
        """
        key = Key(subject, user_id, tenant, scope)
        return await self._call(_requests.token(key, min_ttl, no_cache, timeout, traceparent))

    async def prefetch(
        self,
        *,
        subjects: Sequence[str] | None = None,
        user_ids: Sequence[str] | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        timeout: float | None = None,
        traceparent: str | None = None,
    ) -> Prefetch:
        """Has tokens minted before they are asked for. Returns when the daemon has accepted the work.

        Users who don't fit into one request (1,000, or fewer if their names are long) go in several, one after another.
        If one of these fails, so does the call. The tokens of the earlier ones are minted all the same.
        `traceparent`: as for a token.
        """
        batches = _requests.prefetch(subjects, user_ids, tenant, scope, timeout, traceparent)
        deadline = time.monotonic() + batches[0].timeout
        return total([await self._call(batch, deadline) for batch in batches])

    async def invalidate(
        self,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        access_token: str | None = None,
        token_sha256: str | None = None,
        timeout: float | None = None,
    ) -> Invalidation:
        """Reports a token that the tenant's API has refused, so that the next call gets another one.

        The daemon drops it only if it is the cached one. `token_sha256`: its SHA-256 as 64 hexadecimal digits.
        """
        key = Key(subject, user_id, tenant, scope)
        return await self._call(_requests.invalidate(key, access_token, token_sha256, timeout))

    async def revoke(
        self,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        timeout: float | None = None,
        traceparent: str | None = None,
    ) -> Revocation:
        """Drops a user's tokens at logout, and revokes them at the tenant.

        If the connection ends before the reply arrives, the client asks again, and `revoked` may be false because the
        first request did the work. `traceparent`: as for a token.
        """
        return await self._call(_requests.revoke(Key(subject, user_id, tenant, scope), timeout, traceparent))

    async def hello(self, *, timeout: float | None = None) -> Hello:
        """Asks for the daemon's version, and for what this process may use."""
        return await self._call(_requests.hello(timeout))

    async def close(self) -> None:
        """Closes the client. Calls that wait, and later ones, fail with `closed`."""
        self._connections.close()

    async def __aenter__(self) -> AsyncTokenCache:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, request: Request[T], deadline: float | None = None) -> T:
        connections = self._connections.here()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()

        def end(answer: object, error: TokenCacheError | None) -> None:
            if ended.done():
                # The task was cancelled, and has not run since.
                return
            if error is None:
                ended.set_result(answer)
            else:
                ended.set_exception(error)

        now = time.monotonic()
        call = Call(request, now + request.timeout if deadline is None else deadline, end)
        connections.add(call)

        def time_out(is_last: bool) -> None:
            if is_last or not connections.is_trying(call):
                end(None, connections.timeout_error())

        timers = [
            loop.call_later(max(0, call.deadline - now), time_out, False),
            loop.call_later(max(0, call.deadline - now) + REPLY_GRACE, time_out, True),
        ]
        try:
            result: T = await ended
            return result
        finally:
            for timer in timers:
                timer.cancel()
            # After a timeout or a cancellation nobody waits for the reply any more.
            if call.is_wanted:
                connections.give_up(call)
            if ended.done() and not ended.cancelled():
                # If the task was cancelled after the outcome was there, nobody has retrieved that outcome.
                ended.exception()
