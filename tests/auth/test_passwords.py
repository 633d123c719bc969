"""What somebody learns, or changes, by trying names and passwords."""

import logging
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from tests.auth.accounts import basic, log_in, make_account, told
from tests.auth.apis import account_api
from tests.auth.conftest import PASSWORD, Serve
from tests.auth.hashers import COUNTING, STRONGER, CountingHasher, WeakerHasher
from tests.auth.project.models import Account
from utilmeta.core import api, auth, orm, request
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cache import CacheSession


def users_of(**options: Any) -> Any:
    """Return users with sessions, and with names and passwords."""
    given = {"authentication": [CacheSession(), BasicAuth()], "throttle": None, **options}
    return auth.User(Account, **given)


TRIES = {
    "unknown": ("nobody", "wrong"),
    "wrong": ("ann", "wrong"),
    "unusable": ("bot", "wrong"),
    "inactive": ("ina", PASSWORD),
    "inactive and wrong": ("ina", "wrong"),
    "empty password": ("ann", ""),
    "empty name": ("", "wrong"),
    "long password": ("ann", "x" * 5000),
    "long name": ("x" * 5000, "wrong"),
    "NUL in name": ("a\0b", "wrong"),
    "hash in place of a password": ("ann", "md5$salt$hash"),
    "no password in the table": ("new", "wrong"),
    "empty password in the table": ("new", ""),
}


def fill() -> None:
    """Make an account of each kind."""
    make_account()
    make_account("ina", is_active=False)
    make_account("bot", password=make_password(None))
    Account.objects.filter(pk=make_account("new").pk).update(password="")


def test_timing_and_enumeration_every_failure_costs_one_hash_and_says_the_same(
    serve: Serve,
) -> None:
    client = serve(account_api(users_of()), settings={"PASSWORD_HASHERS": [COUNTING]})
    fill()
    seen = {}
    for name, (user, password) in TRIES.items():
        CountingHasher.calls.clear()
        answer = log_in(client, user, password)
        assert len(CountingHasher.calls) == 1, name
        seen[name] = told(answer)
        assert "set-cookie" not in answer.headers
    assert set(map(repr, seen.values())) == {repr(seen["wrong"])}
    assert seen["wrong"][0::2] == (200, b"no")
    CountingHasher.calls.clear()
    assert log_in(client).text == "yes"
    assert len(CountingHasher.calls) == 1


def test_timing_and_enumeration_basic_credentials_fail_alike(serve: Serve) -> None:
    client = serve(account_api(users_of()), settings={"PASSWORD_HASHERS": [COUNTING]})
    fill()
    seen = set()
    for name, (user, password) in TRIES.items():
        if len(user) + len(password) > 4000:
            # More than the headers of some servers hold.
            continue
        CountingHasher.calls.clear()
        answer = client.get("/me", headers=basic(user, password))
        assert len(CountingHasher.calls) == 1, name
        seen.add(repr(told(answer)))
    assert len(seen) == 1
    assert client.get("/me", headers=basic("ann")).text == "ann"


def test_login_by_one_of_several_fields_is_the_first_fields(serve: Serve) -> None:
    # Somebody has taken another's address as a name.
    client = serve(account_api(users_of(login_fields=("email", "username"))))
    make_account()
    make_account("ann@example.com", email="eve@example.com", password="another-word")
    assert log_in(client, "ann@example.com").text == "yes"
    assert client.get("/me").text == "ann"


def test_hash_of_a_weaker_kind_is_made_anew_at_login_and_at_no_other_time(serve: Serve) -> None:
    client = serve(account_api(users_of()), settings={"PASSWORD_HASHERS": [STRONGER]})
    old = WeakerHasher().encode(PASSWORD, "salt" * 6)
    account = make_account(password=old)
    assert log_in(client, password="wrong").text != "yes"
    account.refresh_from_db()
    assert account.password == old
    assert log_in(client).text == "yes"
    account.refresh_from_db()
    assert account.password.startswith("pbkdf2_sha256$4$")
    # The session is of the hash that is there now.
    assert client.get("/me").text == "ann"
    kept = account.password
    assert log_in(client).text == "yes"
    account.refresh_from_db()
    assert account.password == kept


