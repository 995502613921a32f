"""Qlik Cloud access tokens for your users, from the tokencached daemon on this machine.

`TokenCache` is for threads, `AsyncTokenCache` for asyncio. `tokencached.httpx` adds tokens to requests of httpx. All
times are in seconds.
"""

from tokencached._async_client import AsyncTokenCache
from tokencached._client import TokenCache
from tokencached._errors import TokenCacheError, Upstream
from tokencached._pages import Answer
from tokencached._results import Hello, Invalidation, Prefetch, Provisioning, Revocation, Token
from tokencached._users import User

__all__ = [
    "Answer",
    "AsyncTokenCache",
    "Hello",
    "Invalidation",
    "Prefetch",
    "Provisioning",
    "Revocation",
    "Token",
    "TokenCache",
    "TokenCacheError",
    "Upstream",
    "User",
]
