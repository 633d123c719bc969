"""Limits and trust."""

import pytest

from utilmeta.conf import Preference
from utilmeta.utils.exceptions import ConfigError


def test_defaults_trust_nobody_and_bound_the_body():
    preference = Preference()
    assert preference.trusted_proxies == ()
    assert preference.max_body_size == 16 * 1024 * 1024
    assert preference.max_fields > 0
    assert preference.django_settings() == {}


@pytest.mark.parametrize(
    "proxies",
    [("10.0.0.0/8",), ["::1"], ("192.0.2.7",), ("2001:db8::/32",), ("10.0.0.1/8",)],
)
def test_addresses_and_networks_are_taken(proxies: tuple[str, ...]):
    assert Preference(trusted_proxies=proxies).trusted_proxies == proxies


@pytest.mark.parametrize("item", ["10.0.0.0/99", "localhost", "*", "", "10.0.0", "Unix"])
def test_other_proxies_are_a_config_error(item: str):
    with pytest.raises(ConfigError) as caught:
        Preference(trusted_proxies=[item])
    assert "Preference(trusted_proxies=" in str(caught.value)
    assert repr(item) in str(caught.value)
    assert "'10.0.0.0/8'" in str(caught.value)


def test_proxies_as_a_text_are_a_config_error():
    with pytest.raises(ConfigError) as caught:
        Preference(trusted_proxies="10.0.0.1")
    assert "Preference(trusted_proxies=" in str(caught.value)
    assert "'10.0.0.1'" in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("name", ["max_body_size", "max_fields", "lanes"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_must_be_positive(name: str, value: int):
    with pytest.raises(ConfigError) as caught:
        Preference(**{name: value})
    assert f"Preference({name}={value})" in str(caught.value)
    assert "positive" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_body_size", "16"), ("max_fields", True), ("lanes", 1.5), ("max_fields", None)],
)
def test_wrong_type_is_a_config_error(name: str, value: object):
    with pytest.raises(ConfigError) as caught:
        Preference(**{name: value})
    assert f"Preference({name}=...)" in str(caught.value)
    assert repr(value) in str(caught.value)
    assert "expected int" in str(caught.value)


def test_no_limit_is_none():
    assert Preference(max_body_size=None).max_body_size is None
