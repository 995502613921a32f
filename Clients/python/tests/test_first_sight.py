"""Users who are provisioned at first sight: how often, in which order, and what an error leaves behind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest
from answering_server import AnsweringServer, Request, Serve, provisioned, token
from player import KINDS, Client
from support import TIMEOUT, eventually

from tokencached import AsyncTokenCache, TokenCache, TokenCacheError, User, _flights, _users
from tokencached._users import ProvisionedUsers

GROUPS = ["portal-emea", "portal-sales"]
ALICE = User("alice", name="Alice Archer", email="alice@example.com", groups=GROUPS)
DENIED = {"error": "denied", "error_description": "no", "retry_after": 10}
Kind = Callable[[str, float], Client]


def friendly(request: Request) -> Any:
    return provisioned() if request["op"] == "provision" else token()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


class Caller:
    """A client whose calls are awaited at once."""

    def __init__(self, kind: Kind, server: AnsweringServer) -> None:
        self._client = kind(server.path, TIMEOUT)

    def token_for(self, user: User | str, **options: Any) -> Any:
        return self._client.call("token_for", {"user": user, **options}).result(TIMEOUT)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop()


def test_a_user_is_provisioned_once_and_gets_tokens(serve: Serve, kind: Kind) -> None:
    server = serve(friendly)
    with Caller(kind, server) as caller:
        assert [caller.token_for(ALICE, timeout=20).access_token for _ in range(3)] == ["secret token"] * 3
    assert server.operations() == ["provision", "token", "token", "token"]
    first, second = server.requests[:2]
    assert 0 < second["timeout"] <= first["timeout"] <= 20
    assert {name: value for name, value in first.items() if name not in ("id", "timeout")} == {
        "op": "provision",
        "subject": "alice",
        "name": "Alice Archer",
        "email": "alice@example.com",
        "groups": GROUPS,
    }
    assert (second["subject"], "name" in second) == ("alice", False)


@pytest.mark.parametrize("user", ["alice", User("alice"), User(user_id="6305", tenant="main", scope="s")])
def test_a_user_without_name_email_and_groups_is_not_provisioned(serve: Serve, kind: Kind, user: User | str) -> None:
    server = serve(friendly)
    with Caller(kind, server) as caller:
        caller.token_for(user)
    assert server.operations() == ["token"]


def test_a_user_is_provisioned_again_when_the_content_has_changed(serve: Serve, kind: Kind) -> None:
    server = serve(friendly)
    changes: list[dict[str, Any]] = [
        {"groups": ["portal-emea"]},
        {"groups": []},
        {"groups": None},
        {"name": "Alice"},
        {"email": None},
        {"tenant": "other"},
    ]
    with Caller(kind, server) as caller:
        caller.token_for(ALICE)
        for change in changes:
            for _ in range(2):
                caller.token_for(dataclasses.replace(ALICE, **change))
    seen = [request.get("groups") for request in server.requests if request["op"] == "provision"]
    assert seen == [GROUPS, ["portal-emea"], [], None, GROUPS, GROUPS, GROUPS]


def test_the_order_of_groups_and_duplicates_are_no_change(serve: Serve, kind: Kind) -> None:
    server = serve(friendly)
    with Caller(kind, server) as caller:
        caller.token_for(ALICE)
        caller.token_for(dataclasses.replace(ALICE, groups=["portal-sales", "portal-emea", "portal-sales"]))
    assert server.operations() == ["provision", "token", "token"]


def test_a_failed_provision_is_the_error_of_the_call_and_is_tried_again_by_the_next(serve: Serve, kind: Kind) -> None:
    replies = [{"error": "conflict", "error_description": "two users"}, provisioned("cache")]
    server = serve(lambda request: replies.pop(0) if request["op"] == "provision" else token())
    with Caller(kind, server) as caller:
        with pytest.raises(TokenCacheError, match="conflict: two users") as caught:
            caller.token_for(ALICE)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert caller.token_for(ALICE).access_token
    assert server.operations() == ["provision", "provision", "token"]


def test_after_a_failed_provision_no_earlier_content_counts_as_provisioned(serve: Serve, kind: Kind) -> None:
    replies = [provisioned(), {"error": "unavailable", "error_description": "half done"}, provisioned()]
    server = serve(lambda request: replies.pop(0) if request["op"] == "provision" else token())
    with Caller(kind, server) as caller:
        caller.token_for(ALICE)
        with pytest.raises(TokenCacheError, match="unavailable"):
            caller.token_for(dataclasses.replace(ALICE, groups=[]))
        caller.token_for(ALICE)
    assert server.operations() == ["provision", "token", "provision", "provision", "token"]


@pytest.mark.parametrize("wrong", [{"groups": "portal"}, {"groups": [7]}, {"groups": [["a"]]}, {"name": 7}])
def test_a_malformed_user_is_an_invalid_request(serve: Serve, kind: Kind, wrong: dict[str, Any]) -> None:
    server = serve(friendly)
    with Caller(kind, server) as caller, pytest.raises(TokenCacheError, match="invalid_request"):
        caller.token_for(dataclasses.replace(ALICE, **wrong))
    assert server.requests == []


def test_a_known_user_whose_token_is_denied_is_provisioned_once_more(serve: Serve, kind: Kind) -> None:
    replies = [token(), DENIED, token("another")]
    server = serve(lambda request: provisioned() if request["op"] == "provision" else replies.pop(0))
    with Caller(kind, server) as caller:
        caller.token_for(ALICE)
        assert caller.token_for(ALICE).access_token == "another"
    assert server.operations() == ["provision", "token", "token", "provision", "token"]


def test_a_user_whom_the_tenant_keeps_denying_is_not_provisioned_with_each_call(serve: Serve, kind: Kind) -> None:
    server = serve(lambda request: provisioned() if request["op"] == "provision" else DENIED)
    with Caller(kind, server) as caller:
        for _ in range(3):
            with pytest.raises(TokenCacheError, match="denied") as caught:
                caller.token_for(ALICE)
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert server.operations() == ["provision", "token", "token", "token"]


def test_a_denied_user_who_is_not_described_is_an_error_at_once(serve: Serve, kind: Kind) -> None:
    server = serve(lambda _: DENIED)
    with Caller(kind, server) as caller, pytest.raises(TokenCacheError, match="denied"):
        caller.token_for("alice")
    assert server.operations() == ["token"]


def test_another_error_of_the_token_does_not_provision_again(serve: Serve, kind: Kind) -> None:
    replies = [token(), {"error": "unavailable", "error_description": "down"}]
    server = serve(lambda request: provisioned() if request["op"] == "provision" else replies.pop(0))
    with Caller(kind, server) as caller:
        caller.token_for(ALICE)
        with pytest.raises(TokenCacheError, match="unavailable"):
            caller.token_for(ALICE)
    assert server.operations() == ["provision", "token", "token"]


class CountedOutcome(_flights.ThreadOutcome):
    """Counts the threads that are about to wait."""

    waiting = 0

    def __init__(self, deadline: float) -> None:
        super().__init__(deadline)
        wait = self.ended.wait

        def count_and_wait(timeout: float | None = None) -> bool:
            CountedOutcome.waiting += 1
            return wait(timeout)

        self.ended.wait = count_and_wait  # type: ignore[method-assign]


Crowd = Callable[[AnsweringServer, int], list[concurrent.futures.Future[Any]]]


@pytest.fixture(params=["threads", "tasks"])
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    """Starts calls for one user. When it returns, one has been sent and the others wait for it."""
    monkeypatch.setattr(CountedOutcome, "waiting", 0)
    monkeypatch.setattr(_flights, "ThreadOutcome", CountedOutcome)
    ends: list[Callable[[], object]] = []

    def threads(server: AnsweringServer, count: int) -> list[concurrent.futures.Future[Any]]:
        cache, pool = TokenCache(server.path), ThreadPoolExecutor(count)
        ends.extend((pool.shutdown, cache.close))
        first = pool.submit(cache.token_for, ALICE, timeout=TIMEOUT)
        eventually(lambda: bool(server.requests), lambda: "the first request")
        others = [pool.submit(cache.token_for, ALICE, timeout=TIMEOUT) for _ in range(count - 1)]
        eventually(lambda: CountedOutcome.waiting == count - 1, lambda: str(CountedOutcome.waiting))
        return [first, *others]

    def tasks(server: AnsweringServer, count: int) -> list[concurrent.futures.Future[Any]]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        cache = AsyncTokenCache(server.path)

        def end() -> None:
            asyncio.run_coroutine_threadsafe(cache.close(), loop).result(TIMEOUT)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

        ends.append(end)
        calls = [asyncio.run_coroutine_threadsafe(cache.token_for(ALICE, timeout=TIMEOUT), loop) for _ in range(count)]
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(TIMEOUT)
        eventually(lambda: bool(server.requests), lambda: "the first request")
        return calls

    yield threads if request.param == "threads" else tasks
    for each in ends:
        each()


def hold_the_first_provision(then: Any) -> Callable[[Request], Any]:
    """Doesn't answer the first provision. All other requests have the usual answer, and later provisions `then`."""
    count = 0

    def answer(request: Request) -> Any:
        nonlocal count
        if request["op"] != "provision":
            return token()
        count += 1
        return None if count == 1 else then

    return answer


