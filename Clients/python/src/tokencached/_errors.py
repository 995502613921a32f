"""The error of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokencached._results import delay, is_valid_string


@dataclass(frozen=True)
class Upstream:
    """The tenant's own words about a failure.

    If the tenant did not answer, `status` is None and `code` is the daemon's for the reason, such as `tls_expired`.
    """

    status: int | None
    code: str | None = None
    title: str | None = None


class TokenCacheError(Exception):
    """The reason why a call failed. It never contains a token.

    `code` is the daemon's (`denied`, `rate_limited`, `unavailable`, …) or one of the client's own:

    - `unreachable`: no daemon could be reached in the call's time
    - `timeout`: the daemon did not answer in that time. The daemon sends this code, too
    - `bad_reply`: the daemon's reply is malformed
    - `closed`: the client was closed
    - `invalid_request`: the request was not sent, because it can't be written as a line of the protocol

    `description` is a sentence for a log. `retry_after` is the time in seconds after which another attempt makes sense.
    """

    def __init__(
        self, code: str, description: str, retry_after: float | None = None, upstream: Upstream | None = None
    ) -> None:
        # All arguments, so that the error can be pickled, as process pools do.
        super().__init__(code, description, retry_after, upstream)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.upstream = upstream

    def __str__(self) -> str:
        text = f"{self.code}: {self.description}"
        if self.upstream is None:
            return text
        words = ": ".join(word for word in (self.upstream.code, self.upstream.title) if word)
        return f"{text} ({words})" if words else text


def error_of(reply: Mapping[str, Any]) -> TokenCacheError | None:
    """The error that a reply reports, or None if it reports success."""
    code = reply.get("error")
    if not isinstance(code, str) or not is_valid_string(code):
        return None
    text, upstream = reply.get("error_description"), reply.get("upstream")
    return TokenCacheError(
        code,
        _printable(text) or code,
        delay(reply.get("retry_after")),
        _upstream(upstream) if isinstance(upstream, dict) else None,
    )


def _upstream(members: Mapping[str, Any]) -> Upstream | None:
    status, code = members.get("status"), _printable(members.get("code"))
    if type(status) is not int if "status" in members else code is None:
        return None
    return Upstream(status, code, _printable(members.get("title")))


def _printable(text: object) -> str | None:
    return text if isinstance(text, str) and is_valid_string(text) else None
