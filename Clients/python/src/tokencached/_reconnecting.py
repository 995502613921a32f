"""Where the daemon is, and when to try again to reach it: what threads and asyncio have in common."""

from __future__ import annotations

import errno
import os
import random

from tokencached._errors import TokenCacheError

DEFAULT_PATH = "/run/tokencached/tokencached.sock"
# How much longer than the caller's time-out a reply to what was sent is waited for: the daemon keeps that time-out
# itself, and its reply says more than ours could.
GRACE = 1.0
# The shortest and the longest wait before connecting again: a restart takes a few tenths of a second.
SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.5
# What a daemon that starts, restarts or is busy causes; anything else, such as EACCES, another attempt won't mend.
PASSING = {
    errno.ENOENT,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.EPIPE,
    errno.EAGAIN,
    errno.EINTR,
}
REASONS = {
    errno.ENOENT: "there is no socket",
    errno.ECONNREFUSED: "nobody listens there",
    errno.EACCES: "this user may not use it",
}


def socket_path(path: str | os.PathLike[str] | None) -> str:
    """The path that was given, or that of the environment, or where the packaged unit puts the socket."""
    return os.fspath(path) if path is not None else os.environ.get("TOKENCACHED_SOCKET") or DEFAULT_PATH


class Attempts:
    """The attempts to reach the daemon: what the last one ended with, and how long to wait before the next."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._failures = 0
        self._trouble = "the connection was lost"

    def answered(self) -> None:
        self._failures = 0

    def failed(self, error: OSError | None) -> float | None:
        """The pause before the next attempt; None where another won't help. Without an error, the daemon hung up."""
        if error is None:
            self._trouble = "the daemon closed the connection"
        else:
            self._trouble = REASONS.get(error.errno or 0) or error.strerror or str(error)
            if error.errno not in PASSING:
                return None
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**self._failures)
        # Past this the pause is the longest anyway.
        self._failures = min(self._failures + 1, 10)
        return random.uniform(longest / 2, longest)

    def unreachable(self) -> TokenCacheError:
        return TokenCacheError("unreachable", f"no daemon could be reached at {self._path}: {self._trouble}")


def late(is_connected: bool, attempts: Attempts) -> TokenCacheError:
    """The error of a call whose time has passed."""
    return TokenCacheError("timeout", "the daemon did not answer in time") if is_connected else attempts.unreachable()


def closed() -> TokenCacheError:
    return TokenCacheError("closed", "the client was closed")
