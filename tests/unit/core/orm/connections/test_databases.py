"""Database connections as they are declared."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.orm.connections import databases
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def every_driver(monkeypatch: pytest.MonkeyPatch):
    """Declarations need no driver of their own here: any installed module stands for it."""
    monkeypatch.setattr(databases, "find_spec", lambda name: name)


def test_defaults_are_an_sqlite_file():
    entry = Database(name="shop.db").as_django()
    assert entry["ENGINE"] == "django.db.backends.sqlite3"
    assert entry["NAME"] == "shop.db"
    assert entry["OPTIONS"] == {"transaction_mode": "IMMEDIATE"}


WAIT = {"connect_timeout": 10}
POOL = {"timeout": 5, "reconnect_timeout": 0}


def test_age_that_is_left_to_the_service_is_not_in_the_entry():
    assert "CONN_MAX_AGE" not in Database(name="x", engine="postgresql").as_django()


@pytest.mark.parametrize(
    ("options", "age", "checked"),
    [
        ({"max_age": 0}, 0, False),
        ({"max_age": 60}, 60, True),
        ({"max_age": None}, None, True),
        ({"pooled": True}, 0, True),
        ({"pooled": True, "max_age": 0}, 0, True),
    ],
)
def test_kept_and_pooled_connections_are_checked(
    options: dict[str, Any], age: int | None, checked: bool
):
    entry = Database(name="x", engine="postgresql", **options).as_django()
    assert (entry["CONN_MAX_AGE"], entry["CONN_HEALTH_CHECKS"]) == (age, checked)


@pytest.mark.parametrize(
    ("engine", "django"),
    [
        ("sqlite3", "django.db.backends.sqlite3"),
        ("sqlite", "django.db.backends.sqlite3"),
        ("postgresql", "django.db.backends.postgresql"),
        ("postgres", "django.db.backends.postgresql"),
        ("pgsql", "django.db.backends.postgresql"),
        ("mysql", "django.db.backends.mysql"),
        ("mariadb", "django.db.backends.mysql"),
        ("oracle", "django.db.backends.oracle"),
        ("django.db.backends.postgresql", "django.db.backends.postgresql"),
        ("other.backend", "other.backend"),
    ],
)
def test_engine_has_its_spellings(engine: str, django: str):
    assert Database(name="x", engine=engine).as_django()["ENGINE"] == django


def test_every_field_reaches_django():
    entry = Database(
        name="shop",
        engine="postgresql",
        user="me",
        password=SECRET,
        host="db",
        port=5433,
        time_zone="UTC",
        max_age=60,
        options={"connect_timeout": 3},
        ssl=True,
        replica_of="default",
    ).as_django()
    assert entry == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "me",
        "PASSWORD": SECRET,
        "HOST": "db",
        "PORT": "5433",
        "TIME_ZONE": "UTC",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"sslmode": "require", "connect_timeout": 3},
        "TEST": {"MIRROR": "default"},
    }


@pytest.mark.parametrize(
    ("engine", "options", "wanted"),
    [
        ("postgresql", {}, WAIT),
        ("postgresql", {"options": {"connect_timeout": 3}}, {"connect_timeout": 3}),
        ("postgresql", {"pooled": True}, {**WAIT, "pool": POOL}),
        ("postgresql", {"pooled": {"max_size": 4}}, {**WAIT, "pool": {**POOL, "max_size": 4}}),
        ("postgresql", {"pooled": {"timeout": 9}}, {**WAIT, "pool": {**POOL, "timeout": 9}}),
        ("postgresql", {"ssl": {"sslmode": "verify-full"}}, {**WAIT, "sslmode": "verify-full"}),
        ("mysql", {}, {"charset": "utf8mb4"}),
        ("mysql", {"ssl": True}, {"ssl_mode": "REQUIRED", "charset": "utf8mb4"}),
        ("mysql", {"ssl": {"ca": "f"}}, {"ssl": {"ca": "f"}, "charset": "utf8mb4"}),
        ("mysql", {"options": {"charset": "latin1"}}, {"charset": "latin1"}),
    ],
)
def test_driver_options(engine: str, options: dict[str, Any], wanted: dict[str, Any]):
    assert Database(name="x", engine=engine, **options).as_django()["OPTIONS"] == wanted


@pytest.mark.parametrize(
    ("options", "where", "expected"),
    [
        ({"name": ""}, "Database(name='')", "the name of the database"),
        ({"engine": "mongodb"}, "Database(engine='mongodb')", "one of sqlite3, postgresql"),
        ({"port": 0}, "Database(port=0)", "1 to 65535"),
        ({"port": 70000}, "Database(port=70000)", "1 to 65535"),
        ({"max_age": -1}, "Database(max_age=-1)", "seconds, or None"),
        ({"pooled": True}, "Database(pooled=...)", "PostgreSQL"),
        ({"engine": "mysql", "pooled": True}, "Database(pooled=...)", "PostgreSQL"),
        ({"engine": "postgres", "pooled": True, "max_age": 5}, "max_age=5", "leave max_age out"),
        (
            {"engine": "postgres", "pooled": True, "max_age": None},
            "max_age=None",
            "leave max_age out",
        ),
        ({"engine": "postgres", "pooled": {"size": 1}}, "unknown size", "max_size"),
        ({"ssl": True}, "Database(ssl=...)", "sqlite3 has no TLS"),
        ({"port": "5432"}, "Database(port=...): got '5432' (str)", "expected int | None"),
        ({"max_age": "x"}, "Database(max_age=...): got 'x'", "Literal['auto']"),
        ({"name": 7}, "Database(name=...): got 7 (int)", "expected str"),
    ],
)
def test_wrong_field_is_a_config_error(options: dict[str, Any], where: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        Database(**{"name": "x", **options})
    assert where in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("engine", "requirement"), [("postgresql", "utilmeta[postgres]"), ("mysql", "utilmeta[mysql]")]
)
def test_missing_driver_is_an_error_with_the_line_that_installs_it(
    engine: str, requirement: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(databases, "find_spec", lambda _name: None)
    with pytest.raises(DependencyNotInstalled) as caught:
        Database(name="x", engine=engine).as_django()
    assert f"Database(engine={engine!r})" in str(caught.value)
    assert f"pip install '{requirement}'" in str(caught.value)


def test_missing_pool_is_an_error_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        databases, "find_spec", lambda name: None if name == "psycopg_pool" else name
    )
    with pytest.raises(DependencyNotInstalled, match=r"utilmeta\[postgres\]"):
        Database(name="x", engine="postgres", pooled=True).as_django()


# -- secrecy --------------------------------------------------------------------------------------


def test_password_never_shows():
    database = Database(name="x", engine="postgres", password=SECRET)
    assert SECRET not in repr(database)
    assert SECRET not in repr(DatabaseConnections({"default": database}))
    assert database.as_django()["PASSWORD"] == SECRET


def test_secret_among_the_options_never_shows():
    database = Database(name="x", engine="postgres", options={"sslpassword": SECRET})
    assert SECRET not in repr(database)
    mapped = Database(name="x", engine="mysql", ssl={"key": "f", "password": SECRET})
    assert SECRET not in repr(mapped)


@pytest.mark.parametrize("value", [SECRET.encode(), [SECRET]])
def test_wrong_password_is_a_config_error_that_hides_it(value: Any):
    with pytest.raises(ConfigError) as caught:
        Database(name="x", password=value)
    assert "Database(password=...)" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        {"default": {"NAME": "x", "PASSWORD": SECRET}},
        {"default": f"postgres://u:{SECRET}@h/db"},
        [f"postgres://u:{SECRET}@h/db"],
    ],
)
def test_wrong_connections_are_a_config_error_that_hides_the_password(value: Any):
    with pytest.raises(ConfigError) as caught:
        DatabaseConnections(value)
    assert "DatabaseConnections(databases=...)" in str(caught.value)
    assert SECRET not in str(caught.value)


# -- URLs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (
            "postgres://me:pw@db:5433/shop",
            {
                "engine": "postgresql",
                "user": "me",
                "password": "pw",
                "host": "db",
                "port": 5433,
                "name": "shop",
            },
        ),
        ("postgresql://db/shop", {"user": "", "password": "", "port": None, "host": "db"}),
        ("postgresql+psycopg://db/shop", {"engine": "postgresql"}),
        ("PGSQL://db/shop", {"engine": "postgresql"}),
        ("mysql://db/shop", {"engine": "mysql"}),
        ("mariadb://[::1]:3307/shop", {"engine": "mysql", "host": "::1", "port": 3307}),
        ("oracle://db/shop", {"engine": "oracle"}),
        ("postgres://%2Fvar%2FRun/shop", {"host": "/var/Run"}),
        ("postgres:///shop?connect_timeout=3", {"host": "", "options": {"connect_timeout": "3"}}),
        ("postgres://db/shop?sslmode=require", {"ssl": True, "options": {}}),
        ("mysql://db/shop?ssl=true", {"ssl": True, "options": {}}),
        ("postgres://db/shop?sslmode=disable", {"ssl": False, "options": {"sslmode": "disable"}}),
        ("postgres://db/shop?sslmode=verify-full", {"options": {"sslmode": "verify-full"}}),
        ("sqlite:///shop.db", {"engine": "sqlite3", "name": "shop.db"}),
        ("sqlite:////var/shop.db", {"name": "/var/shop.db"}),
        ("sqlite://:memory:", {"name": ":memory:"}),
        ("sqlite:///:memory:", {"name": ":memory:"}),
        ("sqlite://", {"name": ":memory:"}),
        ("sqlite:///a%20b.db", {"name": "a b.db"}),
    ],
)
def test_url_is_read(url: str, fields: dict[str, Any]):
    database = Database.from_url(url)
    assert {name: getattr(database, name) for name in fields} == fields


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(text, text, text)
def test_url_gives_back_what_was_percent_encoded(user: str, password: str, name: str):
    parts = [quote(part, safe="") for part in (user, password, name)]
    database = Database.from_url("postgres://{}:{}@db:1/{}".format(*parts))
    assert (database.user, database.password) == (user, password)
    assert (database.name, database.host, database.port) == (name, "db", 1)


def test_arguments_win_over_the_url():
    database = Database.from_url("postgres://me:pw@db/shop", password="other", max_age=60)
    assert (database.user, database.password, database.max_age) == ("me", "other", 60)


def test_stricter_tls_of_the_url_is_not_weakened():
    entry = Database.from_url("postgres://db/shop?ssl=true&sslmode=verify-full").as_django()
    assert entry["OPTIONS"]["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mongodb://h/db", "unknown scheme 'mongodb'"),
        ("", "unknown scheme"),
        ("shop.db", "expected one of sqlite3"),
        ("postgres://h", "Database(name='')"),
        ("postgres://h:99999/db", "Database.from_url"),
        ("postgres://[::1/db", "Database.from_url"),
    ],
)
def test_wrong_url_is_a_config_error(url: str, told: str):
    with pytest.raises(ConfigError) as caught:
        Database.from_url(url)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://u:{SECRET}/x@h/db",
        f"postgres://u:{SECRET}#x@h/db",
        f"postgres://u:{SECRET}?x@h/db",
        f"postgres://u:{SECRET}[@h/db",
        f"postgres://u:{SECRET}℀@h/db",
        f"postgres://u:{SECRET}@h:99999/db",
        f"postgres://u:{SECRET}@h:port/db",
        f"postgres://u:{SECRET}@h",
        f"u:{SECRET}@h/db",
        f"postgres:/u:{SECRET}@h/db",
    ],
)
def test_wrong_url_does_not_show_its_password(url: str):
    with pytest.raises(ConfigError) as caught:
        Database.from_url(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


# -- connections ----------------------------------------------------------------------------------

DB = Database(name="x")


@pytest.mark.parametrize(("given", "told"), [({}, "no aliases"), ({"other": DB}, "'other'")])
def test_missing_default_is_a_config_error(given: dict[str, Database], told: str):
    with pytest.raises(ConfigError) as caught:
        DatabaseConnections(given)
    assert "DatabaseConnections: expected a 'default'" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"default": DB, "r": Database(name="x", replica_of="none")},
        {"default": DB, "r": Database(name="x", replica_of="r")},
        {
            "default": DB,
            "r": Database(name="x", replica_of="default"),
            "q": Database(name="x", replica_of="r"),
        },
    ],
)
def test_replica_of_no_primary_is_a_config_error(given: dict[str, Database]):
    with pytest.raises(ConfigError) as caught:
        DatabaseConnections(given)
    assert "replica_of=" in str(caught.value)
    assert "alias of a primary" in str(caught.value)


def test_connections_become_settings():
    plain = DatabaseConnections({"default": DB})
    assert plain.django_settings() == {"DATABASES": {"default": DB.as_django()}}
    replica = Database(name="x", replica_of="default")
    settings = DatabaseConnections({"default": DB, "r": replica}).django_settings()
    assert settings["DATABASE_ROUTERS"] == ["utilmeta.core.orm.connections.routers.ReplicaRouter"]
    assert settings["DATABASES"]["r"]["TEST"] == {"MIRROR": "default"}
