"""The client for threads."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Callable, TypeVar

from tokencached import _pages, _requests
from tokencached._connecting import REPLY_GRACE, RESTART_GRACE, checked_grace, socket_path
from tokencached._errors import TokenCacheError
from tokencached._flights import ThreadFlights
from tokencached._pages import Answer
from tokencached._pending_requests import Call
from tokencached._requests import Key, Refusal, Request
from tokencached._results import Hello, Invalidation, Prefetch, Provisioning, Revocation, Token, total
from tokencached._thread_connections import ThreadConnections
from tokencached._users import ProvisionedUsers, User

T = TypeVar("T")


class TokenCache:
    """A client of the daemon on this machine, over connections that all threads of the process share.

    Make one for the process. It connects when the first call is made. A restart of the daemon fails no call, and a
    forked process has connections of its own. All times are in seconds. Every call may raise `TokenCacheError`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, restart_grace: float = RESTART_GRACE) -> None:
        """Creates a client, which connects when the first call is made.

        `path`: the path of the daemon's socket, 1 to 107 bytes, with or without `unix://` in front. By default it is
        that of `TOKENCACHED_SOCKET` unless it is empty, otherwise `/run/tokencached/tokencached.sock`.
        `restart_grace`: the time for which calls wait for a daemon that isn't there, from 0 to 300 seconds. When it has
        passed, calls fail at once with `unreachable` until the daemon is there again. Raises ValueError out of range.
        """
        self._connections = ThreadConnections(socket_path(path), checked_grace(restart_grace))
        self._users = ProvisionedUsers()
        self._flights = ThreadFlights()
        # The thread must not refer to the client, which would then never be collected.
        weakref.finalize(self, self._connections.abandon)

    def token(
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
        return self._token(request, refusal)

    def token_for(
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
            was_known = self._provision_at_first_sight(user, timeout, deadline)
            try:
                return self._token(request, refusal, deadline)
            except TokenCacheError as error:
                if not self._users.is_to_be_repeated(user, error, was_known, time.monotonic()):
                    raise

    def prefetch(
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
        return total([self._call(batch, deadline) for batch in batches])

    def invalidate(
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
        return self._call(_requests.invalidate(key, access_token, token_sha256, timeout))

    def revoke(
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
        revocation = self._call(_requests.revoke(key, timeout, traceparent, everywhere))
        return _requests.checked_revocation(revocation, everywhere)

    def provision(
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
        return self._call(_requests.provision(subject, name, email, groups, tenant, timeout))

    def access_token_handler(
        self,
        user: Callable[[Any], User | str | None],
        *,
        min_ttl: float | None = None,
        timeout: float | None = None,
    ) -> Callable[[Any], Answer]:
        """Makes a function that answers a page's requests for its access token.

        `user`: finds who is signed in, from the request: a `User`, a subject, or None for nobody.
        The request is that of the web framework. It needs a `method`, and `headers` with a method `get` that doesn't
        distinguish upper and lower case, as those of Flask, Django and Starlette do.
        `min_ttl`, `timeout`: as for `token_for`.
        """

        def answer(request: Any) -> Answer:
            if rejection := _pages.rejection(request):
                return rejection
            found = user(request)
            if found is None or _pages.is_nobody(found):
                return _pages.nobody()
            try:
                asked = _pages.asked(request)
                return _pages.success(self.token_for(found, min_ttl=min_ttl, timeout=timeout, **asked))
            except TokenCacheError as error:
                return _pages.failure(error)

        return answer

    def hello(self, *, timeout: float | None = None) -> Hello:
        """Asks for the daemon's version, and for what this process may use."""
        return self._call(_requests.hello(timeout))

    def close(self) -> None:
        """Closes the client. Calls that wait, and later ones, fail with `closed`. A signal handler may call it."""
        self._connections.close()

    def __enter__(self) -> TokenCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _token(self, request: Request[Token], refusal: Refusal | None, deadline: float | None = None) -> Token:
        if refusal is None:
            return self._call(request, deadline)
        deadline = time.monotonic() + request.timeout if deadline is None else deadline
        token = self._call(_requests.token_after(refusal, request), deadline)
        if not refusal.is_of(token):
            return token
        # The daemon is an older one, which ignores the refusal.
        refusal.check(self._call(refusal.report, deadline))
        return refusal.checked(self._call(request, deadline))

    def _provision_at_first_sight(self, user: User, timeout: float | None, deadline: float) -> bool:
        """True if this process has provisioned the user before, or the user isn't to be provisioned at all."""
        if not user.is_described:
            return True
        request = _requests.provision(user.subject, user.name, user.email, user.groups, user.tenant, timeout)
        if self._users.knows(user):
            return True

        def provision() -> None:
            # Another thread may have done it since.
            if not self._users.knows(user):
                self._users.forget(user)
                self._call(request, deadline)
                self._users.remember(user)

        self._flights.do(request.body, provision, deadline)
        return False

    def _call(self, request: Request[T], deadline: float | None = None) -> T:
        waiter = _Waiter()
        now = time.monotonic()
        call = Call(request, now + request.timeout if deadline is None else deadline, waiter.end)
        try:
            self._connections.add(call)
            self._await(call, waiter)
        finally:
            # The wait may have been interrupted, as by Ctrl-C.
            if not waiter.has_ended:
                self._connections.give_up(call)
        if not waiter.has_ended:
            raise self._connections.timeout_error()
        if waiter.error is not None:
            raise waiter.error
        result: T = waiter.answer
        return result

    def _await(self, call: Call, waiter: _Waiter) -> None:
        if not waiter.wait(call.deadline) and self._connections.is_trying(call):
            waiter.wait(call.deadline + REPLY_GRACE)


class _Waiter:
    """A caller's wait for the outcome of its call.

    It is a lock and nothing else, because a signal handler may interrupt the caller at any point.
    """

    def __init__(self) -> None:
        self.has_ended = False
        self.answer: Any = None
        self.error: TokenCacheError | None = None
        self._lock = threading.Lock()
        self._lock.acquire()

    def end(self, answer: object, error: TokenCacheError | None) -> None:
        self.answer = answer
        self.error = error
        self.has_ended = True
        self._lock.release()

    def wait(self, deadline: float) -> bool:
        """Waits until the call has ended or the deadline has passed. True if the call has ended."""
        return self._lock.acquire(timeout=max(0, deadline - time.monotonic()))
