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
from tokencached._connection import Connection
from tokencached._errors import TokenCacheError
from tokencached._exchange import Call
from tokencached._reconnecting import GRACE, socket_path
from tokencached._requests import Key, Request
from tokencached._results import Hello, Invalidation, Prefetch, Revocation, Token

T = TypeVar("T")


class TokenCache:
    """A tokencached on this machine, through one connection that all threads of the process share.

    Make one for the process. It connects when it is first needed, and again after the daemon's restart without failing
    a call. A process that was forked has a connection of its own. All times are in seconds; every call raises
    `TokenCacheError`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """`path`: the daemon's socket; that of `TOKENCACHED_SOCKET` or of the packaged daemon where it is left out."""
        self._connection = Connection(socket_path(path))
        # The connection's thread would keep a client alive that nobody has any more.
        weakref.finalize(self, self._connection.abandon)

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
        """Has tokens minted that will be needed."""
        return self._call(_requests.prefetch(subjects, user_ids, tenant, scope, timeout))

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
        """Ends the connection; calls that wait, and later ones, fail with `closed`."""
        self._connection.close()

    def __enter__(self) -> TokenCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, request: Request[T]) -> T:
        ended = threading.Event()
        outcome: list[Any] = [None, None]

        def end(answer: object, error: TokenCacheError | None) -> None:
            outcome[:] = answer, error
            ended.set()

        call = Call(request, time.monotonic() + request.timeout, end)
        self._connection.ask(call)
        try:
            self._await(call, ended)
        finally:
            # Also where the wait was interrupted, as by Ctrl-C. The reply may have come in between.
            was_late = self._connection.give_up(call)
        if was_late:
            raise self._connection.late()
        answer, error = outcome
        if error is not None:
            raise error
        result: T = answer
        return result

    def _await(self, call: Call, ended: threading.Event) -> None:
        if ended.wait(call.request.timeout) or not self._connection.is_trying(call):
            return
        ended.wait(max(0, call.deadline + GRACE - time.monotonic()))
