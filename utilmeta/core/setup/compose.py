"""All configurations of a service, joined into one set of Django settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from utilmeta.conf.base import Config, ServiceInfo
from utilmeta.conf.deployment import Deployment
from utilmeta.conf.serving import Serving
from utilmeta.conf.sizing import is_open
from utilmeta.core.orm.connections.databases import REPLICA_ROUTER
from utilmeta.utils.exceptions import ConfigError

SERVICE = "UtilMeta"
DEFAULT = "default of utilmeta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The settings a service stands for.

    Attributes:
        values: settings by upper-case name.
        origins: name to who set it, such as `DjangoSettings` or `default of utilmeta`.
        named: the names a user decided; they win over an existing project's.
        extra: the names that came from `DjangoSettings(extra=...)`.
        chosen: database alias to what was chosen for it by how the service runs, and why.
        aged: aliases whose `CONN_MAX_AGE` was chosen.
        pooled: aliases whose pool was made as large as there are threads.
    """

    values: Mapping[str, object]
    origins: Mapping[str, str]
    named: frozenset[str]
    extra: frozenset[str]
    chosen: Mapping[str, str] = field(default_factory=dict)
    aged: frozenset[str] = frozenset()
    pooled: frozenset[str] = frozenset()


# Lists that several configurations may add to.
_JOINED = frozenset({"INSTALLED_APPS", "MIDDLEWARE", "ALLOWED_HOSTS", "DATABASE_ROUTERS"})


# Seconds a connection is kept where threads outlive requests: long enough to cost nothing, short
# enough to follow a server that has moved.
KEPT_SECONDS = 600


def compose(
    service: ServiceInfo,
    configs: Iterable[Config],
    *,
    origin: str | None = None,
    serving: Serving | None = None,
) -> Composed:
    """Join what each configuration says to Django, and fill in defaults.

    Args:
        service: name, production and project directory of the service.
        configs: at most one of each type.
        origin: public URL of the service, whose host is then allowed.
        serving: how it runs, which decides about connections that are told nothing; None takes
            what the service itself says.

    Returns:
        The settings of a fresh service; no input is changed and nothing is looked up elsewhere.

    Raises:
        ConfigError: two configurations set one name to different values.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    named: set[str] = set()
    extra: set[str] = set()
    told = [(config, config.settings_for(service)) for config in configs]
    insisted = {name for config, given in told for name in given if name not in config.yielded}
    for config, given in told:
        source = type(config).__name__
        for name, value in given.items():
            if name in config.yielded and name in insisted:
                continue
            if name in _JOINED and name in values:
                values[name] = list(dict.fromkeys([*_as_list(values[name]), *_as_list(value)]))
                origins[name] += f", {source}"
                continue
            if name in values and values[name] != value:
                raise ConfigError(
                    f"{source} and {origins[name]} both set {name}, to different values; "
                    "leave it to one of them"
                )
            values[name] = value
            origins[name] = source
        named |= config.named_settings()
        extra |= set(getattr(config, "extra", ()))
    for name, value in _defaults(service).items():
        if name not in values:
            values[name] = value
            origins[name] = SERVICE if name == "DEBUG" else DEFAULT
    apps = _as_list(values["INSTALLED_APPS"])
    values["INSTALLED_APPS"] = list(dict.fromkeys(["utilmeta", *apps]))
    # It asks the project's routers itself, so that replicas are read of what those decide.
    values["DATABASE_ROUTERS"] = sorted(
        _as_list(values["DATABASE_ROUTERS"]), key=lambda name: name != REPLICA_ROUTER
    )
    told_hosts = [urlsplit(origin).hostname if origin else None]
    # What `manage.py deploy` has nginx pass on.
    told_hosts += [config.domain for config, _ in told if isinstance(config, Deployment)]
    hosts = [host for host in told_hosts if host]
    if hosts:
        hosts += _as_list(values["ALLOWED_HOSTS"])
        values["ALLOWED_HOSTS"] = list(dict.fromkeys(hosts))
    how = serving or Serving(asynchronous=service.asynchronous)
    chosen: dict[str, str] = {}
    given = values["DATABASES"].items()
    aged = frozenset(alias for alias, entry in given if "CONN_MAX_AGE" not in entry)
    pooled = frozenset(alias for alias, entry in given if _size_of_pool(entry, how) is not None)
    values["DATABASES"] = {
        alias: _choose(alias, _locate(entry, service.project_dir), how, chosen)
        for alias, entry in given
    }
    return Composed(
        values=values,
        origins=origins,
        named=frozenset(named),
        extra=frozenset(extra),
        chosen=chosen,
        aged=aged,
        pooled=pooled,
    )


def _as_list(value: object) -> list[str]:
    return list(value) if isinstance(value, list | tuple) else [str(value)]


def _defaults(service: ServiceInfo) -> dict[str, object]:
    return {
        "DEBUG": not service.production,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
        "INSTALLED_APPS": [],
        "MIDDLEWARE": [],
        "DATABASES": {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"},
        },
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        "DATABASE_ROUTERS": [],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "LANGUAGE_CODE": "en-us",
        "USE_I18N": True,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "ROOT_URLCONF": "utilmeta.urls",
        "WSGI_APPLICATION": "utilmeta.core.server.applications.wsgi",
        "ASGI_APPLICATION": "utilmeta.core.server.applications.asgi",
    }


def _locate(entry: Mapping[str, Any], project_dir: Path) -> dict[str, Any]:
    """Return a database entry whose SQLite file is an absolute path."""
    located = dict(entry)
    name = str(located.get("NAME", ""))
    is_file = name not in {"", ":memory:"} and not name.startswith("file:")
    if located.get("ENGINE") == "django.db.backends.sqlite3" and is_file:
        located["NAME"] = str(project_dir / name)
    return located


def _choose(
    alias: str, entry: dict[str, Any], serving: Serving, chosen: dict[str, str]
) -> dict[str, Any]:
    """Return a database entry complete with what it leaves to how the service runs."""
    options = entry.get("OPTIONS", {})
    pool = options.get("pool")
    most = _size_of_pool(entry, serving)
    if most is not None:
        # So that none waits for another; made as they are needed.
        entry["OPTIONS"] = {**options, "pool": {**pool, "min_size": 1, "max_size": most}}
        kind = "lane" if serving.asynchronous else "thread"
        chosen[alias] = f"pool of 1 to {most}: one connection for each {kind}"
    if "CONN_MAX_AGE" not in entry:
        age = 0 if pool or serving.makes_threads else KEPT_SECONDS
        entry["CONN_MAX_AGE"] = age
        entry.setdefault("CONN_HEALTH_CHECKS", bool(pool) or age != 0)
        chosen[alias] = f"CONN_MAX_AGE {age}: {serving.reason}"
    return entry


def _size_of_pool(entry: Mapping[str, Any], serving: Serving) -> int | None:
    """Return how large a pool is to be; None when there is none, or somebody has decided."""
    if not is_open(entry):
        return None
    return serving.lanes if serving.asynchronous else serving.threads
