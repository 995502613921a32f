"""What is the clients' own: texts without tokens, threads, forks, loops, the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support import Stage, eventually

from tokencached import AsyncTokenCache, TokenCache, TokenCacheError, Upstream


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def test_a_token_does_not_show_in_its_text(stage: Stage) -> None:
    with TokenCache(stage.socket) as cache:
        token = cache.token(subject="alice")
    assert len(token.access_token) > 500
    assert token.access_token[:20] not in f"{token!r} {token} {vars(token).keys()}"
    assert "source='tenant'" in repr(token)


def test_an_error_keeps_all_it_has_when_it_is_pickled() -> None:
    error = TokenCacheError("denied", "the tenant refused", 10, Upstream(401, "OAUTH-10", "User not found"))
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)
    assert str(again) == "denied: the tenant refused"


def test_the_socket_is_that_of_the_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENCACHED_SOCKET", stage.socket)
    with TokenCache() as cache:
        assert cache.hello().server == "tokencached"


@pytest.mark.parametrize(
    "arguments",
    [
        {"subject": 7},
        {"subject": "alice", "min_ttl": float("nan")},
        {"subject": "alice", "min_ttl": "60"},
        {"subject": "alice", "timeout": 301},
        {"subject": "alice", "user_id": "1"},
        {},
    ],
)
def test_what_is_no_request_is_refused_to_its_caller_alone(stage: Stage, arguments: dict[str, Any]) -> None:
    with TokenCache(stage.socket) as cache, ThreadPoolExecutor(1) as pool:
        good = pool.submit(cache.token, subject="alice")
        with pytest.raises(TokenCacheError) as caught:
            cache.token(**arguments)
        assert caught.value.code == "invalid_request"
        assert good.result().access_token
        with pytest.raises(TokenCacheError):
            cache.prefetch(subjects="alice")


@pytest.mark.parametrize("path", [f"/tmp/{'x' * 200}", "/etc/hostname/socket"])
def test_what_waiting_does_not_mend_is_unreachable_at_once(path: str) -> None:
    since = time.monotonic()
    with TokenCache(path) as cache, pytest.raises(TokenCacheError) as caught:
        cache.hello(timeout=9)
    assert caught.value.code == "unreachable"
    assert time.monotonic() - since < 5


def test_threads_share_one_connection(stage: Stage) -> None:
    with TokenCache(stage.socket) as cache, ThreadPoolExecutor(32) as pool:
        tokens = list(pool.map(lambda _: cache.token(subject="alice").access_token, range(1_000)))
        assert len(set(tokens)) == 1
        assert sum(thread.name == "tokencached" for thread in threading.enumerate()) == 1
    assert not any(thread.name == "tokencached" for thread in threading.enumerate())


# Python 3.12 and later warn of what is tested here: a fork in a process with threads.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_a_connection_of_its_own(stage: Stage) -> None:
    with TokenCache(stage.socket) as cache:
        mine = cache.token(subject="alice").access_token
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, cache.token(subject="alice", timeout=5).access_token.encode())
                cache.close()
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(writing)
        # The parent goes on meanwhile, and the child's end doesn't end its connection.
        assert cache.token(subject="alice").access_token == mine
        with open(reading, "rb") as pipe:
            assert pipe.read().decode() == mine
        os.waitpid(child, 0)
        assert cache.token(subject="alice").access_token == mine


def test_a_client_that_nobody_has_any_more_ends_its_thread(stage: Stage) -> None:
    cache = TokenCache(stage.socket)
    cache.hello()
    del cache
    gc.collect()
    eventually(lambda: not any(thread.name == "tokencached" for thread in threading.enumerate()), lambda: "its end")


def test_a_loop_has_a_client_and_the_next_may_use_it_when_it_is_closed(stage: Stage) -> None:
    cache = AsyncTokenCache(stage.socket)

    async def use() -> str:
        return (await cache.hello()).server

    async def use_and_close() -> str:
        async with cache:
            return await use()

    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(use()) == "tokencached"
        with pytest.raises(RuntimeError, match="another event loop"):
            asyncio.run(use())
        # What asyncio.run does with a client that wasn't closed would be a ResourceWarning of the transport's.
        transport = cache._connection._transport
        assert transport is not None
        transport.abort()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
    assert asyncio.run(use_and_close()) == "tokencached"


def test_a_cancelled_task_leaves_nothing_behind(stage: Stage) -> None:
    async def cancel() -> None:
        async with AsyncTokenCache(stage.socket) as cache:
            stage.control("hold", {"value": "held"})
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(cache.token(subject="held"), 0.05)
            assert cache._connection._exchange.is_empty
            stage.control("release", {})
            assert (await cache.token(subject="held")).access_token

    asyncio.run(cancel())
