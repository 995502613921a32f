"""What each operation takes and how that is written.

The daemon decides what a value means; here it is only made sure that the line can be read, so that one caller's slip is
answered to that caller.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Generic, TypeVar

from tokencached._errors import TokenCacheError
from tokencached._results import (
    Hello,
    Invalidation,
    Prefetch,
    Revocation,
    Token,
    is_text,
    read_hello,
    read_invalidation,
    read_prefetch,
    read_revocation,
    read_token,
)

T = TypeVar("T")

DEFAULT_TIMEOUT = 10.0
# The daemon's own limits.
LONGEST_TIMEOUT = 300.0
MOST_USERS = 1_000
# A line's 65,536 bytes, less the longest id and time-out that will stand before a request's own members.
LONGEST_BODY = 65_536 - 64


@dataclass(frozen=True)
class Request(Generic[T]):
    """A request that can be sent: its members as JSON without the braces, its time, and how its answer is read."""

    operation: str
    body: bytes
    timeout: float
    read: Callable[[Mapping[str, Any]], T]


@dataclass(frozen=True)
class Key:
    """Whose token, and which."""

    subject: str | None
    user_id: str | None
    tenant: str | None
    scope: str | None


def token(key: Key, min_ttl: float | None, no_cache: bool, timeout: float | None) -> Request[Token]:
    members = {**vars(key), "min_ttl": min_ttl, "no_cache": no_cache or None}
    return _request("token", members, timeout, read_token)


def prefetch(
    subjects: Sequence[str] | None,
    user_ids: Sequence[str] | None,
    tenant: str | None,
    scope: str | None,
    timeout: float | None,
) -> list[Request[Prefetch]]:
    """One request, or as many as the users need: a line takes 1,000 of them, or fewer where their ids are long."""

    def request(users: Mapping[str, Sequence[str] | None]) -> Request[Prefetch]:
        return _request("prefetch", {**users, "tenant": tenant, "scope": scope}, timeout, read_prefetch)

    if (subjects is None) == (user_ids is None):
        # The daemon says what is wrong with that.
        return [request({"subjects": subjects, "user_ids": user_ids})]
    name = "subjects" if user_ids is None else "user_ids"
    users = _sendable(name, subjects if user_ids is None else user_ids)
    room = LONGEST_BODY - len(request({name: []}).body)
    return [request({name: part}) for part in _parts(users, room)]


def _parts(users: Sequence[str], room: int) -> Iterator[Sequence[str]]:
    """The users in their order, in parts that fit into a line."""
    part: list[str] = []
    size = 0
    for user in users:
        length = len(_json(user)) + len(",")
        if part and (len(part) == MOST_USERS or size + length > room):
            yield part
            part, size = [], 0
        part.append(user)
        size += length
    yield part


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def invalidate(
    key: Key, access_token: str | None, token_sha256: str | None, timeout: float | None
) -> Request[Invalidation]:
    members = {**vars(key), "access_token": access_token, "token_sha256": token_sha256}
    return _request("invalidate", members, timeout, read_invalidation)


def revoke(key: Key, timeout: float | None) -> Request[Revocation]:
    return _request("revoke", vars(key), timeout, read_revocation)


def hello(timeout: float | None) -> Request[Hello]:
    return _request("hello", {}, timeout, read_hello)


def _request(
    operation: str, members: Mapping[str, Any], timeout: float | None, read: Callable[[Mapping[str, Any]], T]
) -> Request[T]:
    given = {"op": operation, **{name: _sendable(name, value) for name, value in members.items() if value is not None}}
    body = _json(given)[1:-1]
    if len(body) > LONGEST_BODY:
        raise TokenCacheError("invalid_request", "the request is too long")
    seconds = DEFAULT_TIMEOUT if timeout is None else _number("timeout", timeout)
    if not 0 <= seconds <= LONGEST_TIMEOUT:
        raise TokenCacheError("invalid_request", f"'timeout' should be seconds, 0 to {LONGEST_TIMEOUT:.0f}")
    return Request(operation, body, seconds, read)


def _sendable(name: str, value: object) -> Any:
    if isinstance(value, bool):
        return value
    if name == "min_ttl":
        return _number(name, value)
    if name in ("subjects", "user_ids"):
        # A string is a sequence of strings too, and never what was meant.
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            return [_text(name, each) for each in value]
        raise TokenCacheError("invalid_request", f"'{name}' should be a list of strings")
    return _text(name, value)


def _number(name: str, value: object) -> float:
    if isinstance(value, (int, float)) and math.isfinite(value):
        return value
    raise TokenCacheError("invalid_request", f"'{name}' should be a finite number")


def _text(name: str, value: object) -> str:
    if isinstance(value, str) and is_text(value):
        return value
    raise TokenCacheError("invalid_request", f"'{name}' should be a string")
