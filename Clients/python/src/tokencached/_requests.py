"""The requests of each operation, encoded.

The daemon checks what a value means. Here only its type is checked, so that a mistake of one caller is reported to that
caller.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable, Generic, TypeVar

from tokencached._errors import TokenCacheError
from tokencached._results import (
    Hello,
    Invalidation,
    Prefetch,
    Provisioning,
    Revocation,
    Token,
    is_valid_string,
    read_hello,
    read_invalidation,
    read_prefetch,
    read_provisioning,
    read_revocation,
    read_token,
)

T = TypeVar("T")

DEFAULT_TIMEOUT = 10.0
# The limits of the daemon.
LONGEST_TIMEOUT = 300.0
MOST_USERS = 1_000
# The 65,536 bytes of a line without the id and the timeout, which are added later.
LONGEST_BODY = 65_536 - 64
# The members that are lists of strings.
LISTS = ("subjects", "user_ids", "clients", "groups")


@dataclass(frozen=True)
class Request(Generic[T]):
    """A request: its members as JSON without the braces, its timeout, and the function that reads its reply."""

    operation: str
    body: bytes
    timeout: float
    read: Callable[[Mapping[str, Any]], T]


@dataclass(frozen=True)
class Key:
    """The user or the client, the tenant and the scopes of a token."""

    subject: str | None
    user_id: str | None
    tenant: str | None
    scope: str | None
    client: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A token that the tenant's API has refused, by its SHA-256, and the request that only reports it.

    An older daemon ignores the refusal in a request for a token.
    """

    token_sha256: str
    report: Request[Invalidation]

    def is_of(self, token: Token) -> bool:
        """True if that token is the refused one."""
        return hashlib.sha256(token.access_token.encode()).hexdigest() == self.token_sha256.lower()

    def check(self, report: Invalidation) -> None:
        """Raises `rate_limited` if the daemon keeps that token, because it has just replaced a reported one."""
        if report.retry_after is not None:
            raise self._no_other(report.retry_after)

    def checked(self, token: Token) -> Token:
        """The token, unless it is the refused one."""
        if self.is_of(token):
            raise self._no_other(None)
        return token

    @staticmethod
    def _no_other(retry_after: float | None) -> TokenCacheError:
        return TokenCacheError("rate_limited", "the refused token can't be replaced yet", retry_after)


def refusal(key: Key, token: str | None, token_sha256: str | None, timeout: float | None) -> Refusal | None:
    """The refusal that a call names by the token or by its SHA-256."""
    if token is not None and token_sha256 is not None:
        raise TokenCacheError("invalid_request", "'refused_token' and 'refused_token_sha256' exclude each other")
    if token is not None:
        token_sha256 = hashlib.sha256(_text("refused_token", token).encode()).hexdigest()
    if token_sha256 is None:
        return None
    return Refusal(_text("refused_token_sha256", token_sha256), invalidate(key, None, token_sha256, timeout))


def token(
    key: Key, min_ttl: float | None, no_cache: bool, timeout: float | None, traceparent: str | None = None
) -> Request[Token]:
    members = {**vars(key), "min_ttl": min_ttl, "no_cache": no_cache or None, "traceparent": traceparent}
    return _request("token", members, timeout, read_token)


def token_after(refusal: Refusal, request: Request[Token]) -> Request[Token]:
    """The request for another token than the refused one."""
    refused = {"refused_token_sha256": refusal.token_sha256}
    return replace(request, body=_checked(b"%b,%b" % (request.body, _json(refused)[1:-1])))