def test_callers_who_need_the_same_user_share_one_provision(serve: Serve, crowd: Crowd) -> None:
    server = serve(hold_the_first_provision(provisioned()))
    calls = crowd(server, 8)
    assert server.operations() == ["provision"]
    server.release(provisioned())
    assert {call.result(TIMEOUT).access_token for call in calls} == {"secret token"}
    assert sorted(server.operations()) == ["provision", *["token"] * 8]


def test_callers_who_need_the_same_user_share_its_error(serve: Serve, crowd: Crowd) -> None:
    server = serve(hold_the_first_provision(provisioned()))
    calls = crowd(server, 8)
    server.release({"error": "denied", "error_description": "no", "upstream": {"code": "disabled"}})
    errors = [call.exception(TIMEOUT) for call in calls]
    assert server.operations() == ["provision"]
    # Each has an error of its own, because one that is raised in several places collects their tracebacks.
    assert len({id(error) for error in errors}) == 8
    for error in errors:
        assert isinstance(error, TokenCacheError)
        assert error.upstream is not None
        assert (error.code, error.upstream.status, error.upstream.code) == ("denied", None, "disabled")
        assert (error.__cause__, error.__context__) == (None, None)


def test_the_timeout_of_one_caller_is_not_that_of_the_others(serve: Serve, crowd: Crowd) -> None:
    server = serve(hold_the_first_provision(provisioned()))
    calls = crowd(server, 4)
    server.release({"error": "timeout", "error_description": "late"})
    error = calls[0].exception(TIMEOUT)
    assert isinstance(error, TokenCacheError)
    assert error.code == "timeout"
    assert {call.result(TIMEOUT).access_token for call in calls[1:]} == {"secret token"}
    assert sorted(server.operations()) == ["provision", "provision", "token", "token", "token"]


