"""Redis as a cache."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from utilmeta.conf.base import Config
from utilmeta.core.cache.config import Cache
from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCache(Cache):
    """A cache in Redis, through Django's own Redis backend.

    Args:
        host: address or name of the server.
        port: its port.
        db: number of the database.
        username: who connects; empty for the default user.
        password: with which password; never shown.
        ssl: whether to use TLS.
        unix_socket: path of a socket, used in place of host and port.
        connect_timeout: seconds to wait for a connection before the cache counts as down.
        read_timeout: seconds to wait for an answer before the cache counts as down.
    """

    engine: str = "redis"
    host: str = "127.0.0.1"
    port: int = 6379
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    ssl: bool = False
    unix_socket: str = ""
    connect_timeout: float = 3.0
    read_timeout: float = 3.0

    # dataclass leaves a __repr__ alone that is in the class body.
    __repr__ = Config.__repr__

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type or range.
        """
        Cache.__post_init__(self)
        if not 0 < self.port < 65536:
            raise ConfigError(f"RedisCache(port={self.port}): expected a number from 1 to 65535")
        if self.db < 0:
            raise ConfigError(f"RedisCache(db={self.db}): expected a number from 0")
        for name in ("connect_timeout", "read_timeout"):
            seconds = getattr(self, name)
            if not 0 < seconds < float("inf"):
                raise ConfigError(f"RedisCache({name}={seconds}): expected seconds above 0")

    @property
    def url(self) -> str:
        """The URL redis-py connects to, with the password in it."""
        user = quote(self.username, safe="")
        login = f"{user}:{quote(self.password, safe='')}@" if user or self.password else ""
        if self.unix_socket:
            return f"unix://{login}{self.unix_socket}?db={self.db}"
        scheme = "rediss" if self.ssl else "redis"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{login}{host}:{self.port}/{self.db}"

    def as_django(self) -> dict[str, Any]:
        """Return the entry of Django's `CACHES`.

        Raises:
            DependencyNotInstalled: redis-py is missing.
        """
        entry = Cache.as_django(self)
        timeouts = {
            "socket_connect_timeout": self.connect_timeout,
            "socket_timeout": self.read_timeout,
        }
        options = {**timeouts, **entry.get("OPTIONS", {})}
        return {**entry, "LOCATION": self.location or self.url, "OPTIONS": options}