def prefetch(
    subjects: Sequence[str] | None,
    user_ids: Sequence[str] | None,
    tenant: str | None,
    scope: str | None,
    timeout: float | None,
    traceparent: str | None = None,
    clients: Sequence[str] | None = None,
) -> list[Request[Prefetch]]:
    """The requests that the users need: each has 1,000 of them, or fewer if their names are long."""

    def request(users: Mapping[str, Sequence[str] | None]) -> Request[Prefetch]:
        members = {**users, "tenant": tenant, "scope": scope, "traceparent": traceparent}
        return _request("prefetch", members, timeout, read_prefetch)

    lists = {"subjects": subjects, "user_ids": user_ids, "clients": clients}
    given = [name for name, value in lists.items() if value is not None]
    if len(given) != 1:
        # The daemon rejects a request that has several or none.
        return [request(lists)]
    (name,) = given
    users = _sendable(name, lists[name])
    capacity = LONGEST_BODY - len(request({name: []}).body)
    return [request({name: batch}) for batch in _batches(users, capacity)]


def _batches(users: Sequence[str], capacity: int) -> Iterator[Sequence[str]]:
    """The users in their order, in batches of which each fits into a line."""
    batch: list[str] = []
    size = 0
    for user in users:
        length = len(_json(user)) + len(",")
        if batch and (len(batch) == MOST_USERS or size + length > capacity):
            yield batch
            batch, size = [], 0
        batch.append(user)
        size += length
    yield batch


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def invalidate(
    key: Key, access_token: str | None, token_sha256: str | None, timeout: float | None
) -> Request[Invalidation]:
    members = {**vars(key), "access_token": access_token, "token_sha256": token_sha256}
    return _request("invalidate", members, timeout, read_invalidation)


def revoke(
    key: Key, timeout: float | None, traceparent: str | None = None, everywhere: bool | None = None
) -> Request[Revocation]:
    members = {**vars(key), "everywhere": everywhere, "traceparent": traceparent}
    return _request("revoke", members, timeout, read_revocation)


def checked_revocation(revocation: Revocation, everywhere: bool | None) -> Revocation:
    """The result. Raises `unsupported_op` if the daemon doesn't know `everywhere`, which it then ignores."""
    if everywhere and revocation.upstream_revoked is None:
        raise TokenCacheError(
            "unsupported_op", "the daemon does not know 'everywhere': tokens from elsewhere are valid"
        )
    return revocation


def provision(
    subject: str | None,
    name: str | None,
    email: str | None,
    groups: Sequence[str] | None,
    tenant: str | None,
    timeout: float | None,
) -> Request[Provisioning]:
    members = {"subject": subject, "name": name, "email": email, "groups": groups, "tenant": tenant}
    return _request("provision", members, timeout, read_provisioning)


def hello(timeout: float | None) -> Request[Hello]:
    return _request("hello", {}, timeout, read_hello)


def _request(
    operation: str, members: Mapping[str, Any], timeout: float | None, read: Callable[[Mapping[str, Any]], T]
) -> Request[T]:
    given = {"op": operation, **{name: _sendable(name, value) for name, value in members.items() if value is not None}}
    body = _checked(_json(given)[1:-1])
    seconds = DEFAULT_TIMEOUT if timeout is None else _number("timeout", timeout)
    if not 0 <= seconds <= LONGEST_TIMEOUT:
        raise TokenCacheError("invalid_request", f"'timeout' should be seconds, 0 to {LONGEST_TIMEOUT:.0f}")
    return Request(operation, body, seconds, read)


def _checked(body: bytes) -> bytes:
    """The body, if the daemon accepts a line of that length."""
    if len(body) > LONGEST_BODY:
        raise TokenCacheError("invalid_request", "the request is too long")
    return body


def _sendable(name: str, value: object) -> Any:
    if isinstance(value, bool):
        return value
    if name == "min_ttl":
        return _number(name, value)
    if name in LISTS:
        # A string is a sequence of strings, too, but never what the caller meant.
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            return [_text(name, each) for each in value]
        raise TokenCacheError("invalid_request", f"'{name}' should be a list of strings")
    return _text(name, value)


def _number(name: str, value: object) -> float:
    if isinstance(value, (int, float)) and math.isfinite(value):
        return value
    raise TokenCacheError("invalid_request", f"'{name}' should be a finite number")


def _text(name: str, value: object) -> str:
    if isinstance(value, str) and is_valid_string(value):
        return value
    raise TokenCacheError("invalid_request", f"'{name}' should be a string")
