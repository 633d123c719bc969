"""Tokens that were forged, or made for something else."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
import pytest

from testproject.conduit.models import User as DjangoUser
from tests.auth.accounts import SECRET, bearer, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.forging import FAR, OTHER, Ask, asker, claims, part, signed
from tests.auth.project.models import Account
from utilmeta.core import auth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.utils.exceptions import ConfigError


@pytest.fixture
def asking(serve: Serve) -> Callable[[Any], Ask]:
    """Return what starts a service with tokens, and tells the status for one of them."""
    make_account()
    return partial(asker, serve)


def test_algorithm_confusion_with_none(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET))
    assert ask(signed()) == 200
    for name in ("none", "None", "NONE", "nOnE"):
        for signature in ("", "AAAA"):
            token = f"{part({'alg': name, 'typ': 'JWT'})}.{part(claims())}.{signature}"
            assert ask(token) == 401
    assert ask(f"{part({'typ': 'JWT'})}.{part(claims())}.") == 401


def test_key_of_another_id_checks_nothing(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken({"new": SECRET, "old": OTHER}))
    assert ask(signed(SECRET, headers={"kid": "new"})) == 200
    assert ask(signed(OTHER, headers={"kid": "old"})) == 200
    assert ask(signed(OTHER, headers={"kid": "new"})) == 401
    assert ask(signed(SECRET, headers={"kid": "old"})) == 401
    assert ask(signed(SECRET, headers={"kid": "none"})) == 401
    # Tokens that tell no key are checked with all.
    assert ask(signed(OTHER)) == 200
    for strange in (part({"alg": "HS256", "kid": ["new"]}), part({"alg": "HS256", "kid": {}})):
        assert ask(f"{strange}.{part(claims())}.AAAA") == 401


def test_key_rotation_signs_with_the_first_and_ends_with_the_last(
    asking: Callable[[Any], Ask],
) -> None:
    before = JsonWebToken({"1": OTHER})
    during = JsonWebToken({"2": SECRET, "1": OTHER})
    after = JsonWebToken({"2": SECRET})
    users = auth.User(Account, authentication=before)
    account = Account.objects.get()
    old = before.issue(users, account).access_token
    new = during.issue(users, account).access_token
    assert jwt.get_unverified_header(new)["kid"] == "2"
    assert [asking(during)(old), asking(during)(new)] == [200, 200]
    assert [asking(after)(old), asking(after)(new)] == [401, 200]


@pytest.mark.parametrize(
    ("secret", "algorithm", "text"),
    [
        ("short", "HS256", "at least 32"),
        ("x" * 47, "HS384", "at least 48"),
        ("x" * 63, "HS512", "at least 64"),
        ("", "HS256", "empty"),
        ({"a": SECRET, "b": "short"}, "HS256", "at least 32"),
        ({}, "HS256", "empty"),
        (SECRET, "none", "expected one of"),
        (SECRET, "hs256", "expected one of"),
        (SECRET, "RS256", "public_key"),
    ],
)
def test_weak_secrets_and_algorithms_are_refused_at_set_up(
    secret: Any, algorithm: str, text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        JsonWebToken(secret, algorithm)


def test_tokens_for_others_and_of_others_are_refused(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET, audience=["api", "web"], issuer="https://id.example"))
    right = {"aud": "web", "iss": "https://id.example"}
    assert ask(signed(**right)) == 200
    assert ask(signed(**{**right, "aud": ["x", "api"]})) == 200
    for wrong in (
        {"aud": "other"},
        {"aud": []},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": ["https://id.example"]},
        {"iss": None},
    ):
        assert ask(signed(**{**right, **wrong})) == 401, wrong
    for name in right:
        rest = {key: value for key, value in right.items() if key != name}
        assert ask(signed(**rest)) == 401, name


def test_tokens_out_of_their_time_are_refused(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET))
    now = int(time.time())
    for wrong in (
        {"exp": now - 1},
        {"nbf": now + 30},
        {"iat": now + 30},
        {"exp": "tomorrow"},
        {"exp": None},
        {"exp": [FAR]},
        {"nbf": "x"},
        {"exp": float("inf")},
    ):
        assert ask(signed(**wrong)) == 401, wrong
    endless = {key: value for key, value in claims().items() if key != "exp"}
    assert ask(jwt.encode(endless, SECRET, algorithm="HS256")) == 401
    ask = asking(JsonWebToken(SECRET, leeway=60))
    assert [ask(signed(exp=now - 30)), ask(signed(nbf=now + 30))] == [200, 200]
    assert ask(signed(exp=now - 90)) == 401


STRANGE_IDS = (None, True, False, 1.0, [1], {"pk": 1}, "1 OR 1=1", "x\0", 10**30, "", -1, "\ud800")


def test_strange_user_ids_are_of_nobody(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET))
    for value in STRANGE_IDS:
        assert ask(signed(_user_id=value)) == 401, value


def test_claims_that_are_none_are_refused(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET))
    for payload in (b"[]", b"null", b'"x"', b"\xff", b"{", b"[" * 50_000):
        token = jwt.api_jws.encode(payload, SECRET, algorithm="HS256")
        # Headers of that length are refused by some servers before.
        if len(token) < 4000:
            assert ask(token) == 401
    for text in ("a.b.c", "....", "e30.e30.", "a", "=" * 5, "a" * 3000):
        assert ask(text) == 401


def test_reused_signature_on_other_claims_is_refused(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET))
    head, _, signature = signed().split(".")
    assert ask(f"{head}.{part(claims(scope='all'))}.{signature}") == 401


def test_secret_of_django_signs_nothing_that_other_code_has_signed(serve: Serve) -> None:
    from django.conf import settings

    account = make_account()
    users = auth.User(Account, authentication=JsonWebToken())
    client = serve(account_api(users))
    made = users.methods[0].issue(users, account).access_token
    assert client.get("/me", headers=bearer(made)).text == "ann"
    plain = jwt.encode(claims(), settings.SECRET_KEY.ljust(32, "x"), algorithm="HS256")
    assert client.get("/me", headers=bearer(plain)).status_code == 401


def test_tokens_of_one_kind_of_users_are_none_of_another_kind(serve: Serve) -> None:
    ann = make_account()
    staff = DjangoUser(pk=ann.pk, username="boss", email="boss@example.com")
    staff.save()
    method = JsonWebToken(SECRET)
    customers = auth.User(Account, authentication=method)
    employees = auth.User(DjangoUser, authentication=method)
    client = serve(account_api(employees, DjangoUser))
    token = method.issue(customers, ann).access_token
    assert client.get("/me", headers=bearer(token)).status_code == 401
