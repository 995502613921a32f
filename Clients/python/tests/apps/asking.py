"""The clients of the test applications. One may make a call before the server forks."""

from __future__ import annotations

import os

from tokencached import AsyncTokenCache, TokenCache

cache = TokenCache()
async_cache = AsyncTokenCache()

if os.environ.get("ASK_AT_IMPORT"):
    cache.token(subject="alice")


def token(subject: str) -> str:
    return cache.token(subject=subject, timeout=300).access_token


async def async_token(subject: str) -> str:
    return (await async_cache.token(subject=subject, timeout=300)).access_token
