"""Threads, forks, event loops and the garbage collector, and texts without tokens."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
import traceback
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
import uvloop
from support import TIMEOUT, Stage, eventually

from tokencached import AsyncTokenCache, Prefetch, TokenCache, TokenCacheError, Upstream


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def open_sockets() -> set[str]:
    links = (Path("/proc/self/fd", number) for number in open_descriptors())
    # The descriptor of the listing itself is closed by now.
    return {link for each in links if each.is_symlink() and (link := os.readlink(each)).startswith("socket:")}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def test_no_text_about_a_token_contains_it(stage: Stage) -> None:
    with TokenCache(stage.socket) as cache:
        token = cache.token(subject="alice")
    assert len(token.access_token) > 500
    assert token.access_token[:20] not in f"{token!r} {token} {vars(token).keys()}"
    assert "source='tenant'" in repr(token)


def test_an_error_can_be_pickled() -> None:
    error = TokenCacheError("denied", "the tenant refused", 10, Upstream(401, "OAUTH-10", "User not found"))
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)
    assert str(again) == "denied: the tenant refused (OAUTH-10: User not found)"


def test_the_text_of_an_error_has_what_the_tenant_said() -> None:
    assert str(TokenCacheError("denied", "no", 1, Upstream(401, "OAUTH-10"))) == "denied: no (OAUTH-10)"
    assert str(TokenCacheError("denied", "no", 1, Upstream(401, None, "Unknown"))) == "denied: no (Unknown)"
    assert str(TokenCacheError("denied", "no", 1, Upstream(401))) == "denied: no"
    assert str(TokenCacheError("timeout", "no")) == "timeout: no"


@pytest.mark.parametrize(
    "arguments",
    [
        {"subject": 7},
        {"subject": "alice", "min_ttl": float("nan")},
        {"subject": "alice", "min_ttl": "60"},
        {"subject": "alice", "timeout": 301},
        {"subject": "alice", "user_id": "1"},
        {"subject": "alice", "refused_token": 7},
        {"subject": "alice", "refused_token": "\ud800"},
        {"subject": "alice", "refused_token_sha256": 7},
        {"subject": "alice", "refused_token": "a", "refused_token_sha256": "0" * 64},
        {"subject": "alice", "scope": "s" * 65_400, "refused_token": "a"},
        {},
    ],
)
def test_a_malformed_request_fails_only_its_own_call(stage: Stage, arguments: dict[str, Any]) -> None:
    with TokenCache(stage.socket) as cache, ThreadPoolExecutor(1) as pool:
        good = pool.submit(cache.token, subject="alice")
        with pytest.raises(TokenCacheError) as caught:
            cache.token(**arguments)
        assert caught.value.code == "invalid_request"
        assert good.result().access_token
        with pytest.raises(TokenCacheError):
            cache.prefetch(subjects="alice")


def test_a_prefetch_of_long_names_and_one_of_many_users_are_split() -> None:
    long = [f"{index}-{'x' * 1_000}" for index in range(1_000)]
    many = [f"user-{index}" for index in range(1_001)]

    async def use(path: str) -> Prefetch:
        async with AsyncTokenCache(path) as cache:
            return await cache.prefetch(user_ids=many)

    with Stage() as stage, TokenCache(stage.socket) as cache:
        stage.control("hold", {})
        assert cache.prefetch(subjects=long) == Prefetch(1_000, 0, 0)
        assert asyncio.run(use(stage.socket)) == Prefetch(1_001, 0, 0)
        wrongs: list[dict[str, Any]] = [{"subjects": []}, {"subjects": ["alice"], "user_ids": ["1"]}, {}]
        for wrong in wrongs:
            with pytest.raises(TokenCacheError) as caught:
                cache.prefetch(**wrong)
            assert caught.value.code == "invalid_request"


def test_threads_share_one_connection(stage: Stage) -> None:
    before = open_descriptors()
    with TokenCache(stage.socket) as cache, ThreadPoolExecutor(32) as pool:
        tokens = list(pool.map(lambda _: cache.token(subject="alice").access_token, range(1_000)))
        assert len(set(tokens)) == 1
        # The connection, and the two sockets that wake the thread.
        assert len(open_descriptors() - before) == 3
    assert open_descriptors() == before


# Python 3.12 and later warn of a fork in a process with threads, which is tested here.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_a_connection_of_its_own_and_none_of_its_parent(stage: Stage) -> None:
    reading, writing = os.pipe()
    before = open_descriptors()
    with TokenCache(stage.socket) as cache:
        mine = cache.token(subject="alice").access_token
        child = os.fork()
        if child == 0:
            report = b""
            try:
                inherited = open_descriptors() - before
                token = cache.token(subject="alice", timeout=TIMEOUT).access_token
                cache.close()
                report = json.dumps([sorted(inherited), token, sorted(open_descriptors() - before)]).encode()
            except BaseException:
                traceback.print_exc()
            finally:
                os.write(writing, report)
                os._exit(0)
        os.close(writing)
        # The parent continues, and the end of the child doesn't end its connection.
        assert cache.token(subject="alice").access_token == mine
        with open(reading, "rb") as pipe:
            assert json.loads(pipe.read()) == [[], mine, []]
        os.waitpid(child, 0)
        assert cache.token(subject="alice").access_token == mine


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_no_descriptor_of_an_event_loops_connection(stage: Stage) -> None:
    async def use() -> int:
        await cache.hello()
        loop_has = open_descriptors()
        child = os.fork()
        if child == 0:
            closed = len(loop_has - open_descriptors())
            os._exit(closed if asyncio.run(cache.hello()).server else 0)
        await cache.close()
        return child

    cache = AsyncTokenCache(stage.socket)
    _, status = os.waitpid(asyncio.run(use()), 0)
    assert os.waitstatus_to_exitcode(status) == 1


def test_a_client_that_is_collected_ends_its_thread(stage: Stage) -> None:
    before = open_descriptors()
    cache = TokenCache(stage.socket)
    cache.hello()
    del cache
    gc.collect()
    eventually(lambda: open_descriptors() == before, lambda: "its end")


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_each_loop_has_a_connection_of_its_own(stage: Stage, run: Callable[[Coroutine[Any, Any, str]], str]) -> None:
    cache = AsyncTokenCache(stage.socket)

    async def use() -> str:
        return (await cache.token(subject="alice")).access_token

    async def use_and_close() -> str:
        async with cache:
            return await use()

    before = open_sockets()
    tokens = [run(use()) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        tokens += pool.map(lambda _: run(use()), range(20))
    tokens.append(run(use_and_close()))
    assert len(set(tokens)) == 1
    assert open_sockets() == before


def test_a_cancelled_task_leaves_nothing_behind(stage: Stage) -> None:
    async def cancel() -> None:
        async with AsyncTokenCache(stage.socket) as cache:
            stage.control("hold", {"value": "held"})
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(cache.token(subject="held"), 0.05)
            assert cache._connections.here()._exchange.is_empty
            stage.control("release", {})
            assert (await cache.token(subject="held")).access_token

    asyncio.run(cancel())
