"""Tokens that were forged, stolen, or made for something else."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.auth.accounts import SECRET, bearer, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.project.models import Account
from utilmeta.core import api, auth, request
from utilmeta.core.auth.base import InvalidCredentials
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.utils.exceptions import ConfigError

FAR = 9_999_999_999
OTHER = "fedcba9876543210" * 4


def part(value: Any) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A private and a public RSA key, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


Ask = Callable[[str], int]


@pytest.fixture
def asking(serve: Serve) -> Iterator[Callable[[Any], Ask]]:
    """Return what starts a service with tokens, and tells the status for one of them."""
    make_account()

    def start(method: Any) -> Ask:
        users = auth.User(Account, authentication=method)
        client = serve(account_api(users))

        def ask(token: str) -> int:
            answer = client.get("/me", headers=bearer(token))
            if answer.status_code == 401:
                assert 'error="invalid_' in answer.headers["www-authenticate"]
            return answer.status_code

        return ask

    yield start


def claims(**values: Any) -> dict[str, Any]:
    """Return what a token says of the only account."""
    return {"_user_id": Account.objects.get().pk, "exp": FAR, **values}


def signed(key: Any = SECRET, algorithm: str = "HS256", **options: Any) -> str:
    """Return a token of the only account."""
    headers = options.pop("headers", None)
    return jwt.encode(claims(**options), key, algorithm=algorithm, headers=headers)


def test_algorithm_confusion_with_none(asking: Callable[[Any], Ask]) -> None:
    ask = asking(JsonWebToken(SECRET))
    assert ask(signed()) == 200
    for name in ("none", "None", "NONE", "nOnE"):
        for signature in ("", "AAAA"):
            token = f"{part({'alg': name, 'typ': 'JWT'})}.{part(claims())}.{signature}"
            assert ask(token) == 401
    assert ask(f"{part({'typ': 'JWT'})}.{part(claims())}.") == 401


def test_algorithm_confusion_with_the_public_key_as_a_secret(
    asking: Callable[[Any], Ask], pair: tuple[str, str]
) -> None:
    import hashlib
    import hmac

    private, public = pair
    ask = asking(JsonWebToken(private, "RS256", public_key=public))
    assert ask(signed(private, "RS256")) == 200
    body = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    for key in (public.encode(), public.strip().encode()):
        made = base64.urlsafe_b64encode(hmac.digest(key, body.encode(), hashlib.sha256))
        assert ask(f"{body}.{made.rstrip(b'=').decode()}") == 401


def test_algorithm_confusion_with_another_of_the_same_family(
    asking: Callable[[Any], Ask], pair: tuple[str, str]
) -> None:
    ask = asking(JsonWebToken(SECRET))
    assert [ask(signed(SECRET, name)) for name in ("HS384", "HS512")] == [401, 401]
    private, public = pair
    ask = asking(JsonWebToken(private, "RS256", public_key=public))
    assert [ask(signed(private, name)) for name in ("RS512", "PS256")] == [401, 401]


def test_injected_headers_name_no_key(
    asking: Callable[[Any], Ask], pair: tuple[str, str]
) -> None:
    private, public = pair
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key()))
    ask = asking(JsonWebToken(private, "RS256", public_key=public))
    for headers in (
        {"jwk": jwk},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/keys"},
        {"jwk": jwk, "kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
    ):
        assert ask(signed(other, "RS256", headers=headers)) == 401
    assert ask(signed(private, "RS256", headers={"crit": ["exp"]})) == 401


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


def test_pem_key_as_a_shared_secret_is_refused_at_set_up(pair: tuple[str, str]) -> None:
    for pem in (*pair, pair[1].encode()):
        with pytest.raises(ConfigError, match="PEM"):
            JsonWebToken(pem, "HS256")
    with pytest.raises(ConfigError, match="one secret"):
        JsonWebToken(SECRET, "HS256", public_key=pair[1])


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
    ):
        assert ask(signed(**wrong)) == 401, wrong
    endless = {key: value for key, value in claims().items() if key != "exp"}
    assert ask(jwt.encode(endless, SECRET, algorithm="HS256")) == 401
    ask = asking(JsonWebToken(SECRET, leeway=60))
    assert [ask(signed(exp=now - 30)), ask(signed(nbf=now + 30))] == [200, 200]
    assert ask(signed(exp=now - 90)) == 401


@pytest.mark.parametrize(
    "value", [None, True, False, 1.0, [1], {"pk": 1}, "1 OR 1=1", "x\0", 10**30, "", -1, "١x"]
)
def test_strange_user_ids_are_of_nobody(asking: Callable[[Any], Ask], value: Any) -> None:
    ask = asking(JsonWebToken(SECRET))
    assert ask(signed(_user_id=value)) == 401


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


# -- refreshing ----------------------------------------------------------------------------------


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


def test_secret_of_django_signs_nothing_that_other_code_has_signed(serve: Serve) -> None:
    from django.conf import settings

    account = make_account()
    users = auth.User(Account, authentication=JsonWebToken())
    client = serve(account_api(users))
    made = users.methods[0].issue(users, account).access_token
    assert client.get("/me", headers=bearer(made)).text == "ann"
    plain = jwt.encode(claims(), settings.SECRET_KEY.ljust(32, "x"), algorithm="HS256")
    assert client.get("/me", headers=bearer(plain)).status_code == 401
