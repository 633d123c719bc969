"""Signed requests that are sent again, changed, or signed in part."""

import base64
import hashlib
import hmac
import time
from typing import Any

import httpx
import pytest

from tests.auth.accounts import make_account
from tests.auth.conftest import Serve
from tests.auth.project.models import Account
from utilmeta.core import api, auth, request
from utilmeta.core.auth.signature import Signature, SigningKey, sign
from utilmeta.utils.exceptions import ConfigError

SECRET = b"k" * 32
IDS: dict[str, int] = {}
USERS = auth.User(
    Account,
    authentication=Signature(
        lambda name: SigningKey(secret=SECRET, user_id=IDS[name]) if name in IDS else None
    ),
)


class SignedAPI(api.API):
    def get(self, user: Account = USERS) -> str:
        return user.username

    @api.get("a b")
    def spaced(self, user: Account = USERS) -> str:
        return user.username

    def post(self, n: int = request.BodyParam, user: Account = USERS) -> int:
        return n

    @api.post
    def nothing(self, user: Account = USERS) -> None:
        pass


@pytest.fixture
def client(serve: Serve) -> httpx.Client:
    IDS["ann"] = make_account().pk
    return serve(SignedAPI)


def headers(method: str = "GET", path: str = "/", **options: Any) -> dict[str, str]:
    """Return what signs a request of ann's."""
    return sign(SECRET, "ann", method=method, host="localhost", path=path, **options)


BODY = b'{"n": 3}'
JSON = {"Content-Type": "application/json"}


def test_signed_requests_are_answered(client: httpx.Client) -> None:
    assert client.get("/", headers=headers()).text == "ann"
    assert client.get("/?a=1&b=%20", headers=headers(query="a=1&b=%20")).text == "ann"
    assert client.get("/a%20b", headers=headers(path="/a%20b")).text == "ann"
    answer = client.post("/", content=BODY, headers={**JSON, **headers("POST", body=BODY)})
    assert answer.text == "3"
    assert client.post("/nothing", headers=headers("POST", "/nothing")).status_code == 204


def test_replay_of_a_request_is_refused(client: httpx.Client) -> None:
    sent = headers()
    assert client.get("/", headers=sent).status_code == 200
    assert client.get("/", headers=sent).status_code == 401
    again = headers(nonce="same")
    assert client.get("/", headers=again).status_code == 200
    # A nonce is taken, whatever else is signed with it.
    assert client.get("/?x=1", headers=headers(query="x=1", nonce="same")).status_code == 401


def test_replay_of_a_refused_forgery_does_not_burn_the_nonce(client: httpx.Client) -> None:
    sent = headers(nonce="mine")
    forged = {**sent, "Signature": "sig=:" + base64.b64encode(b"x" * 32).decode() + ":"}
    assert client.get("/", headers=forged).status_code == 401
    assert client.get("/", headers=sent).status_code == 200


def test_replay_outside_of_the_time_window_is_refused(client: httpx.Client) -> None:
    now = int(time.time())
    for created in (now - 301, now + 305, 0, 10**14):
        assert client.get("/", headers=headers(created=created)).status_code == 401
    for created in (now - 290, now + 290):
        assert client.get("/", headers=headers(created=created)).status_code == 200


def test_changed_requests_are_refused(client: httpx.Client) -> None:
    # The method.
    assert client.post("/nothing", headers=headers("GET", "/nothing")).status_code == 401
    # The path, the query.
    assert client.get("/", headers=headers(path="/a%20b")).status_code == 401
    assert client.get("/?admin=1", headers=headers()).status_code == 401
    assert client.get("/?a=2", headers=headers(query="a=1")).status_code == 401
    assert client.get("/", headers=headers(query="a=1")).status_code == 401
    # The host.
    sent = sign(SECRET, "ann", method="GET", host="other.example", path="/")
    assert client.get("/", headers=sent).status_code == 401
    assert client.get("/", headers={**headers(), "Host": "127.0.0.1"}).status_code == 401


