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
from tokencached._conversation import Call
from tokencached._errors import TokenCacheError
from tokencached._reconnecting import GRACE, RESTART_GRACE, checked_grace, socket_path
from tokencached._requests import Key, Request
from tokencached._results import Hello, Invalidation, Prefetch, Revocation, Token, total

T = TypeVar("T")


class AsyncTokenCache:
    """A tokencached on this machine, through a connection that all tasks of an event loop share.

    Make one for the process. Each event loop has a connection of its own, which is made when it is first needed, and
    again after the daemon's restart without failing a call. A call ends with its task's cancellation. All times are in
    seconds; every call raises `TokenCacheError`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, restart_grace: float = RESTART_GRACE) -> None:
        """Makes a client, which connects when it is first asked.

        `path`: the daemon's socket; that of `TOKENCACHED_SOCKET` or of the packaged daemon where it is left out.
        `restart_grace`: how long a daemon that isn't there is waited for, 0 to 300 seconds; then calls fail at once.
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
    ) -> Token:
        """A user's token, with at least `min_ttl` left; with `no_cache` one that is minted anew."""
        key = Key(subject, user_id, tenant, scope)
        return await self._call(_requests.token(key, min_ttl, no_cache, timeout))

    async def prefetch(
        self,
        *,
        subjects: Sequence[str] | None = None,
        user_ids: Sequence[str] | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        timeout: float | None = None,
    ) -> Prefetch:
        """Has tokens minted that will be needed; in several requests where the users don't fit into one."""
        parts = _requests.prefetch(subjects, user_ids, tenant, scope, timeout)
        deadline = time.monotonic() + parts[0].timeout
        return total([await self._call(part, deadline) for part in parts])

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
        """Says that an API refused this very token, so that the next one asked for is another."""
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
    ) -> Revocation:
        """Logout: drops a user's tokens and revokes them at the tenant.

        Where the connection broke and it was asked twice, `revoked` may be False because the first time did the work.
        """
        return await self._call(_requests.revoke(Key(subject, user_id, tenant, scope), timeout))

    async def hello(self, *, timeout: float | None = None) -> Hello:
        """What the daemon is, and what this process may use of it."""
        return await self._call(_requests.hello(timeout))

    async def close(self) -> None:
        """Ends the connection; calls that wait, and later ones, fail with `closed`."""
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
                # Its task was cancelled, and has had no turn yet to say so.
                return
            if error is None:
                ended.set_result(answer)
            else:
                ended.set_exception(error)

        now = time.monotonic()
        call = Call(request, now + request.timeout if deadline is None else deadline, end)
        connections.ask(call)

        def late(is_last: bool) -> None:
            if is_last or not connections.is_trying(call):
                end(None, connections.late())

        timers = [
            loop.call_later(max(0, call.deadline - now), late, False),
            loop.call_later(max(0, call.deadline - now) + GRACE, late, True),
        ]
        try:
            result: T = await ended
            return result
        finally:
            for timer in timers:
                timer.cancel()
            # Where its time passed or its task was cancelled, nobody waits for the reply any more.
            if call.is_wanted:
                connections.give_up(call)
            if ended.done() and not ended.cancelled():
                # Its task may have been cancelled when it had its outcome already: then nobody else has looked at it.
                ended.exception()
