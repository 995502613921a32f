"""What the daemon's answers are to the caller, and how they are read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The longest `retry_after` that is taken for one, in seconds: 30 days.
LONGEST_PAUSE = 2_592_000
SURROGATE = re.compile("[\ud800-\udfff]")


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
    token = _text(reply, "access_token")
    if not token:
        raise Unreadable
    left = _member(reply, "expires_in", (int, float))
    if not math.isfinite(left):
        raise Unreadable
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


def total(parts: Sequence[Prefetch]) -> Prefetch:
    """What the parts of a prefetch found together."""
    return Prefetch(
        sum(part.queued for part in parts), sum(part.cached for part in parts), sum(part.refused for part in parts)
    )


def read_invalidation(reply: Mapping[str, Any]) -> Invalidation:
    return Invalidation(_member(reply, "invalidated", bool), pause(reply.get("retry_after")))


def read_revocation(reply: Mapping[str, Any]) -> Revocation:
    return Revocation(_member(reply, "revoked", bool), reply.get("upstream") is not False)


def read_hello(reply: Mapping[str, Any]) -> Hello:
    return Hello(
        _text(reply, "server"),
        _text(reply, "version"),
        _member(reply, "protocol", int),
        _texts(reply, "ops"),
        _texts(reply, "tenants"),
        _member(reply, "max_line", int),
    )


def pause(value: object) -> float | None:
    """A `retry_after` that somebody can wait for; None for any other."""
    return value if _is(value, (int, float)) and 0 <= value <= LONGEST_PAUSE else None  # type: ignore[operator,return-value]


def is_text(value: object) -> bool:
    """Whether it is a string without lone surrogates, which could be neither sent nor printed."""
    return isinstance(value, str) and (value.isascii() or not SURROGATE.search(value))


def _member(reply: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    value = reply.get(name)
    if not _is(value, kind):
        raise Unreadable
    return value


def _text(reply: Mapping[str, Any], name: str) -> str:
    text: str = _member(reply, name, str)
    if not is_text(text):
        raise Unreadable
    return text


def _texts(reply: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts: list[str] = _member(reply, name, list)
    if not all(is_text(each) for each in texts):
        raise Unreadable
    return tuple(texts)


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    # To Python a bool is an int.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
