"""All configurations of a service, joined into one set of Django settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from utilmeta.conf.base import Config, ServiceInfo
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
    """

    values: Mapping[str, object]
    origins: Mapping[str, str]
    named: frozenset[str]
    extra: frozenset[str]


# Lists that several configurations may add to.
_JOINED = frozenset({"INSTALLED_APPS", "MIDDLEWARE", "ALLOWED_HOSTS", "DATABASE_ROUTERS"})


def compose(
    service: ServiceInfo, configs: Iterable[Config], *, origin: str | None = None
) -> Composed:
    """Join what each configuration says to Django, and fill in defaults.

    Args:
        service: name, production and project directory of the service.
        configs: at most one of each type.
        origin: public URL of the service, whose host is then allowed.

    Returns:
        The settings of a fresh service; no input is changed and nothing is looked up elsewhere.

    Raises:
        ConfigError: two configurations set one name to different values.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    named: set[str] = set()
    extra: set[str] = set()
    for config in configs:
        source = type(config).__name__
        for name, value in config.django_settings().items():
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
    host = urlsplit(origin).hostname if origin else None
    if host:
        hosts = _as_list(values["ALLOWED_HOSTS"])
        values["ALLOWED_HOSTS"] = list(dict.fromkeys([host, *hosts]))
    values["DATABASES"] = {
        alias: _locate(entry, service.project_dir) for alias, entry in values["DATABASES"].items()
    }
    return Composed(values=values, origins=origins, named=frozenset(named), extra=frozenset(extra))


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