def test_a_cancelled_task_leaves_its_provision_to_another(serve: Serve) -> None:
    server = serve(hold_the_first_provision(provisioned()))

    async def use() -> None:
        async with AsyncTokenCache(server.path) as cache:
            first, second = (asyncio.ensure_future(cache.token_for(ALICE)) for _ in range(2))
            await asyncio.to_thread(eventually, lambda: bool(server.requests), lambda: "the first request")
            first.cancel()
            assert (await second).access_token == "secret token"
            assert first.cancelled()
            assert cache._flights._under_way == {}

    asyncio.run(use())
    assert server.operations() == ["provision", "provision", "token"]


def test_a_caller_who_waits_for_another_keeps_its_own_timeout() -> None:
    flights, held = _flights.ThreadFlights(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        begun = threading.Event()

        def work() -> None:
            begun.set()
            held.wait(TIMEOUT)

        first = pool.submit(flights.do, "k", work, time.monotonic() + TIMEOUT)
        assert begun.wait(TIMEOUT)
        with pytest.raises(TokenCacheError, match="timeout"):
            flights.do("k", lambda: None, time.monotonic())
        # Other work doesn't wait.
        flights.do("l", lambda: None, time.monotonic())
        held.set()
        first.result(TIMEOUT)
    assert flights._under_way == {}


def test_an_interrupted_caller_does_not_block_those_who_come_later() -> None:
    flights = _flights.ThreadFlights()
    done: list[Any] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flights.do("k", interrupt, time.monotonic() + TIMEOUT)
    flights.do("k", lambda: done.append(1), time.monotonic() + TIMEOUT)
    # An interrupt at a bad moment may leave an entry behind. It counts until its caller's time has passed.
    flights.do("k", lambda: done.extend(flights._under_way), time.monotonic() + TIMEOUT)
    flights._under_way[done.pop()] = _flights.ThreadOutcome(time.monotonic() - TIMEOUT)
    flights.do("k", lambda: done.append(2), time.monotonic() + TIMEOUT)
    assert done == [1, 2]
    assert flights._under_way == {}


def test_ten_thousand_users_are_remembered_and_those_who_came_least_recently_are_forgotten() -> None:
    users = ProvisionedUsers()
    described = [User(f"user-{index}", name="x") for index in range(_users.MOST_USERS + 1)]
    for user in described[:-1]:
        users.remember(user)
    assert all(map(users.knows, described[:-1]))
    assert users.knows(described[0])
    users.remember(described[-1])
    assert [index for index, user in enumerate(described) if not users.knows(user)] == [1]
    assert len(users._known) == _users.MOST_USERS == 10_000


def test_no_name_is_kept_in_memory() -> None:
    users = ProvisionedUsers()
    users.remember(ALICE)
    assert "Archer" not in repr(users._known)
    assert "Archer" not in repr(ALICE)
    assert "example.com" not in repr(ALICE)


def test_a_user_who_is_denied_after_a_provision_is_provisioned_again_after_a_minute_at_the_earliest() -> None:
    users = ProvisionedUsers()
    denied = TokenCacheError("denied", "no", 20)
    assert not users.is_to_be_repeated(ALICE, denied, was_known=False, now=100)
    assert users.knows(ALICE)
    assert not users.is_to_be_repeated(ALICE, denied, was_known=True, now=159)
    assert users.is_to_be_repeated(ALICE, denied, was_known=True, now=160)
    assert not users.knows(ALICE)
    # Another thread has just forgotten the user for the same reason.
    assert users.is_to_be_repeated(ALICE, denied, was_known=True, now=160)
