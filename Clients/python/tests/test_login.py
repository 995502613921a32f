"""A backend's login with the real daemon and a tenant that has users, with each client."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any, Callable

import httpx
import pytest
from player import KINDS, Client
from support import TIMEOUT, Stage
from test_pages import PageRequest

from tokencached import TokenCache, TokenCacheError, User
from tokencached.httpx import TokenCacheAuth

ALICE = User("auth0|alice", name="Alice Archer", email="alice@example.com", groups=["portal-emea"])


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        # Only users who exist get a token.
        stage.control("settings", {"users": "strict"})
        yield stage
        assert stage.control("violations") == []


Call = Callable[..., Any]


@pytest.fixture(params=KINDS)
def call(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Call]:
    client: Client = request.param(stage.socket, TIMEOUT)
    yield lambda operation, **arguments: client.call(operation, arguments).result(TIMEOUT)
    client.stop()


def users(stage: Stage) -> list[Any]:
    found: list[Any] = stage.control("users")
    return found


def group_names(user: Any) -> list[str]:
    return [group["name"] for group in user["groups"]]


def test_a_user_is_created_at_first_sight_and_gets_a_token(stage: Stage, call: Call) -> None:
    with pytest.raises(TokenCacheError, match="denied"):
        call("token", subject=ALICE.subject)
    token = call("token_for", user=ALICE)
    assert stage.control("live", {"token": token.access_token})["live"]
    (user,) = users(stage)
    assert (user["subject"], user["name"], user["email"], user["status"]) == (
        "auth0|alice",
        "Alice Archer",
        "alice@example.com",
        "active",
    )
    assert group_names(user) == ["portal-emea"]
    assert call("token_for", user=ALICE).source == "cache"


def test_groups_follow_the_application_and_others_stay(stage: Stage, call: Call) -> None:
    stage.control("users", {"subject": ALICE.subject, "status": "active", "groups": ["portal-old", "staff"]})
    call("token_for", user=ALICE)
    assert group_names(users(stage)[0]) == ["staff", "portal-emea"]
    call("token_for", user=dataclasses.replace(ALICE, groups=[]))
    assert group_names(users(stage)[0]) == ["staff"]
    with pytest.raises(TokenCacheError, match="forbidden"):
        call("token_for", user=dataclasses.replace(ALICE, groups=["staff"]))


def test_a_disabled_user_is_denied_and_stays_so(stage: Stage, call: Call) -> None:
    stage.control("users", {"subject": ALICE.subject, "status": "disabled"})
    with pytest.raises(TokenCacheError, match="denied") as caught:
        call("token_for", user=ALICE)
    assert caught.value.upstream is not None
    assert (caught.value.upstream.status, caught.value.upstream.code) == (None, "disabled")
    assert users(stage)[0]["status"] == "disabled"


def test_a_refused_token_is_replaced(stage: Stage, call: Call) -> None:
    first = call("token_for", user=ALICE).access_token
    stage.control("revoke", {"token": first})
    second = call("token_for", user=ALICE, refused_token=first).access_token
    assert second != first
    # A later report of the first one gets the second, and another mint isn't made.
    assert call("token", subject=ALICE.subject, refused_token=first).access_token == second
    with pytest.raises(TokenCacheError, match="rate_limited") as caught:
        call("token", subject=ALICE.subject, refused_token=second)
    assert caught.value.retry_after is not None


def test_an_application_calls_the_api_as_a_client(stage: Stage, call: Call) -> None:
    token = call("token", client="backend")
    url = f"{stage.tenant}/api/v1/users/me"
    with TokenCache(stage.socket) as cache:
        auth = TokenCacheAuth(cache, client="backend", origin=stage.tenant)
        assert httpx.get(url, auth=auth).status_code == 200
        stage.control("revoke", {"token": token.access_token})
        assert httpx.get(url, auth=auth).status_code == 200
    assert call("token", client="backend").access_token != token.access_token


def test_a_page_of_a_new_user_gets_a_token(stage: Stage) -> None:
    with TokenCache(stage.socket) as cache:
        answer = cache.access_token_handler(lambda _: ALICE)(PageRequest())
        assert answer.status == 200
        refused = hashlib.sha256(answer.body.encode()).hexdigest()
        another = cache.access_token_handler(lambda _: ALICE)(PageRequest(headers={"x-refused-token": refused}))
        assert another.status == 200
        assert another.body != answer.body
        too_new = hashlib.sha256(another.body.encode()).hexdigest()
        last = cache.access_token_handler(lambda _: ALICE)(PageRequest(headers={"x-refused-token": too_new}))
        assert (last.status, 0 < int(last.headers["retry-after"]) <= 10) == (503, True)
