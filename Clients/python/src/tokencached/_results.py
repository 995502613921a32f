"""What the daemon's answers are to the caller, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Token:
    """A user's token as the daemon answered it."""

    access_token: str = field(repr=False)
    """The bearer token: whoever has it is that user until it expires. It doesn't show in the object's text."""
    token_type: str
    """`Bearer`."""
    expires_in: float
    """Whole seconds left when the daemon answered."""
    expires_at: str
    """When it ends by the daemon's clock, in the form of RFC 3339; for display."""
    scope: str
    """What the tenant granted."""
    source: str
    """`cache` or `tenant`; a later daemon may know more."""
    stale: bool = False
    """Whether it has less left than the daemon prefers, because minting another failed."""
    min_ttl_met: bool = True
    """Whether it has as much left as `min_ttl` asked for; false where a new one would have no more."""


@dataclass(frozen=True)
class Prefetch:
    """What a prefetch found: how many are being minted, were there already, and are refused at present."""

    queued: int
    cached: int
    refused: int = 0


@dataclass(frozen=True)
class Invalidation:
    """Whether that very token was dropped; where it had just replaced a reported one, when to report it again."""

    invalidated: bool
    retry_after: float | None = None


@dataclass(frozen=True)
class Revocation:
    """Whether there was a token to revoke, and whether the tenant has revoked it."""

    revoked: bool
    upstream: bool = True


@dataclass(frozen=True)
class Hello:
    """What the daemon is, and what this process may use of it."""

    server: str
    version: str
    protocol: int
    operations: tuple[str, ...]
    tenants: tuple[str, ...]
    max_line: int


class Unreadable(Exception):
    """A reply lacks what its operation promises."""


def read_token(reply: Mapping[str, Any]) -> Token:
    token = _member(reply, "access_token", str)
    if not token:
        raise Unreadable
    left: float = _member(reply, "expires_in", (int, float))
    return Token(
        token,
        _member(reply, "token_type", str),
        left,
        _member(reply, "expires_at", str),
        _member(reply, "scope", str),
        _member(reply, "source", str),
        reply.get("stale") is True,
        reply.get("min_ttl_met") is not False,
    )


def read_prefetch(reply: Mapping[str, Any]) -> Prefetch:
    return Prefetch(_member(reply, "queued", int), _member(reply, "cached", int), reply.get("refused", 0))


def read_invalidation(reply: Mapping[str, Any]) -> Invalidation:
    return Invalidation(_member(reply, "invalidated", bool), reply.get("retry_after"))


def read_revocation(reply: Mapping[str, Any]) -> Revocation:
    return Revocation(_member(reply, "revoked", bool), reply.get("upstream", True))


def read_hello(reply: Mapping[str, Any]) -> Hello:
    return Hello(
        _member(reply, "server", str),
        _member(reply, "version", str),
        _member(reply, "protocol", int),
        tuple(_member(reply, "ops", list)),
        tuple(_member(reply, "tenants", list)),
        _member(reply, "max_line", int),
    )


def _member(reply: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    value = reply.get(name)
    if not isinstance(value, kind):
        raise Unreadable
    return value