class Registration(orm.Schema[Account]):
    """What somebody gives who registers."""

    username: str
    email: str
    password: str


class Profile(orm.Schema[Account]):
    """What is told of an account, and what its owner may set."""

    id: int = orm.Field(no_input=True)
    username: str = orm.Field(mode="ra")
    email: str
    is_superuser: bool = orm.Field(no_input=True)


def register_api(users: Any) -> type[api.API]:
    """Return an API where accounts are made and changed."""

    class RegisterAPI(api.API):
        def post(self, data: Registration[orm.A] = request.Body) -> Profile:  # type: ignore[type-arg]
            return Profile.init(data.save().pk)

        def put(
            self,
            data: Profile[orm.W] = request.Body,  # type: ignore[type-arg]
            user: Account = users,
        ) -> Profile:
            data.pk = user.pk
            data.save()
            return Profile.init(user.pk)

    return RegisterAPI


EXTRA = {"is_superuser": True, "is_active": False, "scopes": ["all"], "id": 77, "pk": 77}


def test_mass_assignment_registers_nobody_with_more_than_was_declared(serve: Serve) -> None:
    client = serve(register_api(users_of()))
    given = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}
    answer = client.post("/", json={**given, **EXTRA})
    found = Account.objects.filter(username="eve").first()
    if found is None:
        assert answer.status_code == 400
        answer = client.post("/", json=given)
        found = Account.objects.get(username="eve")
    assert answer.status_code == 200, answer.text
    assert (found.is_superuser, found.is_active, found.scopes) == (False, True, [])
    assert found.pk != 77
    # Neither the password nor its hash is told, and only the hash is kept.
    assert "password" not in answer.json()
    assert found.password.startswith("md5$")
    assert PASSWORD not in answer.text
    assert found.password not in answer.text


def test_mass_assignment_changes_nothing_of_ones_own_account_that_was_not_declared(
    serve: Serve,
) -> None:
    ann, eve = make_account(), make_account("eve")
    client = serve(register_api(users_of()))
    data = {"email": "new@example.com", "username": "root", "password": "p" * 9, **EXTRA}
    client.put("/", json={**data, "id": eve.pk}, headers=basic("ann"))
    client.put("/", json={"email": "new@example.com"}, headers=basic("ann"))
    ann.refresh_from_db()
    eve.refresh_from_db()
    assert (ann.username, ann.is_superuser, ann.scopes) == ("ann", False, [])
    assert ann.email == "new@example.com"
    assert eve.email == "eve@example.com"
    assert client.put("/", json={}, headers=basic("ann")).status_code in {200, 400}


def test_password_never_stands_in_a_log_line(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    make_account()
    token = JsonWebToken("s" * 64)
    client = serve(account_api(users_of(authentication=[CacheSession(), BasicAuth(), token])))
    secrets = ["the-secret-that-is-wrong", PASSWORD, "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"]
    log_in(client, password=secrets[0])
    log_in(client)
    client.cookies.clear()
    client.get("/me", headers=basic("ann", secrets[0]))
    client.get("/me", headers={"Authorization": f"Bearer {secrets[2]}"})
    assert "a login from 127.0.0.1 failed" in caplog.text
    for secret in secrets:
        assert secret not in caplog.text


def test_open_redirect_nothing_that_a_client_sends_leads_elsewhere(serve: Serve) -> None:
    make_account()
    client = serve(account_api(users_of()))
    for path in ("/login?next=//evil.example", "/logout?next=https://evil.example"):
        answer = client.post(
            path,
            json={"name": "ann", "password": PASSWORD},
            headers={"Referer": "https://evil.example"},
        )
        assert "location" not in answer.headers
        assert answer.status_code < 300 or answer.status_code >= 400
    assert "location" not in client.get("/me?next=//evil.example").headers


def test_login_tells_when_and_from_where(serve: Serve) -> None:
    users = users_of(login_time_field="last_login", login_ip_field="last_ip")
    account = make_account()
    client = serve(account_api(users), client={"client": ("192.0.2.9", 4000)})
    log_in(client, password="wrong")
    account.refresh_from_db()
    assert account.last_login is None
    log_in(client)
    account.refresh_from_db()
    assert account.last_login is not None
    assert account.last_ip == "192.0.2.9"
