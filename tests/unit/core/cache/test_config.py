"""Caches as they are declared."""

from typing import Any

import pytest
from django.utils.module_loading import import_string

from utilmeta.core.cache import Cache, CacheConnections, config
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled

SECRET = "hunter2"


@pytest.mark.parametrize("engine", ["locmem", "file", "db", "dummy", "redis", "memcached"])
def test_engine_is_a_django_backend(engine: str, monkeypatch: pytest.MonkeyPatch):
    # Declaring needs no client here: the backend itself is what is looked for.
    monkeypatch.setattr(config, "find_spec", lambda name: name)
    assert issubclass(import_string(Cache(engine=engine).as_django()["BACKEND"]), object)


def test_every_field_reaches_django():
    entry = Cache(
        engine="other.Backend",
        location=["a", "b"],
        timeout=None,
        key_prefix="p",
        version=2,
        max_entries=9,
        options={"x": 1},
    ).as_django()
    assert entry == {
        "BACKEND": "other.Backend",
        "LOCATION": ["a", "b"],
        "TIMEOUT": None,
        "KEY_PREFIX": "p",
        "VERSION": 2,
        "OPTIONS": {"x": 1, "MAX_ENTRIES": 9},
    }


@pytest.mark.parametrize(
    ("cls", "options", "where", "expected"),
    [
        (Cache, {"engine": "mongo"}, "Cache(engine='mongo')", "one of locmem"),
        (Cache, {"timeout": "300"}, "Cache(timeout=...): got '300' (str)", "expected int | None"),
        (Cache, {"location": 7}, "Cache(location=...): got 7 (int)", "expected"),
        (RedisCache, {"port": 0}, "RedisCache(port=0)", "1 to 65535"),
        (RedisCache, {"port": "6379"}, "RedisCache(port=...): got '6379'", "expected int"),
        (RedisCache, {"db": -1}, "RedisCache(db=-1)", "number from 0"),
    ],
)
def test_wrong_field_is_a_config_error(cls: Any, options: dict, where: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        cls(**options)
    assert where in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "redis://127.0.0.1:6379/0"),
        ({"host": "h", "port": 1, "db": 2, "ssl": True}, "rediss://h:1/2"),
        ({"password": "p@/ä"}, "redis://:p%40%2F%C3%A4@127.0.0.1:6379/0"),
        ({"username": "u:", "password": "p"}, "redis://u%3A:p@127.0.0.1:6379/0"),
        ({"unix_socket": "/run/r.sock", "db": 3, "password": "p"}, "unix://:p@/run/r.sock?db=3"),
        ({"host": "::1"}, "redis://[::1]:6379/0"),
    ],
)
def test_redis_url_is_encoded(options: dict[str, Any], url: str):
    cache = RedisCache(**options)
    assert cache.url == url
    assert cache.as_django()["LOCATION"] == url


def test_password_never_shows():
    cache = RedisCache(password=SECRET)
    assert SECRET not in repr(cache)
    assert SECRET not in repr(CacheConnections({"default": cache}))


@pytest.mark.parametrize("location", [f"redis://:{SECRET}@h", [f"redis://:{SECRET}@h"]])
def test_password_in_a_location_never_shows(location: Any):
    assert SECRET not in repr(Cache(engine="redis", location=location))


def test_wrong_password_is_a_config_error_that_hides_it():
    with pytest.raises(ConfigError) as caught:
        RedisCache(password=[SECRET])
    assert "RedisCache(password=...)" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_wrong_connections_are_a_config_error_that_hides_the_password():
    with pytest.raises(ConfigError) as caught:
        CacheConnections({"default": f"redis://:{SECRET}@h"})
    assert "CacheConnections(caches=...)" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("module", "package"), [("redis", "redis"), ("pymemcache", "pymemcache")])
def test_missing_client_is_an_error_with_the_line_that_installs_it(
    module: str, package: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(config, "find_spec", lambda _name: None)
    cache = RedisCache() if module == "redis" else Cache(engine="memcached", location="h:1")
    with pytest.raises(DependencyNotInstalled) as caught:
        CacheConnections({"default": cache}).django_settings()
    assert caught.value.package == package
    assert "pip install" in str(caught.value)


def test_missing_default_is_a_config_error():
    with pytest.raises(ConfigError) as caught:
        CacheConnections({"other": Cache()})
    assert "CacheConnections: expected a 'default' among 'other'" in str(caught.value)


def test_connections_become_settings():
    found = CacheConnections({"default": Cache(), "r": RedisCache(location="redis://other")})
    caches: Any = found.django_settings()["CACHES"]
    assert caches["default"]["BACKEND"].endswith("LocMemCache")
    assert caches["r"]["LOCATION"] == "redis://other"


def test_failure_policy_stands_beside_what_django_reads():
    assert "ON_FAILURE" not in Cache().as_django()
    assert Cache(on_failure="miss").as_django()["ON_FAILURE"] == "miss"
    with pytest.raises(ConfigError, match="on_failure"):
        Cache(on_failure="ignore")


def test_redis_timeouts_become_options_which_the_user_may_name_himself():
    cache = RedisCache(connect_timeout=1, read_timeout=2.5, options={"socket_timeout": 9})
    found = cache.as_django()["OPTIONS"]
    assert found == {"socket_connect_timeout": 1, "socket_timeout": 9}
    for wrong in ({"connect_timeout": 0}, {"read_timeout": float("inf")}):
        with pytest.raises(ConfigError, match="above 0"):
            RedisCache(**wrong)
