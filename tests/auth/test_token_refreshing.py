"""Tokens that are bought with others, and taken back."""

import json
import time
from typing import Any

import pytest
from django.core.cache import caches

from tests.auth.accounts import SECRET, bearer, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.forging import OTHER, signed
from tests.auth.project.models import Account
from utilmeta.core import api, auth, request
from utilmeta.core.auth.base import InvalidCredentials
from utilmeta.core.auth.jwt import JsonWebToken


def refresh_api(users: Any) -> type[api.API]:
    """Return an API where tokens are bought with refresh tokens."""
    method = users.methods[0]

    class RefreshAPI(account_api(users)):  # type: ignore[misc]
        @api.post
        def refresh(self, token: str = request.BodyParam) -> dict[str, str]:
            made = method.refresh(users, token)
            return {"access": made.access_token, "refresh": made.refresh_token}

    return RefreshAPI


class Refreshing:
    """A service where somebody has tokens."""

    def __init__(self, serve: Serve, **options: Any) -> None:
        given = {"refresh_age": 3600, "revocation": "default", **options}
        self.method = JsonWebToken(SECRET, **given)
        self.users = auth.User(Account, authentication=self.method)
        self.account = make_account()
        self.client = serve(refresh_api(self.users))
        self.tokens = self.method.issue(self.users, self.account)

    def refresh(self, token: str | None) -> Any:
        return self.client.post("/refresh", json={"token": token})

    def status(self, token: str) -> int:
        return self.client.get("/me", headers=bearer(token)).status_code


def test_refresh_token_is_no_access_token_nor_the_reverse(serve: Serve) -> None:
    it = Refreshing(serve)
    assert it.status(it.tokens.access_token) == 200
    assert it.status(str(it.tokens.refresh_token)) == 401
    assert it.refresh(it.tokens.access_token).status_code == 401
    assert it.refresh(str(it.tokens.refresh_token)).status_code == 200


def test_refresh_token_that_comes_again_ends_all_that_came_of_the_login(serve: Serve) -> None:
    it = Refreshing(serve)
    first = str(it.tokens.refresh_token)
    second = it.refresh(first).json()
    other = it.method.issue(it.users, it.account)
    assert it.status(second["access"]) == 200
    assert it.refresh(first).status_code == 401
    for token in (it.tokens.access_token, second["access"]):
        assert it.status(token) == 401
    assert it.refresh(second["refresh"]).status_code == 401
    # Another login of the same user is not touched.
    assert it.status(other.access_token) == 200
    assert it.refresh(str(other.refresh_token)).status_code == 200


def test_revoked_tokens_stay_so_for_as_long_as_clocks_may_differ() -> None:
    caches["default"].clear()
    method = JsonWebToken(SECRET, age=1, refresh_age=1, leeway=60, revocation="default")
    users = auth.User(Account, authentication=method)
    account = Account(pk=1, username="ann")
    tokens = method.issue(users, account)
    method.revoke(tokens.access_token)
    time.sleep(2.5)
    with pytest.raises(InvalidCredentials) as refused:
        method.decode(tokens.access_token)
    assert refused.value.reason == "the token was revoked"
    with pytest.raises(InvalidCredentials):
        method.decode(str(tokens.refresh_token), kind="refresh")


@pytest.mark.django_db
def test_stolen_refresh_token_does_not_outlive_what_ended_its_family() -> None:
    # The older token, whose second use ends the family, ends long before the newer.
    caches["default"].clear()
    method = JsonWebToken(SECRET, age=2, refresh_age=3600, revocation="default")
    users = auth.User(Account, authentication=method)
    first = str(method.issue(users, make_account()).refresh_token)
    claims = method.decode(first, kind="refresh")
    old = method.encode({**claims, "exp": int(time.time()) + 1})
    new = method.refresh(users, old)
    with pytest.raises(InvalidCredentials, match="not valid"):
        method.refresh(users, old)
    time.sleep(2.5)
    with pytest.raises(InvalidCredentials, match="not valid"):
        method.refresh(users, new.refresh_token)


def test_refresh_token_of_a_login_that_was_ended_is_worth_nothing(serve: Serve) -> None:
    it = Refreshing(serve)
    answer = it.client.post("/logout", headers=bearer(it.tokens.access_token))
    assert answer.status_code == 204
    assert it.status(it.tokens.access_token) == 401
    assert it.refresh(str(it.tokens.refresh_token)).status_code == 401


def test_refresh_token_of_somebody_who_may_not_come_in_is_worth_nothing(serve: Serve) -> None:
    it = Refreshing(serve)
    Account.objects.update(is_active=False)
    assert it.refresh(str(it.tokens.refresh_token)).status_code == 401
    Account.objects.all().delete()
    fresh = it.method.issue(it.users, it.account).refresh_token
    assert it.refresh(str(fresh)).status_code == 401


def test_refresh_gives_no_more_scopes_than_the_login(serve: Serve) -> None:
    it = Refreshing(serve)
    limited = it.method.issue(it.users, it.account, scopes=["note.read"])
    made = it.refresh(str(limited.refresh_token)).json()
    assert it.method.decode(made["access"])["scope"] == "note.read"


def test_refresh_of_what_is_no_token_is_refused(serve: Serve) -> None:
    it = Refreshing(serve)
    for text in ("", "x", "a.b.c", "\0", "\ud800", "x" * 3000):
        answer = it.client.post(
            "/refresh",
            content=json.dumps({"token": text}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 401}, repr(text)
    for value in (None, 1, ["x"]):
        with pytest.raises(InvalidCredentials):
            it.method.refresh(it.users, value)


def test_tokens_bound_to_the_password_end_with_it(serve: Serve) -> None:
    it = Refreshing(serve, bind_to_password=True)
    assert it.status(it.tokens.access_token) == 200
    it.account.password = "another-word"
    it.account.save()
    assert it.status(it.tokens.access_token) == 401
    assert it.refresh(str(it.tokens.refresh_token)).status_code == 401


def test_token_without_a_fingerprint_is_refused_where_one_is_needed(serve: Serve) -> None:
    it = Refreshing(serve, bind_to_password=True)
    assert it.status(signed()) == 401
    assert it.status(signed(pwh="")) == 401


def test_cache_that_is_down_lets_no_token_in(serve: Serve) -> None:
    method = JsonWebToken(SECRET, refresh_age=60, revocation="default")
    users = auth.User(Account, authentication=method)
    tokens = method.issue(users, make_account())
    down = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    }
    client = serve(refresh_api(users), settings={"CACHES": {"default": down}})
    answers = [
        client.get("/me", headers=bearer(tokens.access_token)),
        client.get("/maybe", headers=bearer(tokens.access_token)),
        client.post("/refresh", json={"token": tokens.refresh_token}),
        client.post("/logout", headers=bearer(tokens.access_token)),
    ]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"1"}
    assert client.get("/me", headers=bearer(signed(OTHER))).status_code == 401
