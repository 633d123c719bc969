"""What the images and containers of a service hold."""

import json
from collections.abc import Iterable
from typing import Any

from utilmeta.deploy.facts import Facts

# Where the project and its virtual environment are in an image.
WORK = "/app"
VENV = "/opt/venv/bin"
_EXTRAS = frozenset({"flask", "starlette", "fastapi", "sanic", "tornado"})
_DRIVERS = {"postgresql": "postgres", "postgis": "postgres", "mysql": "mysql"}
_SERVERS = {"uwsgi": "pyuwsgi"}


def quoted(value: object) -> str:
    """Return a text as YAML and compose read it."""
    return json.dumps(str(value).replace("$", "$$"), ensure_ascii=False)


def quoted_list(words: Iterable[str]) -> str:
    """Return words as a list that YAML and compose read."""
    return f"[{', '.join(map(quoted, words))}]"


def installs(facts: Facts) -> list[str]:
    """Return what the image installs where the project says nowhere what it needs."""
    extras = [facts.backend] if facts.backend in _EXTRAS else []
    extras += [extra for kind, extra in _DRIVERS.items() if kind in _kinds(facts)]
    if facts.has_redis:
        extras.append("redis")
    extras += facts.watched
    shown = f"utilmeta[{','.join(sorted(set(extras)))}]" if extras else "utilmeta"
    found = [shown]
    if facts.server not in {"sanic", "tornado"}:
        found.append(_SERVERS.get(facts.server, facts.server))
    if facts.worker == "gevent":
        found.append("gevent")
    if facts.worker == "uvicorn":
        found += ["uvicorn", "uvicorn-worker"]
    return sorted(found)


def system_packages(facts: Facts) -> tuple[str, str]:
    """Return the Debian packages that drivers are compiled with, and those that they run with."""
    if "mysql" in _kinds(facts):
        return "build-essential default-libmysqlclient-dev pkg-config", "libmariadb3"
    return "", ""


def _kinds(facts: Facts) -> set[str]:
    return {str(entry.get("ENGINE", "")).rpartition(".")[2] for entry in facts.databases.values()}


def stores(facts: Facts) -> list[dict[str, Any]]:
    """Return the databases and caches that run beside the service, in order.

    Each has `service`, `image`, `volume`, `folder`, `environment` (names to values; secrets are
    read from the environment) and `test`, the words of its health check.
    """
    found: dict[str, dict[str, Any]] = {}
    for _, entry in sorted(facts.databases.items()):
        if entry.get("TEST", {}).get("MIRROR"):
            continue
        kind = str(entry.get("ENGINE", "")).rpartition(".")[2]
        if kind in {"postgresql", "postgis"} and "postgres" not in found:
            found["postgres"] = _postgres(entry, with_gis=kind == "postgis")
        if kind == "mysql" and "mysql" not in found:
            found["mysql"] = _mysql(entry)
    if facts.has_redis:
        found["redis"] = {
            "service": "redis",
            "image": "redis:7",
            "volume": "redis",
            "folder": "/data",
            "environment": [],
            "test": ["CMD", "redis-cli", "ping"],
        }
    return [found[name] for name in sorted(found)]


def _postgres(entry: Any, *, with_gis: bool) -> dict[str, Any]:
    user = str(entry.get("USER") or "postgres")
    return {
        "service": "postgres",
        "image": "postgis/postgis:17-3.5" if with_gis else "postgres:17",
        "volume": "postgres",
        "folder": "/var/lib/postgresql/data",
        "environment": [
            ("POSTGRES_DB", quoted(entry.get("NAME") or "postgres")),
            ("POSTGRES_PASSWORD", "${POSTGRES_PASSWORD:?set it in the environment or in .env}"),
            ("POSTGRES_USER", quoted(user)),
        ],
        "test": ["CMD", "pg_isready", "--username", user],
    }


def _mysql(entry: Any) -> dict[str, Any]:
    user = str(entry.get("USER") or "root")
    environment = [
        ("MARIADB_DATABASE", quoted(entry.get("NAME") or "service")),
        ("MARIADB_ROOT_PASSWORD", "${MARIADB_ROOT_PASSWORD:?set it in the environment or in .env}"),
    ]
    if user != "root":
        environment += [
            ("MARIADB_PASSWORD", "${MARIADB_PASSWORD:?set it in the environment or in .env}"),
            ("MARIADB_USER", quoted(user)),
        ]
    return {
        "service": "mysql",
        "image": "mariadb:11",
        "volume": "mysql",
        "folder": "/var/lib/mysql",
        "environment": sorted(environment),
        "test": ["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"],
    }
