"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Sequence
from types import TracebackType
from typing import Any, Callable, TypeVar

from tokencached import _pages, _requests
from tokencached._async_connections import AsyncConnections
from tokencached._connecting import REPLY_GRACE, RESTART_GRACE, checked_grace, socket_path
from tokencached._errors import TokenCacheError
from tokencached._flights import TaskFlights
from tokencached._pages import Answer
from tokencached._pending_requests import Call
from tokencached._requests import Key, Refusal, Request
from tokencached._results import Hello, Invalidation, Prefetch, Provisioning, Revocation, Token, total
from tokencached._users import ProvisionedUsers, User

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
        self._users = ProvisionedUsers()
        self._flights = TaskFlights()

    async def token(
        self,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        client: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        min_ttl: float | None = None,
        no_cache: bool = False,
        timeout: float | None = None,
        traceparent: str | None = None,
        refused_token: str | None = None,
        refused_token_sha256: str | None = None,
    ) -> Token:
        """Gets a token, from the daemon's cache or by a call of the daemon to the tenant.

        A user is named by `subject`, as the identity provider knows them, or by `user_id`, the tenant's own ID.
        `client`: the name of one of the tenant's clients in the daemon's configuration, whose own token this is.
        `tenant`: the tenant's name in the daemon's configuration. By default it is the default tenant.
        `scope`: the scopes, separated by spaces. By default they are those of the tenant's configuration.
        `min_ttl`: the time for which the token must still be valid, from 0 to 86,400. By default the daemon prefers
        what its configuration says, and makes do with less if minting fails: see `Token.stale`.
        `no_cache`: true if a cached token is not acceptable.
        `timeout`: the time that the call may take, from 0 to 300. The default is 10.
        `traceparent`: the place in a distributed trace, as the header of W3C Trace Context has it. The daemon's call to
        the tenant, if there is one, becomes a part of the trace. The daemon ignores a text that is not valid.
        `refused_token`: a token that the tenant's API has refused, or `refused_token_sha256`, its SHA-256 as 64
        hexadecimal digits. The reply has another one, or the error is `rate_limited` if that token is too new to be
        replaced.
        """
        key = Key(subject, user_id, tenant, scope, client)
        refusal = _requests.refusal(key, refused_token, refused_token_sha256, timeout)
        request = _requests.token(key, min_ttl, no_cache, timeout, traceparent)
        return await self._token(request, refusal)

    async def token_for(
        self,
        user: User | str,
        *,
        min_ttl: float | None = None,
        timeout: float | None = None,
        traceparent: str | None = None,
        refused_token: str | None = None,
        refused_token_sha256: str | None = None,
    ) -> Token:
        """Gets the token of a user who is signed in. If the tenant may not know the user yet, it is told first.

        A `User` with a name, an e-mail address or groups is provisioned when this process sees them for the first time,
        when one of these has changed, and when their token is denied. The last 10,000 users are remembered.
        A `str` is a subject. `timeout`: the time that everything may take, from 0 to 300. The default is 10.
        The other arguments are those of `token`.
        """
        user = User(user) if isinstance(user, str) else user
        key = Key(user.subject, user.user_id, user.tenant, user.scope)
        refusal = _requests.refusal(key, refused_token, refused_token_sha256, timeout)
        request = _requests.token(key, min_ttl, False, timeout, traceparent)
        deadline = time.monotonic() + request.timeout
        while True:
            was_known = await self._provision_at_first_sight(user, timeout, deadline)
            try:
                return await self._token(request, refusal, deadline)
            except TokenCacheError as error:
                if not self._users.is_to_be_repeated(user, error, was_known, time.monotonic()):
                    raise

    async def prefetch(
        self,
        *,
        subjects: Sequence[str] | None = None,
        user_ids: Sequence[str] | None = None,
        clients: Sequence[str] | None = None,
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
        batches = _requests.prefetch(subjects, user_ids, tenant, scope, timeout, traceparent, clients)
        deadline = time.monotonic() + batches[0].timeout
        return total([await self._call(batch, deadline) for batch in batches])

    async def invalidate(
        self,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        client: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        access_token: str | None = None,
        token_sha256: str | None = None,
        timeout: float | None = None,
    ) -> Invalidation:
        """Reports a token that the tenant's API has refused, so that the next call gets another one.

        The daemon drops it only if it is the cached one. `token_sha256`: its SHA-256 as 64 hexadecimal digits.
        """
        key = Key(subject, user_id, tenant, scope, client)
        return await self._call(_requests.invalidate(key, access_token, token_sha256, timeout))

    async def revoke(
        self,
        *,
        subject: str | None = None,
        user_id: str | None = None,
        client: str | None = None,
        tenant: str | None = None,
        scope: str | None = None,
        everywhere: bool | None = None,
        timeout: float | None = None,
        traceparent: str | None = None,
    ) -> Revocation:
        """Drops a user's tokens at logout, and revokes them at the tenant.

        If the connection ends before the reply arrives, the client asks again, and `revoked` may be false because the
        first request did the work. `everywhere`: true if all tokens that the user has at the tenant should end, also
        those that were minted elsewhere. `traceparent`: as for a token.
        """
        key = Key(subject, user_id, tenant, scope, client)
        revocation = await self._call(_requests.revoke(key, timeout, traceparent, everywhere))
        return _requests.checked_revocation(revocation, everywhere)

    async def provision(
        self,
        *,
        subject: str,
        name: str | None = None,
        email: str | None = None,
        groups: Sequence[str] | None = None,
        tenant: str | None = None,
        timeout: float | None = None,
    ) -> Provisioning:
        """Creates a user at the tenant if they aren't there, and brings their groups up to date.

        `groups`: the groups of those that the daemon's configuration covers in which the user should be, up to 100. The
        user is removed from the others of these. By default no group is touched.
        A user who was disabled or deleted at the tenant stays so, and the error is `denied`.
        """
        return await self._call(_requests.provision(subject, name, email, groups, tenant, timeout))

    def access_token_handler(
        self,
        user: Callable[[Any], User | str | Awaitable[User | str | None] | None],
        *,
        min_ttl: float | None = None,
        timeout: float | None = None,
    ) -> Callable[[Any], Awaitable[Answer]]:
        """Makes a function that answers a page's requests for its access token.

        `user`: finds who is signed in, from the request: a `User`, a subject, or None for nobody.
        The request is that of the web framework. It needs a `method`, and `headers` with a method `get` that doesn't
        distinguish upper and lower case, as those of Flask, Django and Starlette do.
        `min_ttl`, `timeout`: as for `token_for`.
        """

        async def answer(request: Any) -> Answer:
            if rejection := _pages.rejection(request):
                return rejection
            found = await _value(user(request))
            if found is None or _pages.is_nobody(found):
                return _pages.nobody()
            try:
                asked = _pages.asked(request)
                return _pages.success(await self.token_for(found, min_ttl=min_ttl, timeout=timeout, **asked))
            except TokenCacheError as error:
                return _pages.failure(error)

        return answer

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

    async def _token(self, request: Request[Token], refusal: Refusal | None, deadline: float | None = None) -> Token:
        if refusal is None:
            return await self._call(request, deadline)
        deadline = time.monotonic() + request.timeout if deadline is None else deadline
        token = await self._call(_requests.token_after(refusal, request), deadline)
        if not refusal.is_of(token):
            return token
        # The daemon is an older one, which ignores the refusal.
        refusal.check(await self._call(refusal.report, deadline))
        return refusal.checked(await self._call(request, deadline))

    async def _provision_at_first_sight(self, user: User, timeout: float | None, deadline: float) -> bool:
        """True if this process has provisioned the user before, or the user isn't to be provisioned at all."""
        if not user.is_described:
            return True
        request = _requests.provision(user.subject, user.name, user.email, user.groups, user.tenant, timeout)
        if self._users.knows(user):
            return True

        async def provision() -> None:
            self._users.forget(user)
            await self._call(request, deadline)
            self._users.remember(user)

        await self._flights.do(request.body, provision, deadline)
        return False

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


async def _value(found: T | Awaitable[T]) -> T:
    return await found if isinstance(found, Awaitable) else found
