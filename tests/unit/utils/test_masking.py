"""Which names hold secrets, and what is shown of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.utils.masking import MASK, is_secret, mask, mask_url


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "db-password",
        "pass",
        "DB_PASS",
        "passwd",
        "pwd",
        "passphrase",
        "SECRET",
        "client_secret",
        "SECRET_KEY",
        "DJANGO_SECRET_KEY",
        "token",
        "ACCESS_TOKEN",
        "accessToken",
        "x-auth-token",
        "api_key",
        "apiKey",
        "APIKEY",
        "key",
        "KEY1",
        "private_key",
        "SENTRY_DSN",
        "dsn",
        "credentials",
        "authorization",
        "sessionid",
        "cvv",
    ],
)
def test_secret_names_are_recognised(name: str):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["ACCESSTOKEN", "authtoken", "ACCESSKEY", "PRIVATEKEY", "SENTRYDSN"]
)
def test_secret_names_written_as_one_word_are_recognised(name: str):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "monkey",
        "keyboard",
        "HOST",
        "DB_USER",
        "primary_key",
        "public_key",
        "compass",
        "author",
        "keyword",
        "page_size",
        "PORT",
        "",
    ],
)
def test_harmless_names_are_left_alone(name: str):
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://u:hunter2@h:5432/db?a=1", "postgres://u:***@h:5432/db?a=1"),
        ("redis://:hunter2@h/0", "redis://:***@h/0"),
        ("https://user@example.com/", "https://user@example.com/"),
        ("amqp://u:hunter2@[::1]:5672//", "amqp://u:***@[::1]:5672//"),
        ("postgres://u:hun@ter2@h/db", "postgres://u:***@h/db"),
    ],
)
def test_mask_url_hides_the_password_only(url: str, shown: str):
    assert mask_url(url) == shown


@pytest.mark.parametrize(
    "value",
    [
        "postgres://u:hunter2/x@h/db",
        "postgres://u:hunter2#x@h/db",
        "postgres://u:hunter2?x@h/db",
        "postgres://u:[hunter2@h/db",
        "postgres://u:hunter2,x@h/db",
        "postgres://u:x,hunter2@h/db",
        "smtp://me@example.com:hunter2@smtp.example.com",
        "redis://h/0?password=hunter2",
        "postgres://h/db?user=u&password=hunter2&sslmode=require",
        "redis://:one@a/0,redis://:hunter2@b/0",
        "could not reach postgres://u:hunter2@h/db",
    ],
)
def test_mask_hides_a_password_wherever_it_stands_in_a_url(value: str):
    assert "hunter2" not in str(mask(value))


def test_mask_goes_into_mappings_and_sequences():
    given = {
        "default": {"NAME": "db", "PASSWORD": "hunter2", "OPTIONS": {"passfile": "f"}},
        "replicas": [{"password": "hunter2"}, ({"api_key": "hunter2"},)],
        "urls": ["redis://:hunter2@h"],
    }
    shown = mask(given)
    assert shown == {
        "default": {"NAME": "db", "PASSWORD": MASK, "OPTIONS": {"passfile": "f"}},
        "replicas": [{"password": MASK}, ({"api_key": MASK},)],
        "urls": ["redis://:***@h"],
    }
    assert given["default"]["PASSWORD"] == "hunter2"


@pytest.mark.parametrize("value", [{"redis://:hunter2@h"}, frozenset({"redis://:hunter2@h"})])
def test_mask_goes_into_sets(value: object):
    assert "hunter2" not in repr(mask(value))


@pytest.mark.parametrize("empty", [None, "", b""])
def test_mask_shows_that_a_secret_is_empty(empty: object):
    assert mask(empty, "password") == empty


@pytest.mark.parametrize("value", ["x", b"x", 7, 0, ["x"], {"a": "x"}, object()])
def test_mask_replaces_any_kind_of_secret(value: object):
    assert mask(value, "password") == MASK


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b", "host"]), inner),
)


@given(plain.filter(lambda value: "://" not in repr(value)))
def test_mask_leaves_what_holds_no_secret(value: object):
    assert mask(value) == value


@given(plain)
def test_mask_replaces_whatever_stands_below_a_secret_name(value: object):
    shown = mask([{"inner": {"token": value}}])
    assert shown == [{"inner": {"token": value if value in (None, "") else MASK}}]


@pytest.mark.parametrize("piece", ["?", "://:", "a://b:", "?a", ",a://", "@"])
def test_hostile_text_is_masked_in_one_pass(piece: str):
    # Took minutes with a pattern that went back and forth.
    text = f"://{piece * 100_000}"
    assert len(mask_url(text)) >= 3
