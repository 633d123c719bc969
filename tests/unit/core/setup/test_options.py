"""Django's settings as one typed class."""

from pathlib import Path
from typing import Any

import pytest

from utilmeta.core.server.backends.django import DjangoSettings as FixedPath
from utilmeta.core.setup.merge import RULES
from utilmeta.core.setup.options import DjangoSettings
from utilmeta.utils.exceptions import ConfigError


def test_fixed_path_is_the_same_class():
    assert FixedPath is DjangoSettings


def test_nothing_decided_says_nothing():
    assert DjangoSettings().django_settings() == {}
    assert DjangoSettings().named_settings() == frozenset()


@pytest.mark.parametrize(
    ("option", "value", "name", "setting", "named"),
    [
        ("secret_key", "k", "SECRET_KEY", "k", True),
        ("apps", ("a", "b"), "INSTALLED_APPS", ["a", "b"], False),
        ("middleware", ["m"], "MIDDLEWARE", ["m"], False),
        ("database_routers", ["r"], "DATABASE_ROUTERS", ["r"], False),
        ("allowed_hosts", ["h"], "ALLOWED_HOSTS", ["h"], False),
        ("root_urlconf", "u", "ROOT_URLCONF", "u", True),
        ("wsgi_application", "w", "WSGI_APPLICATION", "w", True),
        ("default_autofield", "f", "DEFAULT_AUTO_FIELD", "f", True),
        ("language", "zh", "LANGUAGE_CODE", "zh", True),
        ("use_i18n", False, "USE_I18N", False, True),
        ("append_slash", False, "APPEND_SLASH", False, True),
        ("extra", {"LOGIN_URL": "/"}, "LOGIN_URL", "/", False),
    ],
)
def test_option_becomes_its_setting(option: str, value: Any, name: str, setting: Any, named: bool):
    config = DjangoSettings(**{option: value})
    assert config.django_settings() == {name: setting}
    assert (name in config.named_settings()) is named


@pytest.mark.parametrize("option", ["apps", "middleware", "database_routers", "allowed_hosts"])
@pytest.mark.parametrize("value", ["shop", ["a", 1], 7, None])
def test_list_that_is_none_is_a_config_error(option: str, value: Any):
    with pytest.raises(ConfigError) as caught:
        DjangoSettings(**{option: value})
    message = str(caught.value)
    assert message.startswith(f"DjangoSettings({option}=...)")
    assert "got" in message
    assert "expected" in message


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("language", 1),
        ("use_i18n", "yes"),
        ("append_slash", 1),
        ("root_urlconf", object),
        ("extra", []),
    ],
)
def test_wrong_type_is_a_config_error(option: str, value: Any):
    with pytest.raises(ConfigError) as caught:
        DjangoSettings(**{option: value})
    assert str(caught.value).startswith(f"DjangoSettings({option}=...): got {value!r}")
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("value", [b"hunter2", ["hunter2"], 12345678])
def test_wrong_key_is_a_config_error_that_hides_it(value: Any):
    with pytest.raises(ConfigError) as caught:
        DjangoSettings(secret_key=value)
    assert "DjangoSettings(secret_key=...)" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize("name", ["login_url", "Login_URL", "", "1"])
def test_extra_in_lower_case_is_a_config_error(name: str):
    with pytest.raises(ConfigError) as caught:
        DjangoSettings(extra={name: "/"})
    assert "DjangoSettings(extra=...)" in str(caught.value)
    assert repr(name) in str(caught.value)
    assert "upper case" in str(caught.value)


@pytest.mark.parametrize("name", sorted(set(RULES) - {"ASGI_APPLICATION", "LOGGING"}))
def test_extra_that_has_an_option_is_a_config_error_that_names_it(name: str):
    with pytest.raises(ConfigError) as caught:
        DjangoSettings(extra={name: "x"})
    assert f"DjangoSettings(extra=...): {name} is set by" in str(caught.value)
    assert "use that" in str(caught.value)


def test_secrets_never_show():
    config = DjangoSettings(
        secret_key="hunter2", extra={"EMAIL_HOST_PASSWORD": "hunter2", "LOGIN_URL": "/in"}
    )
    assert "hunter2" not in repr(config)


@pytest.fixture
def domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    root = tmp_path / "unit_domain"
    for name in ("", "user", "article", "_private", "user/deeper", "__pycache__"):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        if name != "__pycache__":
            (folder / "__init__.py").write_text("")
    (root / "module.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return "unit_domain"


@pytest.mark.parametrize(
    "wrap", [str, lambda package: [package], lambda package: (package, package)]
)
def test_apps_package_means_its_direct_sub_packages(domain: str, wrap: Any):
    config = DjangoSettings(apps_package=wrap(domain))
    assert sorted(config.installed_apps()) == ["unit_domain.article", "unit_domain.user"]


def test_named_apps_come_before_those_of_packages_and_once(domain: str):
    config = DjangoSettings(apps=["x", "unit_domain.user"], apps_package=domain)
    assert config.installed_apps() == ["x", "unit_domain.user", "unit_domain.article"]


@pytest.mark.parametrize(
    "package",
    ["no_such_package", "no_such.sub", "json.decoder", "unit domain", "..x", ".x", "a..b"],
)
def test_apps_package_that_is_none_is_a_config_error(package: str):
    with pytest.raises(ConfigError) as caught:
        DjangoSettings(apps_package=package).installed_apps()
    assert f"DjangoSettings(apps_package={package!r})" in str(caught.value)
    assert "no such package" in str(caught.value)
