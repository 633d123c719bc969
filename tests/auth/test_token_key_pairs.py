"""Tokens of two keys, forged with the one that everybody knows."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.auth.accounts import SECRET, make_account
from tests.auth.conftest import Serve
from tests.auth.forging import Ask, asker, claims, part, signed
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.utils.exceptions import ConfigError


@pytest.fixture
def asking(serve: Serve) -> Callable[[Any], Ask]:
    """Return what starts a service with tokens, and tells the status for one of them."""
    make_account()
    return partial(asker, serve)


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A private and a public RSA key, as PEM."""
    from cryptography.hazmat.primitives import serialization

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


def test_algorithm_confusion_with_the_public_key_as_a_secret(
    asking: Callable[[Any], Ask], pair: tuple[str, str]
) -> None:
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


def test_injected_headers_name_no_key(asking: Callable[[Any], Ask], pair: tuple[str, str]) -> None:
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


def test_pem_key_as_a_shared_secret_is_refused_at_set_up(pair: tuple[str, str]) -> None:
    for pem in (*pair, pair[1].encode()):
        with pytest.raises(ConfigError, match="PEM"):
            JsonWebToken(pem, "HS256")
    with pytest.raises(ConfigError, match="one secret"):
        JsonWebToken(SECRET, "HS256", public_key=pair[1])
