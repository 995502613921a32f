"""The answers to a page that asks for an access token, for any web framework."""

from __future__ import annotations

import logging
import math
import re
from typing import Any, NamedTuple, TypedDict

from tokencached._errors import TokenCacheError
from tokencached._results import Token
from tokencached._users import User

# The time after which the page should ask again if the error names none, in seconds.
DEFAULT_RETRY = 5.0
# The statuses of errors of the application or of a configuration, after which the page should not ask again.
FORBIDDEN = 403
PERMANENT = {
    "forbidden": FORBIDDEN,
    "conflict": 500,
    "invalid_request": 500,
    "unknown_tenant": 500,
    "unsupported_op": 500,
}
SHA256 = re.compile("[0-9a-fA-F]{64}")

log = logging.getLogger("tokencached")


class Answer(NamedTuple):
    """An answer to a page. Flask takes it as it is, and Starlette's `Response` has its parts in the same order."""

    body: str
    status: int
    headers: dict[str, str]


class Asked(TypedDict):
    """The arguments of the call for a token that the page's request has."""

    refused_token_sha256: str | None
    traceparent: str | None


def asked(request: Any) -> Asked:
    refused = request.headers.get("x-refused-token")
    return {
        "refused_token_sha256": refused if refused and SHA256.fullmatch(refused) else None,
        "traceparent": request.headers.get("traceparent"),
    }


def rejection(request: Any) -> Answer | None:
    """The answer to a request that gets no token whoever sends it."""
    return None if request.method == "POST" else _answer("only POST is answered here", 405, allow="POST")


def is_nobody(found: User | str) -> bool:
    """True for the user of a session in which nobody is signed in."""
    return isinstance(found, User) and found.subject is None and found.user_id is None


def nobody() -> Answer:
    return _answer("nobody is signed in", 401)


def success(token: Token) -> Answer:
    return _answer(token.access_token, 200)


def failure(error: TokenCacheError) -> Answer:
    status = FORBIDDEN if _is_locked_out(error) else PERMANENT.get(error.code)
    if status is not None:
        log.error("no access token can be given: %s", error)
        return _answer(f"no access token can be given ({error.code})", status)
    seconds = max(1, math.ceil(DEFAULT_RETRY if error.retry_after is None else error.retry_after))
    return _answer(f"no access token is available now ({error.code})", 503, retry_after=str(seconds))


def _is_locked_out(error: TokenCacheError) -> bool:
    """True if an administrator of the tenant has disabled or deleted the user. The daemon says so without a status."""
    code = error.upstream.code if error.upstream and error.upstream.status is None else None
    return error.code == "denied" and code in ("disabled", "deleted")


def _answer(body: str, status: int, **headers: str) -> Answer:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    usual = {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Answer(body, status, {**usual, **given})
