"""How the caches of a service are declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from utilmeta.conf.base import Config, ServiceInfo
from utilmeta.core.cache.registry import registry
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled

_ENGINES = {
    "locmem": "django.core.cache.backends.locmem.LocMemCache",
    "file": "django.core.cache.backends.filebased.FileBasedCache",
    "db": "django.core.cache.backends.db.DatabaseCache",
    "dummy": "django.core.cache.backends.dummy.DummyCache",
    "redis": "django.core.cache.backends.redis.RedisCache",
    "memcached": "django.core.cache.backends.memcached.PyMemcacheCache",
}
_CLIENTS = {"redis": ("redis", "utilmeta[redis]"), "memcached": ("pymemcache", "pymemcache")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Config):
    """One cache.

    Args:
        engine: `locmem file db dummy redis memcached`, or the dotted path of a Django backend.
        location: folder, table, URL or name, as the engine expects; a list for several servers.
        timeout: seconds an entry lives when nothing else is said; None for ever.
        key_prefix: put before every key.
        version: number put before every key; raising it forgets all entries.
        max_entries: entries kept by `locmem`, `file` and `db`.
        options: handed to the backend as they are.
        on_failure: what `utilmeta.core.cache` does while the store is down: `raise` answers 503,
            `miss` goes on as if nothing were kept. Locks, `alter` and `not_exists_only` raise in
            any case.
    """

    engine: str = "locmem"
    location: str | list[str] = ""
    timeout: int | None = 300
    key_prefix: str = ""
    version: int = 1
    max_entries: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    on_failure: Literal["raise", "miss"] = "raise"

    # dataclass leaves a __repr__ alone that is in the class body.
    __repr__ = Config.__repr__

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, or the engine is unknown.
        """
        Config.__post_init__(self)
        if self.engine not in _ENGINES and "." not in self.engine:
            raise ConfigError(
                f"Cache(engine={self.engine!r}): unknown engine; expected one of "
                f"{', '.join(_ENGINES)}, or the dotted path of a Django cache backend"
            )

    def as_django(self) -> dict[str, Any]:
        """Return the entry of Django's `CACHES`.

        Raises:
            DependencyNotInstalled: the engine's client is missing.
        """
        package, requirement = _CLIENTS.get(self.engine, ("", ""))
        if package and find_spec(package) is None:
            raise DependencyNotInstalled(
                package, requirement=requirement, purpose=f"Cache(engine={self.engine!r})"
            )
        options = dict(self.options)
        if self.max_entries is not None:
            options["MAX_ENTRIES"] = self.max_entries
        entry: dict[str, Any] = {
            "BACKEND": _ENGINES.get(self.engine, self.engine),
            "LOCATION": self.location,
            "TIMEOUT": self.timeout,
            "KEY_PREFIX": self.key_prefix,
            "VERSION": self.version,
        }
        if options:
            entry["OPTIONS"] = options
        if self.on_failure != "raise":
            # Django leaves names alone that it does not know.
            entry["ON_FAILURE"] = self.on_failure
        return entry


@dataclass(frozen=True, slots=True)
class CacheConnections(Config):
    """The caches of a service, by alias.

    Args:
        caches: alias to cache; `default` must be among them.
    """

    caches: Mapping[str, Cache]

    # dataclass leaves a __repr__ alone that is in the class body.
    __repr__ = Config.__repr__

    def __post_init__(self) -> None:
        """Check the aliases.

        Raises:
            ConfigError: `default` is missing.
        """
        Config.__post_init__(self)
        if "default" not in self.caches:
            raise ConfigError(
                "CacheConnections: expected a 'default' among "
                f"{', '.join(map(repr, self.caches)) or 'no aliases'}"
            )

    def django_settings(self) -> dict[str, object]:
        """Return `CACHES`.

        Raises:
            DependencyNotInstalled: an engine's client is missing.
        """
        return {"CACHES": {alias: cache.as_django() for alias, cache in self.caches.items()}}

    def on_shutdown(self, service: ServiceInfo) -> None:
        """Close the connections of threads; event loops close their own when they end."""
        registry.close()
