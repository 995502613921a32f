"""The replies of one connection, read from its bytes however these are split."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tokencached._results import MalformedReply

# Sixteen times the longest token that the daemon hands out, in bytes.
LONGEST_REPLY = 1_048_576
# Python reads integers of any length, and takes long for long ones. Those of the protocol have at most 16 digits.
LONGEST_INTEGER = 20


class ReplyReader:
    """Splits bytes into lines, and reads each line."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def read(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        """The replies that are complete with this chunk. Raises `MalformedReply` after those before a malformed one."""
        start = len(self._rest)
        self._rest += chunk
        # The earlier bytes are known to have no line end.
        last = self._rest.rfind(b"\n", start)
        lines = [] if last < 0 else bytes(self._rest[:last]).split(b"\n")
        del self._rest[: last + 1]
        for line in lines:
            if len(line) > LONGEST_REPLY:
                raise MalformedReply
            yield _parse(line)
        if len(self._rest) > LONGEST_REPLY:
            raise MalformedReply


def _parse(line: bytes) -> Mapping[str, Any]:
    # A ValueError of the parser has the text, which may contain a token, so it is dropped here.
    reply = None
    with contextlib.suppress(ValueError, RecursionError):
        reply = json.loads(line.decode(), parse_int=_integer, parse_constant=_constant)
    if not isinstance(reply, dict):
        raise MalformedReply
    return reply


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _constant(name: str) -> None:
    """Rejects `NaN` and `Infinity`, which Python accepts and JSON doesn't have."""
    raise ValueError
