"""The results of the operations, and how they are read from the daemon's replies."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The longest `retry_after` that a reply is believed to ask for, in seconds: 30 days.
LONGEST_DELAY = 2_592_000
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Token:
    """A user's access token and what the daemon says about it."""

    access_token: str = field(repr=False)
    """The bearer token. Whoever has it can act as that user until it expires. `repr` doesn't show it."""
    token_type: str
    """`Bearer`."""
    expires_in: float
    """The time that was left when the daemon answered, in whole seconds, rounded down."""
    expires_at: str
    """The time of its end by the daemon's wall clock, in the form of RFC 3339. It is for display."""
    scope: str
    """The scopes that the tenant granted, separated by spaces."""
    source: str
    """`cache`, or `tenant` if it was minted during this call. A later daemon may name other sources."""
    stale: bool = False
    """True if the token has less left than the daemon prefers, because minting another one failed."""
    min_ttl_met: bool = True
    """True if the token has as much left as `min_ttl` asked for. False if a new token would not have more."""


@dataclass(frozen=True)
class Prefetch:
    """The numbers of tokens that are being minted or were cached, and of users that the tenant has refused recently."""

    queued: int
    cached: int
    refused: int = 0


@dataclass(frozen=True)
class Invalidation:
    """True if that very token was dropped. `retry_after` says when to report a token again that is too new to be."""

    invalidated: bool
    retry_after: float | None = None


@dataclass(frozen=True)
class Revocation:
    """`revoked` is true if a token was cached. `upstream` is false if the tenant failed to revoke one."""

    revoked: bool
    upstream: bool = True
    upstream_revoked: int | None = None
    """With `everywhere`, the number of the user's tokens that were ended at the tenant. Otherwise None."""


@dataclass(frozen=True)
class Provisioning:
    """A user at the tenant, and what was done for them."""

    user_id: str
    """The tenant's own ID of the user."""
    status: str
    """The user's status at the tenant: `active`, or `invited`. A later daemon may name others."""
    created: bool
    """True if there was no such user before."""
    groups_changed: bool
    """True if the user was put into a group, or removed from one."""
    source: str = "tenant"
    """`cache` if the daemon remembered an equal request, otherwise `tenant`."""


@dataclass(frozen=True)
class Hello:
    """The daemon's version, and the names of the operations, tenants and clients that this process may use."""

    server: str
    version: str
    protocol: int
    operations: tuple[str, ...]
    tenants: tuple[str, ...]
    max_line: int
    clients: tuple[str, ...] = ()


class MalformedReply(Exception):
    """A reply is not one to its operation."""


def read_token(reply: Mapping[str, Any]) -> Token:
    token = _text(reply, "access_token")
    if not token:
        raise MalformedReply
    left = _member(reply, "expires_in", (int, float))
    if not math.isfinite(left):
        raise MalformedReply
    return Token(
        token,
        _text(reply, "token_type"),
        left,
        _text(reply, "expires_at"),
        _text(reply, "scope"),
        _text(reply, "source"),
        reply.get("stale") is True,
        reply.get("min_ttl_met") is not False,
    )


def read_prefetch(reply: Mapping[str, Any]) -> Prefetch:
    return Prefetch(
        _member(reply, "queued", int), _member(reply, "cached", int), _member({"refused": 0, **reply}, "refused", int)
    )


def total(batches: Sequence[Prefetch]) -> Prefetch:
    """The sum over the batches of a prefetch."""
    return Prefetch(
        sum(each.queued for each in batches),
        sum(each.cached for each in batches),
        sum(each.refused for each in batches),
    )


def read_invalidation(reply: Mapping[str, Any]) -> Invalidation:
    return Invalidation(_member(reply, "invalidated", bool), delay(reply.get("retry_after")))


def read_revocation(reply: Mapping[str, Any]) -> Revocation:
    ended = _member(reply, "upstream_revoked", int) if "upstream_revoked" in reply else None
    return Revocation(_member(reply, "revoked", bool), reply.get("upstream") is not False, ended)


def read_provisioning(reply: Mapping[str, Any]) -> Provisioning:
    user_id = _text(reply, "user_id")
    if not user_id:
        raise MalformedReply
    return Provisioning(
        user_id,
        _text(reply, "status"),
        _member(reply, "created", bool),
        _member(reply, "groups_changed", bool),
        _text({"source": "tenant", **reply}, "source"),
    )


def read_hello(reply: Mapping[str, Any]) -> Hello:
    return Hello(
        _text(reply, "server"),
        _text(reply, "version"),
        _member(reply, "protocol", int),
        _texts(reply, "ops"),
        _texts(reply, "tenants"),
        _member(reply, "max_line", int),
        _texts({"clients": [], **reply}, "clients"),
    )


def delay(value: object) -> float | None:
    """A `retry_after` in seconds, or None if it is no delay that somebody could wait for."""
    return value if _is(value, (int, float)) and 0 <= value <= LONGEST_DELAY else None  # type: ignore[operator,return-value]


def is_valid_string(value: object) -> bool:
    """True if the value is a string without lone surrogates, which can be neither sent nor printed."""
    return isinstance(value, str) and (value.isascii() or not SURROGATE.search(value))


def _member(reply: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    value = reply.get(name)
    if not _is(value, kind):
        raise MalformedReply
    return value


def _text(reply: Mapping[str, Any], name: str) -> str:
    text: str = _member(reply, name, str)
    if not is_valid_string(text):
        raise MalformedReply
    return text


def _texts(reply: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts: list[str] = _member(reply, name, list)
    if not all(is_valid_string(each) for each in texts):
        raise MalformedReply
    return tuple(texts)


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    # In Python a bool is an int, too.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
