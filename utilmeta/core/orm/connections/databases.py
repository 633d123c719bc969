"""Database connections of a service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from utilmeta.conf.base import Config, ServiceInfo
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled

_ENGINES = {
    name: f"django.db.backends.{name}" for name in ("sqlite3", "postgresql", "mysql", "oracle")
}
_SPELLINGS = {
    "sqlite": "sqlite3",
    "postgres": "postgresql",
    "pgsql": "postgresql",
    "mariadb": "mysql",
}
_DRIVERS = {
    "postgresql": ("psycopg", "utilmeta[postgres]"),
    "mysql": ("MySQLdb", "utilmeta[mysql]"),
    "oracle": ("oracledb", "oracledb"),
}
REPLICA_ROUTER = "utilmeta.core.orm.connections.routers.ReplicaRouter"
_POOL_OPTIONS = frozenset(
    {
        "min_size",
        "max_size",
        "timeout",
        "max_waiting",
        "max_lifetime",
        "max_idle",
        "num_workers",
        "reconnect_timeout",
    }
)
# Seconds to wait for a server that does not answer, and for a free connection of a pool. A pool
# that does not go on trying by itself tries anew with each request, so that it is right at once
# when the server is back.
_CONNECT_SECONDS = 10
_POOL_DEFAULTS = {"timeout": 5, "reconnect_timeout": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(Config):
    """One database connection.

    Args:
        name: database name; for SQLite a file, relative to the project directory, or `:memory:`.
        engine: `sqlite3`, `postgresql`, `mysql`, `oracle`, or the dotted path of a Django backend.
        user: who connects.
        password: with which password; never shown.
        host: address, name or socket folder of the server.
        port: port of the server; None means the engine's own.
        time_zone: zone of stored naive times, for engines without aware ones.
        ssl: True requires TLS; a mapping gives the driver's own TLS options.
        max_age: seconds a connection is kept between requests; None for ever, 0 not at all,
            `auto` as fits how the service runs: 600 where threads outlive requests, 0 with a pool
            or under a server that makes a thread for each request.
        pooled: a pool of connections (PostgreSQL); a mapping gives `min_size`, `max_size`,
            `timeout`, ... of psycopg's pool.
        replica_of: alias of the primary whose data this connection reads.
        options: handed to the driver as they are.
    """

    name: str
    engine: str = "sqlite3"
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int | None = None
    time_zone: str | None = None
    ssl: bool | Mapping[str, Any] = False
    max_age: int | Literal["auto"] | None = "auto"
    pooled: bool | Mapping[str, Any] = False
    replica_of: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    # dataclass leaves a __repr__ alone that is in the class body.
    __repr__ = Config.__repr__

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, or the fields do not go together.
        """
        Config.__post_init__(self)
        if self.kind is None and "." not in self.engine:
            raise ConfigError(
                f"Database(engine={self.engine!r}): unknown engine; expected one of "
                f"{', '.join(_ENGINES)}, or the dotted path of a Django database backend"
            )
        if not self.name:
            raise ConfigError("Database(name=''): expected the name of the database")
        if self.port is not None and not 0 < self.port < 65536:
            raise ConfigError(f"Database(port={self.port}): expected a number from 1 to 65535")
        if isinstance(self.max_age, int) and self.max_age < 0:
            raise ConfigError(f"Database(max_age={self.max_age}): expected seconds, or None")
        self._check_pool()
        if self.ssl and self.kind not in {None, "postgresql", "mysql"}:
            raise ConfigError(f"Database(ssl=...): {self.engine} has no TLS")

    def _check_pool(self) -> None:
        if not self.pooled:
            return
        if self.kind not in {None, "postgresql"}:
            raise ConfigError(f"Database(pooled=...): {self.engine} has no pool, PostgreSQL has")
        if self.max_age not in {0, "auto"}:
            raise ConfigError(
                f"Database(pooled=..., max_age={self.max_age}): a pool keeps connections itself; "
                "leave max_age out"
            )
        if isinstance(self.pooled, Mapping) and (unknown := set(self.pooled) - _POOL_OPTIONS):
            raise ConfigError(
                f"Database(pooled=...): unknown {', '.join(sorted(unknown))}; expected some of "
                f"{', '.join(sorted(_POOL_OPTIONS))}"
            )

    @property
    def kind(self) -> str | None:
        """Short name of the engine, None for a backend from elsewhere."""
        short = _SPELLINGS.get(self.engine, self.engine)
        if short in _ENGINES:
            return short
        return next((name for name, path in _ENGINES.items() if path == self.engine), None)

    @classmethod
    def from_url(cls, url: str, **options: Any) -> "Database":
        """Return the connection that a URL describes.

        Args:
            url: `engine://user:password@host:port/name?option=value`, percent-encoded where needed;
                `sqlite:///file`, `sqlite:////absolute/file` and `sqlite://:memory:` for SQLite.
            **options: further arguments of `Database`, which win over the URL's.

        Raises:
            ConfigError: the URL cannot be read; its password is not shown.
        """
        scheme, separator, rest = url.partition("://")
        scheme = scheme.lower().partition("+")[0]
        engine = _SPELLINGS.get(scheme, scheme)
        if not separator or engine not in _ENGINES:
            shown = repr(scheme) if separator else "(none)"
            raise ConfigError(
                f"Database.from_url: unknown scheme {shown}; expected one of "
                f"{', '.join([*_ENGINES, *_SPELLINGS])}"
            )
        if engine == "sqlite3":
            path, _, query = rest.partition("?")
            given: dict[str, Any] = {"name": unquote(path.removeprefix("/")) or ":memory:"}
        else:
            given, query = _server_parts(url)
        driver_options = dict(parse_qsl(query))
        wants_tls = driver_options.pop("ssl", "").lower() in {"true", "1", "yes", "on"}
        if wants_tls or driver_options.get("sslmode") == "require":
            given["ssl"] = True
            if driver_options.get("sslmode") == "require":
                del driver_options["sslmode"]
        if driver_options:
            given["options"] = driver_options
        return cls(engine=engine, **{**given, **options})

    def as_django(self) -> dict[str, Any]:
        """Return the entry of Django's `DATABASES`.

        Without `CONN_MAX_AGE` where `max_age` is `auto`: the service fills it in.

        Raises:
            DependencyNotInstalled: the engine's driver is missing.
        """
        self._check_driver()
        entry: dict[str, Any] = {
            "ENGINE": _ENGINES[self.kind] if self.kind else self.engine,
            "NAME": self.name,
            "USER": self.user,
            "PASSWORD": self.password,
            "HOST": self.host,
            "PORT": str(self.port) if self.port else "",
            "OPTIONS": {**self._driver_options(), **self.options},
        }
        if self.pooled:
            # A pool checks what it hands out only when it is told to.
            entry.update({"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True})
        elif self.max_age != "auto":
            entry.update({"CONN_MAX_AGE": self.max_age, "CONN_HEALTH_CHECKS": self.max_age != 0})
        if self.time_zone is not None:
            entry["TIME_ZONE"] = self.time_zone
        if self.replica_of is not None:
            entry["TEST"] = {"MIRROR": self.replica_of}
        return entry

    def _driver_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.kind == "postgresql":
            options["connect_timeout"] = _CONNECT_SECONDS
        if self.pooled:
            given = self.pooled if isinstance(self.pooled, Mapping) else {}
            options["pool"] = {**_POOL_DEFAULTS, **given}
        if isinstance(self.ssl, Mapping):
            options.update({"ssl": dict(self.ssl)} if self.kind == "mysql" else self.ssl)
        elif self.ssl:
            options.update(
                {"ssl_mode": "REQUIRED"} if self.kind == "mysql" else {"sslmode": "require"}
            )
        if self.kind == "mysql":
            options["charset"] = "utf8mb4"
        if self.kind == "sqlite3":
            # A transaction that reads and then writes would fail at once beside another one.
            options["transaction_mode"] = "IMMEDIATE"
        return options

    def _check_driver(self) -> None:
        if self.kind not in _DRIVERS:
            return
        package, requirement = _DRIVERS[self.kind]
        purpose = f"Database(engine={self.engine!r})"
        if find_spec(package) is None:
            raise DependencyNotInstalled(package, requirement=requirement, purpose=purpose)
        if self.pooled and find_spec("psycopg_pool") is None:
            raise DependencyNotInstalled(
                "psycopg_pool", requirement=requirement, purpose=f"{purpose} with a pool"
            )


def _server_parts(url: str) -> tuple[dict[str, Any], str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # What is wrong may be a part of the password, so it is not repeated.
        raise ConfigError(
            "Database.from_url: the URL cannot be read; percent-encode special characters of user "
            "and password, and give the port as a number"
        ) from None
    given = {
        "name": unquote(parts.path.lstrip("/")),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": unquote(parts.hostname or ""),
        "port": port,
    }
    return given, parts.query


@dataclass(frozen=True, slots=True)
class DatabaseConnections(Config):
    """The database connections of a service, by alias.

    Args:
        databases: alias to connection; `default` must be among them.
    """

    databases: Mapping[str, Database]

    # dataclass leaves a __repr__ alone that is in the class body.
    __repr__ = Config.__repr__

    def __post_init__(self) -> None:
        """Check the aliases.

        Raises:
            ConfigError: `default` is missing, or a replica's primary is unknown or one itself.
        """
        Config.__post_init__(self)
        if "default" not in self.databases:
            raise ConfigError(
                "DatabaseConnections: expected a 'default' among "
                f"{', '.join(map(repr, self.databases)) or 'no aliases'}"
            )
        for alias, database in self.databases.items():
            primary = database.replica_of
            if primary is None:
                continue
            if (
                primary not in self.databases
                or self.databases[primary].replica_of
                or primary == alias
            ):
                raise ConfigError(
                    f"DatabaseConnections: {alias!r} is replica_of={primary!r}, which is not the "
                    "alias of a primary"
                )

    def django_settings(self) -> dict[str, object]:
        """Return `DATABASES`, and the router that reads from replicas when there are any.

        Raises:
            DependencyNotInstalled: an engine's driver is missing.
        """
        settings: dict[str, object] = {
            "DATABASES": {alias: item.as_django() for alias, item in self.databases.items()}
        }
        if any(item.replica_of for item in self.databases.values()):
            settings["DATABASE_ROUTERS"] = [REPLICA_ROUTER]
        return settings

    def setup(self, service: ServiceInfo) -> None:
        """Refuse plain connections where TLS was asked for."""
        from utilmeta.core.orm.connections.tls import require_tls

        aliases = [alias for alias, item in self.databases.items() if item.ssl]
        if aliases:
            require_tls(aliases)

    def on_startup(self, _service: ServiceInfo) -> None:
        """Watch the pools of this process."""
        from utilmeta.core.orm.connections.pools import watch_pool

        for alias, item in self.databases.items():
            if item.pooled:
                watch_pool(alias)
