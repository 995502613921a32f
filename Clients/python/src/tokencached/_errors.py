"""Why a call got no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Upstream:
    """What the tenant said, where it refused."""

    status: int
    code: str | None = None
    title: str | None = None


class TokenCacheError(Exception):
    """Why a call got no answer. It never holds a token.

    `code` is the daemon's (`denied`, `rate_limited`, `unavailable`, …) or one of the client's own: `unreachable` (no
    daemon was there in the call's time), `timeout` (there was one, without an answer in that time; the daemon says this
    too), `bad_reply` (what came makes no sense), `closed` (the client was closed) and `invalid_request` (never sent,
    because it can't be written as a line of the protocol). `retry_after` says in seconds when to ask again.
    """

    def __init__(
        self, code: str, description: str, retry_after: float | None = None, upstream: Upstream | None = None
    ) -> None:
        # All of it, so that the error can be pickled, as process pools do.
        super().__init__(code, description, retry_after, upstream)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.upstream = upstream

    def __str__(self) -> str:
        return f"{self.code}: {self.description}"


def error_of(reply: Mapping[str, Any]) -> TokenCacheError | None:
    """The error that a reply tells of; None where it is an answer."""
    code = reply.get("error")
    if not isinstance(code, str):
        return None
    text, retry_after, upstream = (reply.get(name) for name in ("error_description", "retry_after", "upstream"))
    return TokenCacheError(
        code,
        text if isinstance(text, str) else code,
        retry_after if isinstance(retry_after, (int, float)) else None,
        _upstream(upstream) if isinstance(upstream, dict) else None,
    )


def _upstream(members: Mapping[str, Any]) -> Upstream | None:
    status = members.get("status")
    return Upstream(status, members.get("code"), members.get("title")) if isinstance(status, int) else None
