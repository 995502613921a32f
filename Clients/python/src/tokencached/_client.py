"""The client for threads."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TypeVar

from tokencached import _requests
from tokencached._conversation import Call
from tokencached._errors import TokenCacheError
from tokencached._reconnecting import GRACE, RESTART_GRACE, checked_grace, socket_path
from tokencached._requests import Key, Request
from tokencached._results import Hello, Invalidation, Prefetch, Revocation, Token, total
from tokencached._thread_connections import ThreadConnections

T = TypeVar("T")


class TokenCache:
    """A tokencached on this machine, through a connection that all threads of the process share.

    Make one for the process. It connects when it is first needed, and again after the daemon's restart without failing
    a call. A process that was forked has a connection of its own. All times are in seconds; every call raises
    `TokenCacheError`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, restart_grace: float = RESTART_GRACE) -> None:
        """Makes a client, which connects when it is first asked.

        `path`: the daemon's socket; that of `TOKENCACHED_SOCKET` or of the packaged daemon where it is left out.
        `restart_grace`: how long a daemon that isn't there is waited for, 0 to 300 seconds; then calls fail at once.
        """
        self._connections = ThreadConnections(socket_path(path), checked_grace(restart_grace))
        # The connections' thread would keep a client alive that nobody has any more.
        weakref.finalize(self, self._connections.abandon)

    def token(
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
        return self._call(_requests.token(key, min_ttl, no_cache, timeout))

    def prefetch(
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
        return total([self._call(part, deadline) for part in parts])

    def invalidate(
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
        return self._call(_requests.invalidate(key, access_token, token_sha256, timeout))

    def revoke(
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
        return self._call(_requests.revoke(Key(subject, user_id, tenant, scope), timeout))

    def hello(self, *, timeout: float | None = None) -> Hello:
        """What the daemon is, and what this process may use of it."""
        return self._call(_requests.hello(timeout))

    def close(self) -> None:
        """Ends the connection; calls that wait, and later ones, fail with `closed`. A signal handler may call it."""
        self._connections.close()

    def __enter__(self) -> TokenCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, request: Request[T], deadline: float | None = None) -> T:
        waiter = _Waiter()
        now = time.monotonic()
        call = Call(request, now + request.timeout if deadline is None else deadline, waiter.end)
        try:
            self._connections.ask(call)
            self._await(call, waiter)
        finally:
            # Also where the wait was interrupted, as by Ctrl-C.
            if not waiter.has_ended:
                self._connections.give_up(call)
        if not waiter.has_ended:
            raise self._connections.late()
        if waiter.error is not None:
            raise waiter.error
        result: T = waiter.answer
        return result

    def _await(self, call: Call, waiter: _Waiter) -> None:
        if not waiter.wait(call.deadline) and self._connections.is_trying(call):
            waiter.wait(call.deadline + GRACE)


class _Waiter:
    """Where a caller waits for what comes of its call.

    A bare lock, because a signal handler may interrupt the caller in the midst of it: it has no state in between.
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
        """Waits until the call has ended or its time has passed; whether it has ended."""
        return self._lock.acquire(timeout=max(0, deadline - time.monotonic()))
