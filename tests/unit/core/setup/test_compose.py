"""All configurations of a service, joined."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plain import Facts
from utilmeta.conf import Config, Deployment, Preference, Time
from utilmeta.conf.serving import Serving
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.setup.compose import DEFAULT, SERVICE, compose
from utilmeta.core.setup.merge import RULES
from utilmeta.core.setup.options import DjangoSettings
from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True)
class Own(Config):
    settings: Mapping[str, Any]

    def django_settings(self) -> Mapping[str, Any]:
        return self.settings


@dataclass(frozen=True)
class Second(Own):
    pass


def test_service_without_configurations_is_complete():
    found = compose(Facts(), [])
    assert set(found.values) <= set(RULES)
    assert found.values["DATABASES"] == {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "/srv/shop/db.sqlite3",
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    }
    assert "LocMemCache" in found.values["CACHES"]["default"]["BACKEND"]
    assert found.values["INSTALLED_APPS"] == ["utilmeta"]
    assert found.values["ROOT_URLCONF"] == "utilmeta.urls"
    assert (found.values["USE_TZ"], found.values["TIME_ZONE"]) == (True, "UTC")
    assert found.values["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert set(found.origins.values()) == {DEFAULT, SERVICE}
    assert "SECRET_KEY" not in found.values
    assert not found.named


@pytest.mark.parametrize("production", [False, True])
def test_debug_is_not_production(production: bool):
    assert compose(Facts(production=production), []).values["DEBUG"] is not production


def test_configurations_are_joined_and_credited():
    found = compose(
        Facts(),
        [
            DjangoSettings(
                apps=["shop"], secret_key="k", language="zh-hans", allowed_hosts=["a.b"]
            ),
            DatabaseConnections(
                {"default": Database(name="shop.db"), "x": Database(name=":memory:")}
            ),
            CacheConnections({"default": Cache(engine="dummy")}),
            Time(time_zone="Asia/Shanghai", use_tz=False),
            Preference(),
        ],
    )
    assert found.values["INSTALLED_APPS"] == ["utilmeta", "shop"]
    assert found.values["ALLOWED_HOSTS"] == ["a.b"]
    assert found.values["DATABASES"]["default"]["NAME"] == "/srv/shop/shop.db"
    assert found.values["DATABASES"]["x"]["NAME"] == ":memory:"
    assert "DummyCache" in found.values["CACHES"]["default"]["BACKEND"]
    assert found.values["TIME_ZONE"] == "Asia/Shanghai"
    assert found.origins["TIME_ZONE"] == "Time"
    assert found.origins["DATABASES"] == "DatabaseConnections"
    assert found.origins["LANGUAGE_CODE"] == "DjangoSettings"
    assert found.named >= {"SECRET_KEY", "LANGUAGE_CODE", "TIME_ZONE", "USE_TZ"}
    assert "DATABASES" not in found.named


@pytest.mark.parametrize(
    "name", ["INSTALLED_APPS", "MIDDLEWARE", "ALLOWED_HOSTS", "DATABASE_ROUTERS"]
)
def test_lists_of_several_configurations_are_joined_in_order(name: str):
    given = {name: ["a", "b"]}
    found = compose(Facts(), [Own(given), Second({name: ("b", "c")})])
    assert [item for item in found.values[name] if item != "utilmeta"] == ["a", "b", "c"]
    assert found.origins[name] == "Own, Second"
    assert given == {name: ["a", "b"]}


@pytest.mark.parametrize("name", ["INSTALLED_APPS", "MIDDLEWARE"])
@pytest.mark.parametrize("kinds", [[Own], [Own, Second]], ids=["one", "two"])
def test_list_given_as_a_text_is_never_taken_letter_by_letter(name: str, kinds: list[type[Own]]):
    said = [kind({name: "shop"}) for kind in kinds]
    try:
        found = compose(Facts(), said)
    except ConfigError as exc:
        assert name in str(exc)  # noqa: PT017
    else:
        assert found.values[name] in ("shop", ["shop"], ["utilmeta", "shop"])


def test_utilmeta_stands_once_and_first():
    found = compose(Facts(), [DjangoSettings(apps=["shop", "utilmeta"])])
    assert found.values["INSTALLED_APPS"] == ["utilmeta", "shop"]


def test_two_configurations_with_different_values_are_a_config_error_without_the_values():
    with pytest.raises(ConfigError) as caught:
        compose(Facts(), [DjangoSettings(secret_key="hunter2"), Own({"SECRET_KEY": "hunter3"})])
    message = str(caught.value)
    for part in ("Own", "DjangoSettings", "SECRET_KEY", "leave it to one"):
        assert part in message
    assert "hunter" not in message


def test_two_configurations_with_one_value_agree():
    found = compose(Facts(), [Time(use_tz=True), Own({"USE_TZ": True})])
    assert found.values["USE_TZ"] is True


@pytest.mark.parametrize(
    ("origin", "first"),
    [
        ("https://api.example.com", "api.example.com"),
        ("http://localhost:8000", "localhost"),
        ("http://[::1]:8000", "[::1]"),
    ],
)
def test_host_of_the_origin_is_allowed(origin: str, first: str):
    assert first in compose(Facts(), [], origin=origin).values["ALLOWED_HOSTS"]


def test_host_that_is_deployed_is_allowed_too():
    deployed = [Deployment(domain="shop.example.com")]
    hosts = compose(Facts(), deployed, origin="https://api.example.com").values["ALLOWED_HOSTS"]
    assert hosts[:2] == ["api.example.com", "shop.example.com"]
    assert "shop.example.com" in compose(Facts(), deployed).values["ALLOWED_HOSTS"]


def test_host_of_the_origin_is_allowed_beside_those_the_user_names():
    found = compose(
        Facts(), [DjangoSettings(allowed_hosts=["a.b"])], origin="https://api.example.com"
    )
    assert {"a.b", "api.example.com"} <= set(found.values["ALLOWED_HOSTS"])


@pytest.mark.parametrize(
    ("name", "located"),
    [
        ("shop.db", "/srv/shop/shop.db"),
        ("data/shop.db", "/srv/shop/data/shop.db"),
        ("/var/shop.db", "/var/shop.db"),
        (":memory:", ":memory:"),
        ("file:x?mode=memory", "file:x?mode=memory"),
    ],
)
def test_sqlite_file_starts_at_the_project_directory(name: str, located: str):
    config = DatabaseConnections({"default": Database(name=name)})
    found = compose(Facts(project_dir=Path("/srv/shop")), [config])
    assert found.values["DATABASES"]["default"]["NAME"] == located


def test_extras_are_told_apart():
    found = compose(Facts(), [DjangoSettings(extra={"LOGIN_URL": "/in"})])
    assert found.values["LOGIN_URL"] == "/in"
    assert found.extra == {"LOGIN_URL"}


# -- connections --------------------------------------------------------------------------------

ENTRY = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}
SYNC = Serving()
THREADS = Serving(makes_threads=True)
ASYNC = Serving(asynchronous=True, lanes=7)


@pytest.mark.parametrize(
    ("serving", "age", "why"),
    [
        (SYNC, 600, "CONN_MAX_AGE 600: threads outlive requests"),
        (ASYNC, 600, "CONN_MAX_AGE 600: its lanes outlive requests"),
        (THREADS, 0, "CONN_MAX_AGE 0: the server makes a thread for each request"),
    ],
)
def test_age_is_chosen_by_how_the_service_runs(serving: Serving, age: int, why: str):
    found = compose(Facts(), [Own({"DATABASES": {"default": ENTRY}})], serving=serving)
    assert found.values["DATABASES"]["default"] == {
        **ENTRY,
        "CONN_MAX_AGE": age,
        "CONN_HEALTH_CHECKS": age != 0,
    }
    assert found.chosen == {"default": why}
    assert found.aged == {"default"}
    assert "CONN_MAX_AGE" not in ENTRY


@pytest.mark.parametrize("age", [0, 5, None])
@pytest.mark.parametrize("serving", [SYNC, ASYNC, THREADS])
def test_age_that_was_given_wins(serving: Serving, age: int | None):
    entry = {**ENTRY, "CONN_MAX_AGE": age}
    found = compose(Facts(), [Own({"DATABASES": {"default": entry}})], serving=serving)
    assert found.values["DATABASES"] == {"default": entry}
    assert (found.chosen, found.aged) == ({}, frozenset())


@pytest.mark.parametrize(
    ("pool", "serving", "sizes"),
    [
        ({}, ASYNC, {"min_size": 1, "max_size": 7}),
        ({"max_size": 3}, ASYNC, {"max_size": 3}),
        ({"min_size": 3}, ASYNC, {"min_size": 3}),
        ({}, SYNC, {}),
    ],
)
def test_pool_of_an_async_service_has_a_connection_for_each_lane(
    pool: dict[str, int], serving: Serving, sizes: dict[str, int]
):
    entry = {**ENTRY, "CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"timeout": 5, **pool}}}
    found = compose(Facts(), [Own({"DATABASES": {"default": entry}})], serving=serving)
    assert found.values["DATABASES"]["default"]["OPTIONS"]["pool"] == {"timeout": 5, **sizes}
    assert entry["OPTIONS"] == {"pool": {"timeout": 5, **pool}}
