"""Users of Django's own sessions: known in its views and in the API alike."""

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.test import Client as DjangoClient

from testproject.conduit.models import User
from tests.auth.accounts import cookies, csrf, log_in, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import PASSWORD, Serve
from tests.auth.project.models import Account
from utilmeta.core import auth
from utilmeta.core.auth.session.django import DjangoSession
from utilmeta.utils.exceptions import ConfigError

MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]


@pytest.fixture(params=[[], MIDDLEWARE], ids=["alone", "middleware"])
def client(request: pytest.FixtureRequest, serve: Serve) -> Any:
    User.objects.create_user("ann", "ann@example.com", PASSWORD)
    users = auth.User(User, authentication=DjangoSession())
    return serve(account_api(users, User), settings={"MIDDLEWARE": request.param})


def store_of(key: str) -> Any:
    """Return the session of a key, as Django's views open it."""
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def test_who_logs_in_here_is_known_there(client: Any) -> None:
    log_in(client)
    view = HttpRequest()
    view.session = store_of(client.cookies["sessionid"])
    assert get_user(view) == User.objects.get()


def test_who_logs_in_there_is_known_here(client: Any) -> None:
    browser = DjangoClient()
    browser.force_login(User.objects.get())
    key = browser.cookies["sessionid"].value
    assert client.get("/me", headers=cookies(sessionid=key)).text == "ann"
    # And who logs out there is gone here.
    browser.logout()
    assert client.get("/me", headers=cookies(sessionid=key)).status_code == 401


def test_signals_of_django_are_sent(client: Any) -> None:
    seen: list[str] = []

    def entered(user: Any, **_: Any) -> None:
        seen.append(f"in {user}")

    def left(user: Any, **_: Any) -> None:
        seen.append(f"out {user}")

    user_logged_in.connect(entered)
    user_logged_out.connect(left)
    try:
        log_in(client)
        client.get("/me")
        client.post("/logout", headers=csrf(client))
    finally:
        user_logged_in.disconnect(entered)
        user_logged_out.disconnect(left)
    assert seen[0] == "in ann"
    assert seen[1].startswith("out ")
    assert len(seen) == 2


def test_forged_session_of_a_backend_that_is_gone_is_of_nobody(client: Any) -> None:
    log_in(client)
    session = store_of(client.cookies["sessionid"])
    session["_auth_user_backend"] = "os.system"
    session.save()
    assert client.get("/me").status_code == 401


def test_forged_session_without_a_hash_is_of_nobody(client: Any) -> None:
    log_in(client)
    session = store_of(client.cookies["sessionid"])
    del session[HASH_SESSION_KEY]
    session.save()
    assert client.get("/me").status_code == 401


def test_users_of_another_model_are_refused_at_set_up(serve: Serve) -> None:
    make_account()
    users = auth.User(Account, authentication=DjangoSession())
    with pytest.raises(ConfigError, match="AUTH_USER_MODEL"):
        serve(account_api(users))


def test_failed_logins_are_told_by_the_signal_of_django(client: Any) -> None:
    seen: list[Any] = []

    def failed(credentials: Any, **_: Any) -> None:
        seen.append(credentials)

    user_login_failed.connect(failed)
    try:
        log_in(client, password="wrong")
    finally:
        user_login_failed.disconnect(failed)
    assert len(seen) == 1
    assert "wrong" not in str(seen)