def test_changed_bodies_are_refused(client: httpx.Client) -> None:
    sent = {**JSON, **headers("POST", body=BODY)}
    assert client.post("/", content=b'{"n": 4}', headers=sent).status_code == 401
    digest = base64.b64encode(hashlib.sha256(b'{"n": 4}').digest()).decode()
    other = {**sent, "Content-Digest": f"sha-256=:{digest}:"}
    assert client.post("/", content=b'{"n": 4}', headers=other).status_code == 401
    # One that was added to a request without.
    bare = {**JSON, **headers("POST")}
    assert client.post("/", content=BODY, headers=bare).status_code == 401
    assert client.post("/", content=b"", headers=sent).status_code == 401


def craft(rest: str, lines: list[str], secret: bytes = SECRET) -> dict[str, str]:
    """Return headers of a signature over lines of one's own."""
    text = "\n".join([*lines, f'"@signature-params": {rest}'])
    made = base64.b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode()
    return {"Signature-Input": f"sig={rest}", "Signature": f"sig=:{made}:"}


FULL = {"@method": "GET", "@authority": "localhost", "@path": "/", "@query": "?"}


def params(names: Any, **changes: str) -> str:
    """Return components and parameters of a signature."""
    given = {
        "created": str(int(time.time())),
        "nonce": f'"{time.perf_counter_ns()}"',
        "keyid": '"ann"',
        **changes,
    }
    told = "".join(f";{name}={value}" for name, value in given.items() if value)
    return "(" + " ".join(f'"{name}"' for name in names) + ")" + told


def test_partly_covered_requests_are_refused(client: httpx.Client) -> None:
    lines = [f'"{name}": {value}' for name, value in FULL.items()]
    assert client.get("/", headers=craft(params(FULL), lines)).status_code == 200
    for missing in FULL:
        rest = {name: value for name, value in FULL.items() if name != missing}
        sent = craft(params(rest), [f'"{name}": {value}' for name, value in rest.items()])
        assert client.get("/", headers=sent).status_code == 401, missing
    for changes in (
        {"created": ""},
        {"created": '"x"'},
        {"nonce": ""},
        {"nonce": '""'},
        {"keyid": ""},
        {"keyid": '"eve"'},
        {"alg": '"none"'},
        {"alg": '"rsa-pss-sha512"'},
    ):
        sent = craft(params(FULL, **changes), lines)
        assert client.get("/", headers=sent).status_code == 401, changes
    twice = [*FULL, "@method"]
    sent = craft(params(twice), [f'"{name}": {FULL[name]}' for name in twice])
    assert client.get("/", headers=sent).status_code == 401
    absent = [*FULL, "x-absent"]
    sent = craft(params(absent), [*lines, '"x-absent": '])
    assert client.get("/", headers=sent).status_code == 401
    sent = craft(params(FULL), lines, secret=b"x" * 32)
    assert client.get("/", headers=sent).status_code == 401


@pytest.mark.parametrize("name", ["Signature", "Signature-Input"])
def test_doubled_headers_are_refused(client: httpx.Client, name: str) -> None:
    sent = headers()
    doubled = [*sent.items(), (name, sent[name])]
    assert client.get("/", headers=doubled).status_code == 401
    evil = [(name, "sig2=();created=1"), *sent.items()]
    assert client.get("/", headers=evil).status_code == 401


def test_doubled_digest_is_refused(client: httpx.Client) -> None:
    sent = {**JSON, **headers("POST", body=BODY)}
    doubled = [*sent.items(), ("Content-Digest", sent["Content-Digest"])]
    assert client.post("/", content=BODY, headers=doubled).status_code == 401


def test_header_that_is_covered_cannot_hide_a_line(client: httpx.Client) -> None:
    names = [*FULL, "x-note"]
    lines = [f'"{name}": {value}' for name, value in FULL.items()]
    sent = craft(params(names), [*lines, '"x-note": a'])
    assert client.get("/", headers={**sent, "X-Note": "b"}).status_code == 401
    sent = craft(params(names), [*lines, '"x-note": a'])
    assert client.get("/", headers={**sent, "X-Note": "a"}).status_code == 200


def test_signature_with_a_short_secret_is_refused_at_set_up() -> None:
    with pytest.raises(ConfigError, match="at least 32"):
        Signature({"a": SigningKey(secret="short", user_id=1)})
    with pytest.raises(ConfigError, match="from 1"):
        Signature({}, window=0)
