"""Headers and cookies that come twice, which two readers might read apart."""

from typing import Any

import httpx
import pytest

from testproject.conduit.models import User as DjangoUser
from tests.auth.accounts import (
    SECRET,
    basic,
    bearer,
    cookies,
    log_in,
    make_account,
    told,
)
from tests.auth.apis import account_api
from tests.auth.conftest import PASSWORD, Serve
from tests.auth.project.models import Account, AccountKey
from utilmeta.core import auth
from utilmeta.core.auth.api_key import APIKey
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.core.auth.session.django import DjangoSession
from utilmeta.core.auth.signature import Signature, SigningKey, sign

SEEN: dict[str, tuple[str, Any]] = {}
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]


def agree(backend: str, name: str, answer: httpx.Response) -> None:
    """Compare an answer with those of other back ends."""
    other, first = SEEN.setdefault(name, (backend, told(answer)))
    assert told(answer) == first, f"{name}: {backend} differs from {other}"


def test_doubled_authorization_is_read_alike_everywhere(serve: Serve, backend: str) -> None:
    token, keys = JsonWebToken(SECRET), APIKey(AccountKey)
    users = auth.User(Account, authentication=[token, BasicAuth(), keys], throttle=None)
    ann, eve = make_account(), make_account("eve")
    client = serve(account_api(users))
    mine, hers = (
        ("Authorization", bearer(token.issue(users, user).access_token)["Authorization"])
        for user in (ann, eve)
    )
    guess = ("Authorization", basic("ann", "wrong")["Authorization"])
    for name, pairs in {
        "two tokens": [mine, hers],
        "two ways": [mine, guess],
        "two ways, the wrong one first": [guess, mine],
    }.items():
        answer = client.get("/me", headers=pairs)
        # Which of them was meant cannot be known.
        assert answer.status_code in {400, 401}, name
        agree(backend, name, answer)


def test_doubled_key_is_read_alike_everywhere(serve: Serve, backend: str) -> None:
    keys = APIKey(AccountKey)
    users = auth.User(Account, authentication=keys)
    _, mine = keys.create(make_account())
    _, hers = keys.create(make_account("eve"))
    client = serve(account_api(users))
    answer = client.get("/me", headers=[("X-API-Key", mine), ("X-API-Key", hers)])
    assert answer.status_code in {400, 401}
    agree(backend, "keys", answer)


@pytest.mark.parametrize("kind", ["cache", "django", "django-middleware"])
def test_doubled_session_cookie_is_read_alike_everywhere(
    serve: Serve, backend: str, is_sync: bool, kind: str
) -> None:
    model: Any = Account if kind == "cache" else DjangoUser
    users = auth.User(model, authentication=CacheSession() if kind == "cache" else DjangoSession())
    for name in ("ann", "eve"):
        if model is Account:
            make_account(name)
        else:
            DjangoUser.objects.create_user(name, f"{name}@example.com", PASSWORD)
    settings = {"MIDDLEWARE": MIDDLEWARE} if kind == "django-middleware" else {}
    client = serve(account_api(users, model), settings=settings)
    keys = []
    for name in ("ann", "eve"):
        log_in(client, name)
        keys.append(client.cookies["sessionid"])
        client.cookies.clear()
    mine, hers = keys
    one = client.get("/me", headers={"Cookie": f"sessionid={mine}; sessionid={hers}"})
    client.cookies.clear()
    two = client.get(
        "/me", headers=[("Cookie", f"sessionid={mine}"), ("Cookie", f"sessionid={hers}")]
    )
    # Django's own middleware takes the last, everything else the first.
    is_native = kind == "django-middleware" and backend.startswith("django")
    assert one.text == ("eve" if is_native else "ann")
    if is_sync or is_native:
        # Joined with a comma they make a key that is none.
        assert two.status_code == 401
    else:
        assert two.text == one.text


def test_doubled_header_that_is_signed_cannot_hide_a_value(serve: Serve, backend: str) -> None:
    secret = b"k" * 32
    ann = make_account()
    key = SigningKey(secret=secret, user_id=ann.pk)
    client = serve(account_api(auth.User(Account, authentication=Signature({"ann": key}))))
    import base64
    import hashlib
    import hmac

    sent = sign(secret, "ann", method="GET", host="localhost", path="/me")
    rest = sent["Signature-Input"].removeprefix("sig=").replace('"@query")', '"@query" "x-role")')
    lines = ['"@method": GET', '"@authority": localhost', '"@path": /me', '"@query": ?']
    lines += ['"x-role": reader', f'"@signature-params": {rest}']
    made = base64.b64encode(hmac.digest(secret, "\n".join(lines).encode(), hashlib.sha256))
    pairs = [("Signature-Input", f"sig={rest}"), ("Signature", f"sig=:{made.decode()}:")]
    for extra in (
        [("X-Role", "reader"), ("X-Role", "admin")],
        [("X-Role", "admin"), ("X-Role", "reader")],
        [("X-Role", "reader"), ("X-Role", "reader")],
    ):
        assert client.get("/me", headers=[*pairs, *extra]).status_code == 401, extra
    assert client.get("/me", headers=[*pairs, ("X-Role", "reader")]).text == "ann"


def test_doubled_csrf_cookie_helps_nobody_who_cannot_read_one(serve: Serve) -> None:
    make_account()
    client = serve(account_api(auth.User(Account, authentication=CacheSession())))
    log_in(client)
    session, token = client.cookies["sessionid"], client.cookies["csrftoken"]
    client.cookies.clear()
    for line in (f"csrftoken=; csrftoken={token}", f"csrftoken={token}; csrftoken="):
        answer = client.post("/change", headers={"Cookie": f"sessionid={session}; {line}"})
        assert answer.status_code == 403
    right = {**cookies(sessionid=session, csrftoken=token), "X-CSRFToken": token}
    assert client.post("/change", headers=right).text == "ann"
