"""Why a call got no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokencached._results import is_text, pause


@dataclass(frozen=True)
class Upstream:
    """What the tenant said, where it refused.

    Where it gave no answer, `status` is None and `code` is the daemon's for the reason, such as `tls_expired`.
    """

    status: int | None
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
    if not isinstance(code, str) or not is_text(code):
        return None
    text, upstream = reply.get("error_description"), reply.get("upstream")
    return TokenCacheError(
        code,
        _printable(text) or code,
        pause(reply.get("retry_after")),
        _upstream(upstream) if isinstance(upstream, dict) else None,
    )


def _upstream(members: Mapping[str, Any]) -> Upstream | None:
    status, code = members.get("status"), _printable(members.get("code"))
    if type(status) is not int if "status" in members else code is None:
        return None
    return Upstream(status, code, _printable(members.get("title")))


def _printable(text: object) -> str | None:
    return text if isinstance(text, str) and is_text(text) else None
