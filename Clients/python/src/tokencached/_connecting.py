"""The path of the daemon's socket, connecting to it, and the attempts to do so, for threads and for asyncio."""

from __future__ import annotations

import errno
import math
import os
import random
import socket

from tokencached._errors import TokenCacheError

DEFAULT_PATH = "/run/tokencached/tokencached.sock"
# The time for which a reply is awaited after the caller's timeout. The daemon keeps the timeout itself, and its reply
# says more than the client could.
REPLY_GRACE = 1.0
# The default time for which calls wait for a daemon that isn't there. A restart takes less.
RESTART_GRACE = 2.0
LONGEST_RESTART_GRACE = 300.0
# The shortest and the longest backoff. A restart of the daemon takes some tenths of a second.
SHORTEST_BACKOFF = 0.01
LONGEST_BACKOFF = 0.5
# The longest path that Linux accepts for a socket, in bytes.
LONGEST_PATH = 107
# The errors of a daemon that is restarting, or that isn't there at all.
ABSENT = {errno.ENOENT, errno.ECONNREFUSED}
# The errors of a daemon that is busy or shutting down. Another attempt doesn't fix any other error, such as EACCES.
TRANSIENT = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.EAGAIN, errno.EINTR}
REASONS = {
    errno.ENOENT: "there is no socket",
    errno.ECONNREFUSED: "nobody listens there",
    errno.EACCES: "this user may not use it",
    errno.EAGAIN: "the queue of the socket is full",
}


def socket_path(path: str | os.PathLike[str] | None) -> str:
    """The given path, or that of the environment unless it is empty, or the package's, without a leading `unix://`."""
    found = os.fsdecode(path) if path is not None else os.environ.get("TOKENCACHED_SOCKET") or DEFAULT_PATH
    return found[len("unix://") :] if found.startswith("unix://") else found


def connect(path: str) -> socket.socket:
    """A connected socket that doesn't block.

    Connecting to a Unix socket succeeds or fails at once. EAGAIN means that the daemon's queue is full.
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


class ConnectionAttempts:
    """Decides when to connect again, in seconds, and when to stop waiting for a daemon that isn't there."""

    def __init__(self, path: str, restart_grace: float) -> None:
        self._path = path
        self._restart_grace = restart_grace
        self._failures = 0
        self._absent_since: float | None = None
        self.last_failure = "the connection was lost"

    def connected(self) -> None:
        self._absent_since = None

    def answered(self) -> None:
        self._failures = 0

    def disconnected(self) -> float:
        """Records that the daemon has closed a connection. Returns the delay before the next attempt."""
        self.last_failure = "the daemon closed the connection"
        return self._backoff()

    def failed(self, error: OSError, now: float) -> float | None:
        """Records a failed attempt. Returns the delay before the next one, or None if those who wait should be told."""
        self.last_failure = REASONS.get(error.errno or 0) or error.strerror or str(error)
        if error.errno in ABSENT:
            if self._absent_since is None:
                self._absent_since = now
            return self._backoff() if now - self._absent_since < self._restart_grace else None
        return self._backoff() if error.errno in TRANSIENT else None

    def unreachable(self) -> TokenCacheError:
        return TokenCacheError("unreachable", f"no daemon could be reached at {self._path}: {self.last_failure}")

    def _backoff(self) -> float:
        longest = min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2**self._failures)
        # With 10 failures the backoff has reached its maximum.
        self._failures = min(self._failures + 1, 10)
        return random.uniform(longest / 2, longest)


def checked_grace(seconds: float) -> float:
    """The given grace period. Raises ValueError if it is out of range."""
    if not math.isfinite(seconds) or not 0 <= seconds <= LONGEST_RESTART_GRACE:
        raise ValueError(f"'restart_grace' should be seconds, 0 to {LONGEST_RESTART_GRACE:.0f}")
    return seconds


def closed() -> TokenCacheError:
    return TokenCacheError("closed", "the client was closed")
