"""What somebody does to another's session."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches

from testproject.conduit.models import User as DjangoUser
from tests.auth.accounts import cookies, csrf, log_in, make_account, set_cookies
from tests.auth.apis import account_api
from tests.auth.conftest import PASSWORD, Serve
from tests.auth.methods import NO_SESSION
from tests.auth.project.models import Account, AccountSession
from utilmeta.conf.http import Cookie
from utilmeta.core import api, auth, request
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.core.auth.session.cached_db import CachedDBSession
from utilmeta.core.auth.session.db import DBSession
from utilmeta.core.auth.session.django import DjangoSession

MIDDLEWARE = {"MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"]}

KINDS: dict[str, tuple[Callable[[], Any], Any, dict[str, Any]]] = {
    "cache": (CacheSession, Account, {}),
    "db": (lambda: DBSession(AccountSession), Account, {}),
    "cached-db": (lambda: CachedDBSession(AccountSession), Account, {}),
    "django": (DjangoSession, DjangoUser, {}),
    "django-middleware": (DjangoSession, DjangoUser, MIDDLEWARE),
}


def make_user(model: Any, name: str) -> Any:
    """Return a new user of either model."""
    if model is Account:
        return make_account(name)
    return model.objects.create_user(name, f"{name}@example.com", PASSWORD)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[Any, Any, dict[str, Any]]:
    make, model, settings = KINDS[request.param]
    return make(), model, settings


def test_session_fixation_by_planted_key_is_never_adopted(
    serve: Serve, kind: tuple[Any, Any, Any]
) -> None:
    sessions, model, settings = kind
    make_user(model, "ann")
    client = serve(account_api(auth.User(model, authentication=sessions), model), settings=settings)
    client.cookies.set("sessionid", NO_SESSION, domain="localhost.local")
    assert log_in(client).text == "yes"
    keys = [cookie.value for cookie in client.cookies.jar if cookie.name == "sessionid"]
    assert NO_SESSION not in keys[-1:]
    client.cookies.clear()
    assert client.get("/me", headers=cookies(sessionid=NO_SESSION)).status_code == 401


def test_session_fixation_by_an_attackers_own_session_ends_at_login(
    serve: Serve, kind: tuple[Any, Any, Any]
) -> None:
    sessions, model, settings = kind
    for name in ("ann", "eve"):
        make_user(model, name)
    users = auth.User(model, authentication=sessions)

    class RootAPI(account_api(users, model)):  # type: ignore[misc]
        @api.post
        def cart(self, session: sessions.schema, item: str = request.BodyParam) -> None:
            session["cart"] = item

        @api.get("cart")
        def shown(self, session: sessions.schema) -> str:
            return str(session.get("cart"))

    client = serve(RootAPI, settings=settings)
    # A visitor's session is kept through the login, under another key.
    assert client.post("/cart", json={"item": "book"}).status_code == 204
    planted = client.cookies["sessionid"]
    assert log_in(client).text == "yes"
    mine = client.cookies["sessionid"]
    assert mine != planted
    assert client.get("/cart").text == "book"
    first_token = client.cookies["csrftoken"]
    # Another user's login on the same browser sees nothing of it.
    assert log_in(client, "eve").text == "yes"
    assert client.cookies["sessionid"] not in {mine, planted}
    assert client.cookies["csrftoken"] != first_token
    assert client.get("/cart").text == "None"
    last = client.cookies["sessionid"]
    assert client.post("/logout", headers=csrf(client)).status_code == 204
    assert "sessionid" not in client.cookies
    client.cookies.clear()
    for key in (planted, mine, last):
        assert client.get("/me", headers=cookies(sessionid=key)).status_code == 401
        assert client.get("/cart", headers=cookies(sessionid=key)).text == "None"


def test_stolen_sessions_end_with_a_new_password(serve: Serve, kind: tuple[Any, Any, Any]) -> None:
    sessions, model, settings = kind
    user = make_user(model, "ann")
    client = serve(account_api(auth.User(model, authentication=sessions), model), settings=settings)
    log_in(client)
    assert client.get("/me").text == "ann"
    if model is Account:
        user.password = "another-word"
    else:
        user.set_password("another-word")
    user.save()
    assert client.get("/me").status_code == 401


def test_concurrent_logins_give_each_client_a_key_of_its_own(serve: Serve) -> None:
    make_account()
    client = serve(account_api(auth.User(Account, authentication=CacheSession(), throttle=None)))
    found: list[str] = []

    def enter() -> None:
        answer = log_in(client)
        found.append(answer.headers.get_list("set-cookie")[-1] + str(answer.status_code))

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8
    assert all(item.endswith("200") for item in found)


def test_logout_in_one_tab_is_not_undone_by_a_request_in_another(
    serve: Serve, kind: tuple[Any, Any, Any]
) -> None:
    sessions, model, settings = kind
    if settings:
        # There Django's own middleware saves, and says 400 to it.
        settings = {}
    make_user(model, "ann")
    users = auth.User(model, authentication=sessions)

    class RootAPI(account_api(users, model)):  # type: ignore[misc]
        @api.post
        def slow(self, session: sessions.schema, user: model = users) -> None:
            # What the other tab does meanwhile.
            sessions.make_store(session.session_key, self.request).delete()
            session["late"] = 1

    client = serve(RootAPI, settings=settings)
    log_in(client)
    key = client.cookies["sessionid"]
    answer = client.post("/slow", headers=csrf(client))
    assert answer.status_code == 204
    assert "max-age=0" in set_cookies(answer)["sessionid"]
    client.cookies.clear()
    assert client.get("/me", headers=cookies(sessionid=key)).status_code == 401


DOWN = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # Nobody listens on this port.
        "LOCATION": "redis://127.0.0.1:1/0",
    }
}


def test_cache_that_is_down_lets_nobody_in_and_logs_nobody_out(serve: Serve) -> None:
    make_account()
    client = serve(
        account_api(auth.User(Account, authentication=CacheSession())), settings={"CACHES": DOWN}
    )
    for path in ("/me", "/maybe"):
        answer = client.get(path, headers=cookies(sessionid=NO_SESSION))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "set-cookie" not in answer.headers
    assert client.get("/me").status_code == 401
    assert log_in(client).status_code == 503


def test_cache_that_is_down_leaves_sessions_of_the_database(serve: Serve) -> None:
    make_account()
    users = auth.User(Account, authentication=CachedDBSession(AccountSession))
    client = serve(account_api(users), settings={"CACHES": DOWN})
    assert log_in(client).text == "yes"
    assert client.get("/me").text == "ann"


def test_cookies_of_sessions_are_hidden_from_scripts_and_other_sites(serve: Serve) -> None:
    make_account()
    client = serve(account_api(auth.User(Account, authentication=CacheSession())))
    given = set_cookies(log_in(client))
    session, token = given["sessionid"], given["csrftoken"]
    assert {"httponly", "samesite=lax", "path=/"} <= {item.strip() for item in session.split(";")}
    assert "secure" not in session
    assert "domain" not in session
    # The site's scripts show it in a header.
    assert "httponly" not in token
    assert "samesite=lax" in token


def test_cookies_of_sessions_go_over_https_only_in_production(serve: Serve) -> None:
    make_account()
    sessions = DBSession(AccountSession)
    client = serve(
        account_api(auth.User(Account, authentication=sessions, throttle=None)), production=True
    )
    given = set_cookies(log_in(client))
    assert {"; secure" in given[name] for name in ("sessionid", "csrftoken")} == {True}


def test_cookies_of_sessions_are_as_they_are_declared(serve: Serve) -> None:
    make_account()
    cookie = Cookie(name="__Host-id", age=60, same_site="Strict")
    client = serve(account_api(auth.User(Account, authentication=CacheSession(cookie=cookie))))
    given = set_cookies(log_in(client))["__Host-id"]
    parts = {item.strip() for item in given.split(";")[1:]}
    assert parts >= {"secure", "httponly", "samesite=strict", "path=/", "max-age=60"}
    assert not any(part.startswith("domain") for part in parts)


def test_cookies_are_deleted_where_they_were_set(serve: Serve) -> None:
    make_account()
    cookie = Cookie(name="id", path="/", domain="localhost.local", same_site="Strict")
    client = serve(account_api(auth.User(Account, authentication=CacheSession(cookie=cookie))))
    key = log_in(client).headers.get_list("set-cookie")
    line = next(item for item in key if item.startswith("id="))
    value = line.partition("=")[2].partition(";")[0]
    token = client.cookies["csrftoken"]
    # Another site must not log anybody out.
    assert client.post("/logout", headers=cookies(id=value)).status_code == 403
    proof = {**cookies(id=value, csrftoken=token), "X-CSRFToken": token}
    gone = client.post("/logout", headers=proof)
    parts = set_cookies(gone)["id"]
    assert {"domain=localhost.local", "path=/", "max-age=0"} <= {
        item.strip() for item in parts.split(";")
    }
    assert caches["default"].get(f"django.contrib.sessions.cache{value}") is None
