"""Credentials that are too long, broken, or meant to break something."""

import base64
import json
import logging
from typing import Any

import pytest

from testproject.conduit.models import User as DjangoUser
from tests.auth.accounts import SECRET, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.project.models import Account, AccountKey
from utilmeta.conf.http import Cookie
from utilmeta.core import auth
from utilmeta.core.auth.api_key import APIKey
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cached_db import CachedDBSession
from utilmeta.core.auth.session.django import DjangoSession
from utilmeta.core.auth.signature import Signature

# Bytes that clients may put into a header, and more than servers should be bothered with.
VALUES = (
    b"Bearer",
    b"Bearer x",
    b"Bearer \xff\xfe",
    b"Bearer " + b"a." * 500,
    b"Basic",
    b"Basic =",
    b"Basic " + base64.b64encode(b"\xff\xfe:x"),
    b"Basic " + base64.b64encode(b"no colon"),
    b"Basic " + base64.b64encode(b":"),
    b"Basic " + base64.b64encode(b"a\0b:c\0d"),
    b"Basic " + base64.b64encode("ünï:çødé\U0001f600".encode()),
    b"Basic " + base64.b64encode(b"\xed\xa0\x80:x"),
    b"Basic " + base64.b64encode(b"a:" + b"x" * 2000),
    b"Basic " + base64.b64encode(b"' OR 1=1 --:x"),
    b"Basic YTpi YTpi",
    b"Api-Key \xe2\x80\x8b.x",
    b'Digest username="a"',
    b"Negotiate",
    b"\xf0\x9f\x98\x80",
    b"a" * 3000,
    b",,,,",
)
COOKIES = (
    b"sessionid=",
    b'sessionid="',
    b"sessionid=\xff\xfe",
    b"sessionid=" + b"a" * 3000,
    b"sessionid=../../etc",
    b"sessionid=a; sessionid=b",
    b"sessionid",
    b"=;=;;",
    b"token=\xff",
    b"token=a.b.c",
    b"token=; csrftoken=",
    b"sessionid=%00%0d%0a",
)
METHODS: tuple[tuple[str, Any, Any], ...] = (
    ("jwt", lambda: JsonWebToken(SECRET), Account),
    ("jwt-cookie", lambda: JsonWebToken(SECRET, cookie=Cookie(name="token")), Account),
    ("basic", BasicAuth, Account),
    ("key", lambda: APIKey(AccountKey, header="Authorization"), Account),
    ("session", lambda: CachedDBSession("auth_project.AccountSession"), Account),
    ("django", DjangoSession, DjangoUser),
    ("signature", lambda: Signature({}), Account),
)


@pytest.mark.parametrize(("name", "make", "model"), METHODS, ids=[item[0] for item in METHODS])
def test_broken_credentials_are_of_nobody(serve: Serve, name: str, make: Any, model: Any) -> None:
    users = auth.User(model, authentication=make(), throttle=None)
    client = serve(account_api(users, model))
    for header, values in ((b"Authorization", VALUES), (b"Cookie", COOKIES)):
        for value in values:
            sent: Any = [(header, value)]
            answer = client.get("/me", headers=sent)
            # 400 where the framework itself reads no such header.
            assert answer.status_code in {400, 401}, (name, value, answer.text)
            answer = client.get("/maybe", headers=sent)
            assert answer.status_code in {200, 400}, (name, value, answer.text)
            assert answer.text == "nobody" or answer.status_code == 400
            client.cookies.clear()


def test_broken_signatures_are_of_nobody(serve: Serve) -> None:
    users = auth.User(Account, authentication=Signature({}))
    client = serve(account_api(users))
    for told in (
        b"sig=()",
        b"sig=" + b"(" * 1000,
        b'sig=("@method" "@authority" "@path" "@query");created=1;nonce="n";keyid="k"',
        b'sig=("@method");created=99999999999999999999',
        b"\xff",
        b"sig=" + b'("a"' * 400,
    ):
        for signature in (b"sig=:YQ==:", b"sig=:=:", b"sig=:a:", b"\xff", b""):
            sent: Any = [(b"Signature-Input", told), (b"Signature", signature)]
            if not signature:
                sent.pop()
            assert client.get("/me", headers=sent).status_code in {400, 401}


STRANGE = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "x" * 100_000,
    "\U0001f600" * 5000,
    "ﷺ" * 1000,
    "\r\nSet-Cookie: a=b",
    "%s%n{0}",
    "\x1b[31m",
    None,
    True,
    1,
    10**400,
    [],
    {},
    ["a"],
)


def test_strange_names_and_passwords_log_nobody_in(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    make_account()
    users = auth.User(
        Account,
        authentication=CachedDBSession("auth_project.AccountSession"),
        throttle="1000/hour",
        login_fields=("username", "email"),
    )
    client = serve(account_api(users))
    for value in STRANGE:
        for body in (
            {"name": value, "password": "x"},
            {"name": "ann", "password": value},
            {"name": value, "password": value},
        ):
            answer = client.post(
                "/login", content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in {200, 400}, (body, answer.text)
            assert answer.text == "no" or answer.status_code == 400
            assert "set-cookie" not in answer.headers
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_header_injection_names_make_no_headers_of_answers(serve: Serve) -> None:
    name = "a\r\nSet-Cookie: evil=1"
    make_account(name, email="a@example.com")
    users = auth.User(Account, authentication=CachedDBSession("auth_project.AccountSession"))
    client = serve(account_api(users))
    answer = client.post("/login", json={"name": name, "password": "secret-word"})
    assert answer.text == "yes"
    assert "evil" not in str(answer.headers)
    # Nor does the browser that logs in put a line into the row.
    assert client.get("/me").text == name


def test_log_injection_paths_and_addresses_break_no_line(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    from utilmeta.core import api

    users = auth.User(Account, authentication=[BasicAuth(), JsonWebToken(SECRET)])

    class PathAPI(api.API):
        @auth.Require("nothing")
        @api.get("{name}")
        def named(self, name: str, user: Account = users) -> str:
            return name

    make_account()
    caplog.set_level(logging.DEBUG)
    client = serve(PathAPI)
    pair = base64.b64encode(b"ann:secret-word").decode()
    wrong = base64.b64encode(b"a\nERROR forged:x").decode()
    for path in ("/a%0AERROR%20forged", "/a%0D%0Ab", "/%1b%5b31m", "/%E2%80%A8x", "/%C2%85"):
        client.get(path, headers={"Authorization": "Bearer x"})
        client.get(path, headers={"Authorization": f"Basic {wrong}"})
        assert client.get(path, headers={"Authorization": f"Basic {pair}"}).status_code == 403
    lines = [record.getMessage() for record in caplog.records if record.name == "utilmeta.auth"]
    assert len(lines) >= 10
    for line in lines:
        assert line.isprintable(), line
        assert "\n" not in line
