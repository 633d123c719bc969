"""The base of configurations, and the service of the process."""

from dataclasses import dataclass, field

import pytest

from tests.unit.plain import Facts
from utilmeta.conf import Config, current
from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, kw_only=True)
class Mail(Config):
    host: str = "localhost"
    port: int = 25
    password: str = field(default="", repr=False)


def test_own_configuration_checks_its_fields():
    with pytest.raises(ConfigError) as caught:
        Mail(port="25")
    assert str(caught.value).startswith("Mail(port=...): got '25' (str), expected int")


def test_wrong_secret_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        Mail(password=b"hunter2")
    assert "Mail(password=...)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_wrong_value_that_holds_a_secret_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        Mail(host={"password": "hunter2", "host": "h"})
    assert "Mail(host=...)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_base_says_nothing_to_django():
    config = Config()
    assert config.django_settings() == {}
    assert config.named_settings() == frozenset()
    for method in (config.setup, config.on_startup, config.on_shutdown):
        assert method(Facts()) is None


def test_second_service_is_a_config_error_that_names_the_first():
    with current.replaced():
        first = Facts(name="shop", module_name="shop.service")
        current.register(first)
        with pytest.raises(ConfigError) as caught:
            current.register(Facts(name="other", module_name="other.service"))
        assert current.get() is first
    message = str(caught.value)
    for part in ("'other.service'", "'shop'", "'shop.service'", "from utilmeta import service"):
        assert part in message


def test_replaced_sets_the_service_aside_and_back():
    before = current.get()
    with current.replaced():
        assert current.get() is None
        current.register(Facts())
    assert current.get() is before
