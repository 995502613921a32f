"""Where the daemon is, and when to try again to reach it: what threads and asyncio have in common."""

from __future__ import annotations

import errno
import math
import os
import random
import socket

from tokencached._errors import TokenCacheError

DEFAULT_PATH = "/run/tokencached/tokencached.sock"
# How much longer than the caller's time-out a reply to what was sent is waited for: the daemon keeps that time-out
# itself, and its reply says more than ours could.
GRACE = 1.0
# For how long a daemon that isn't there is waited for, where the application doesn't say. A restart takes less.
RESTART_GRACE = 2.0
LONGEST_RESTART_GRACE = 300.0
# The shortest and the longest wait before connecting again: a restart takes a few tenths of a second.
SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.5
# What Linux takes for a socket's path, in bytes. What is longer would be cut, and name another file.
LONGEST_PATH = 107
# No daemon is there: one that restarts, or none at all.
ABSENT = {errno.ENOENT, errno.ECONNREFUSED}
# What a daemon that is busy or about to end causes. Anything else, such as EACCES, another attempt won't mend.
PASSING = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.EAGAIN, errno.EINTR}
REASONS = {
    errno.ENOENT: "there is no socket",
    errno.ECONNREFUSED: "nobody listens there",
    errno.EACCES: "this user may not use it",
    errno.EAGAIN: "too many wait there already",
}


def socket_path(path: str | os.PathLike[str] | None) -> str:
    """The path that was given, or that of the environment, or where the packaged unit puts the socket.

    An empty variable is not set. `unix://` may stand in front.
    """
    found = os.fsdecode(path) if path is not None else os.environ.get("TOKENCACHED_SOCKET") or DEFAULT_PATH
    return found[len("unix://") :] if found.startswith("unix://") else found


def connect(path: str) -> socket.socket:
    """A connection, whose socket doesn't block.

    To a Unix socket it is made at once or not at all: EAGAIN says that the daemon's queue is full.
    """
    length = len(os.fsencode(path))
    if length == 0:
        raise OSError(errno.EINVAL, "the path is empty")
    if length > LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, f"the path has {length} bytes, and a socket's at most {LONGEST_PATH}")
    if "\0" in path:
        raise OSError(errno.EINVAL, "the path has a NUL in it")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


class Attempts:
    """The attempts to reach the daemon: what the last one ended with, and how long to wait before the next."""

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._restart_grace = restart_grace
        self._failures = 0
        self._absent_since: float | None = None
        # Why the last one failed.
        self.trouble = "the connection was lost"

    def connected(self) -> None:
        self._absent_since = None

    def answered(self) -> None:
        self._failures = 0

    def hung_up(self) -> float:
        """The daemon has ended the connection: the pause before the next attempt."""
        self.trouble = "the daemon closed the connection"
        return self._pause()

    def failed(self, error: OSError, now: float) -> float | None:
        """The pause before the next attempt; None where those who wait are to be told that there is no daemon."""
        self.trouble = REASONS.get(error.errno or 0) or error.strerror or str(error)
        if error.errno in ABSENT:
            if self._absent_since is None:
                self._absent_since = now
            return self._pause() if now - self._absent_since < self._restart_grace else None
        return self._pause() if error.errno in PASSING else None

    def unreachable(self) -> TokenCacheError:
        return TokenCacheError("unreachable", f"no daemon could be reached at {self._path}: {self.trouble}")

    def _pause(self) -> float:
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**self._failures)
        # Past this the pause is the longest anyway.
        self._failures = min(self._failures + 1, 10)
        return random.uniform(longest / 2, longest)


def checked_grace(seconds: float) -> float:
    """The grace that was given; raises ValueError where it is none."""
    if not math.isfinite(seconds) or not 0 <= seconds <= LONGEST_RESTART_GRACE:
        raise ValueError(f"'restart_grace' should be seconds, 0 to {LONGEST_RESTART_GRACE:.0f}")
    return seconds


def closed() -> TokenCacheError:
    return TokenCacheError("closed", "the client was closed")
