"""The plain facts of a service."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core import api
from utilmeta.core.server.identity import (
    check_api,
    check_hook,
    check_listen,
    check_name,
    check_origin,
    check_route,
    is_semantic,
    spell_version,
)
from utilmeta.utils.exceptions import ConfigError


@pytest.mark.parametrize("name", ["shop", "Shop-API_2", "7", "-"])
def test_name_is_kept(name: str):
    assert check_name(name, "m") == name


@pytest.mark.parametrize("name", ["", "a b", "a.b", "é", "a/b", "a\n", "shop!", 7, b"shop"])
def test_wrong_name_is_a_config_error(name: Any):
    with pytest.raises(ConfigError) as caught:
        check_name(name, "m")
    assert f"UtilMeta(name={name!r})" in str(caught.value)
    assert "expected letters, digits" in str(caught.value)


@pytest.mark.parametrize(
    ("module", "name"), [("shop.service", "service"), ("server", "server"), ("a.é", "service")]
)
def test_name_comes_from_the_module(module: str, name: str):
    assert check_name(None, module) == name


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("1.0.2", "1.0.2"),
        (" 1.0 ", "1.0"),
        ((0, 1, 0), "0.1.0"),
        ((1, 0, "rc1"), "1.0-rc1"),
        ((1,), "1"),
        ((1, 2, 3, "a", "b"), "1.2.3-a-b"),
    ],
)
def test_version_is_spelled(version: Any, text: str):
    assert spell_version(version) == text


@pytest.mark.parametrize(
    "version", ["", " ", (), 1, 1.0, None, [1, 0], ("a",), (1, "a", 2), (-1, 0), (True, 0), (1.5,)]
)
def test_wrong_version_is_a_config_error(version: Any):
    with pytest.raises(ConfigError) as caught:
        spell_version(version)
    assert f"UtilMeta(version={version!r})" in str(caught.value)
    assert "'1.0.2'" in str(caught.value)
    assert "(1, 0, 2)" in str(caught.value)


@pytest.mark.parametrize("version", ["0.1.0", "1.0.2-rc.1", "1.0.2+build.5", "10.20.30-a+b"])
def test_semantic_versions_are_known(version: str):
    assert is_semantic(version)


@pytest.mark.parametrize(
    "version", ["1", "1.0", "1.0-rc1", "01.0.0", "v1.0.0", "1.0.0-", "1.0.0\n"]
)
def test_other_versions_are_not_semantic(version: str):
    assert not is_semantic(version)


@given(st.tuples(st.integers(0), st.integers(0), st.integers(0)))
def test_three_numbers_are_semantic(version: tuple[int, int, int]):
    assert is_semantic(spell_version(version))


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("/", ""),
        ("", ""),
        ("api", "/api"),
        ("/api/", "/api"),
        ("api/v1", "/api/v1"),
        ("/中文", "/中文"),
    ],
)
def test_route_is_normalised(route: str, path: str):
    assert check_route(route) == path


@pytest.mark.parametrize(
    "route",
    [
        "http://a/b",
        "/a//b",
        "/a/../b",
        "./a",
        "/a?b",
        "/a#b",
        "/{id}",
        "/<id>",
        "/a b",
        "a\\b",
        "/a%2Fb",
        "a\nb",
        None,
        7,
    ],
)
@pytest.mark.parametrize("where", ["UtilMeta(route=...)", "service.mount(route=...)"])
def test_wrong_route_is_a_config_error(route: Any, where: str):
    with pytest.raises(ConfigError) as caught:
        check_route(route, where=where)
    assert str(caught.value).startswith(where)
    assert repr(route) in str(caught.value)
    assert "'/api" in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        (None, None),
        ("https://api.example.com", "https://api.example.com"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_origin_is_scheme_and_host(origin: str | None, kept: str | None):
    assert check_origin(origin) == kept


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://a#b",
        "http://[::1",
        "http://a:99999",
        "http://a:b",
        "https://a b",
        7,
        b"https://a",
    ],
)
def test_wrong_origin_is_a_config_error(origin: Any):
    with pytest.raises(ConfigError) as caught:
        check_origin(origin)
    assert f"UtilMeta(origin={origin!r})" in str(caught.value)
    assert "'https://api.example.com'" in str(caught.value)


def test_origin_with_credentials_is_a_config_error_that_hides_them():
    with pytest.raises(ConfigError) as caught:
        check_origin("https://user:hunter2@example.com")
    assert "UtilMeta(origin=" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "scheme"),
    [("127.0.0.1", None, "http"), ("0.0.0.0", 1, "https"), ("::", 65535, "http"), ("", 80, "http")],
)
def test_listen_is_accepted(host: str, port: int | None, scheme: str):
    check_listen(host, port, scheme)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("host", "http://a", "an address or a host name"),
        ("host", "a/b", "an address or a host name"),
        ("host", 7, "an address or a host name"),
        ("host", None, "an address or a host name"),
        ("port", 0, "1 to 65535"),
        ("port", 65536, "1 to 65535"),
        ("port", "8000", "1 to 65535"),
        ("port", True, "1 to 65535"),
        ("port", 80.0, "1 to 65535"),
        ("scheme", "ftp", "'http' or 'https'"),
        ("scheme", None, "'http' or 'https'"),
        ("scheme", ["http"], "'http' or 'https'"),
    ],
)
def test_wrong_listen_is_a_config_error(option: str, value: Any, expected: str):
    options: dict[str, Any] = {"host": "127.0.0.1", "port": None, "scheme": "http", option: value}
    with pytest.raises(ConfigError) as caught:
        check_listen(**options)
    assert f"UtilMeta({option}={value!r})" in str(caught.value)
    assert expected in str(caught.value)


class Root(api.API):
    pass


@pytest.mark.parametrize("value", [None, Root, "shop.api.RootAPI"])
def test_api_is_a_class_or_a_reference(value: Any):
    assert check_api(value) is value


@pytest.mark.parametrize("value", [Root(None), dict, 7, ["shop.api.RootAPI"]])  # type: ignore[arg-type]
def test_wrong_api_is_a_config_error(value: Any):
    with pytest.raises(ConfigError) as caught:
        check_api(value)
    assert "UtilMeta(api=" in str(caught.value)
    assert repr(value) in str(caught.value)
    assert "'service.api.RootAPI'" in str(caught.value)


def test_hook_must_be_callable():
    assert check_hook("on_startup", len) is len
    with pytest.raises(ConfigError, match=r"@service\.on_startup: 'x' is no function"):
        check_hook("on_startup", "x")  # type: ignore[type-var]
