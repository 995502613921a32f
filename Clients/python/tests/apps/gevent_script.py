"""A client that was made (`made`) or made a call (`asked`) before gevent patched the standard library."""

from __future__ import annotations

import os
import sys

from tokencached import TokenCache, TokenCacheError

cache = TokenCache()
if sys.argv[1] == "asked":
    cache.token(subject="alice")

from gevent import monkey  # noqa: E402

monkey.patch_all()

import gevent  # noqa: E402


def late() -> str:
    try:
        return cache.token(subject="never:alice", timeout=0.1).access_token
    except TokenCacheError as error:
        return error.code


calls = [gevent.spawn(late) for _ in range(3)]
# Waiting greenlets don't delay others.
source = cache.token(subject="alice").source
gevent.joinall(calls)
print(source, *(call.value for call in calls), flush=True)

for _ in range(2):
    child = os.fork()
    if child == 0:
        print(cache.token(subject="alice").source, flush=True)
        cache.close()
        os._exit(0)
    os.waitpid(child, 0)
cache.close()
