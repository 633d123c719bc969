"""The servers that some tests need: databases and Redis on this machine."""

import os
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import NoReturn

import pytest

HOST = "127.0.0.1"
POSTGRES_PORT, MYSQL_PORT, REDIS_PORT = 5432, 3306, 6379
POSTGRES = f"postgresql://postgres@{HOST}:{POSTGRES_PORT}"
MYSQL = f"mysql://root@{HOST}:{MYSQL_PORT}"
REDIS = f"redis://{HOST}:{REDIS_PORT}/0"
SECONDS = 3


def require_postgres() -> None:
    """Skip the test when PostgreSQL or its driver is missing; with CI=true, fail it."""
    _require("PostgreSQL", f"{HOST}:{POSTGRES_PORT} as postgres, and psycopg", _reach_postgres)


def require_postgres_binaries() -> Path:
    """Return where PostgreSQL's own programs are; skip, or with CI=true fail, without them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        give_up("PostgreSQL's initdb and pg_ctl are needed (Debian: postgresql)")
    return found[-1].parent


def require_nginx() -> None:
    """Skip the test when nginx is missing; with CI=true, fail it."""
    if which("nginx") is None:
        give_up("nginx is needed (Debian: nginx)")


def require_mysql() -> None:
    """Skip the test when MariaDB or its driver is missing; with CI=true, fail it."""
    _require("MariaDB", f"{HOST}:{MYSQL_PORT} as root, and mysqlclient", _reach_mysql)


def require_redis() -> None:
    """Skip the test when Redis or its client is missing; with CI=true, fail it."""
    _require("Redis", f"{HOST}:{REDIS_PORT}, and redis-py", _reach_redis)


def _require(name: str, needed: str, reach: Callable[[], None]) -> None:
    try:
        reach()
    except Exception as exc:  # noqa: BLE001, RUF100 - each driver has errors of its own
        give_up(f"{name} is needed ({needed}): {type(exc).__name__}: {exc}")


def give_up(reason: str) -> NoReturn:
    """Skip the test for a reason; with CI=true, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _reach_postgres() -> None:
    import psycopg
    import psycopg_pool

    assert psycopg_pool
    psycopg.connect(f"{POSTGRES}/postgres", connect_timeout=SECONDS).close()


def _reach_mysql() -> None:
    import MySQLdb

    MySQLdb.connect(host=HOST, port=MYSQL_PORT, user="root", connect_timeout=SECONDS).close()


def _reach_redis() -> None:
    import redis

    with redis.Redis(host=HOST, port=REDIS_PORT, socket_timeout=SECONDS) as client:
        client.ping()
