"""Django's session engines, told by a configuration in place of Django's settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from utilmeta.conf.http import SESSION_SALT
from utilmeta.utils.exceptions import ServiceUnavailable

if TYPE_CHECKING:
    from utilmeta.core.auth.session.base import BaseSession


class _Told:
    """What an engine is told by a configuration."""

    config: "BaseSession"
    key_salt = SESSION_SALT

    def get_session_cookie_age(self) -> int:
        """Return how many seconds a session lasts."""
        from django.conf import settings

        return self.config.cookie.seconds or settings.SESSION_COOKIE_AGE

    def get_expire_at_browser_close(self) -> bool:
        """Return whether the cookie goes when the browser is closed."""
        chosen = self.get("_session_expiry")  # type: ignore[attr-defined]
        return self.config.expire_at_browser_close if chosen is None else chosen == 0


@contextmanager
def _told() -> Iterator[None]:
    """Answer 503 when a cache fails in the block."""
    from django.contrib.sessions.backends.base import CreateError, UpdateError

    try:
        yield
    except (CreateError, UpdateError):
        raise
    except Exception as exc:
        message = "Sessions are not available"
        raise ServiceUnavailable(message, headers={"Retry-After": "1"}) from exc


@cache
def cache_store() -> type:
    """Return the engine that keeps sessions in a cache."""
    from django.contrib.sessions.backends.cache import SessionStore

    class CacheStore(_Told, SessionStore):
        """Sessions in a cache, which is told when it fails; Django takes it for an empty one."""

        _cache: Any

        def load(self) -> Any:
            """Return what is kept; nothing for a key that is not there, which is then dropped."""
            with _told():
                found = self._cache.get(self.cache_key) if self.session_key else None
            if found is not None:
                return found
            self._session_key = None
            return {}

        def save(self, must_create: bool = False) -> None:
            """Save the session."""
            with _told():
                super().save(must_create)

        def exists(self, session_key: str) -> bool:
            """Return whether there is a session of a key."""
            with _told():
                return bool(super().exists(session_key))

        def delete(self, session_key: str | None = None) -> None:
            """Delete the session."""
            with _told():
                super().delete(session_key)

    return CacheStore


@cache
def db_store(model: Any) -> type:
    """Return the engine that keeps sessions in a model's table."""
    from django.contrib.sessions.backends.db import SessionStore

    class DBStore(_Told, SessionStore):
        """Sessions in a table."""

        @classmethod
        def get_model_class(cls) -> Any:
            """Return the model."""
            return model

        def create_model_instance(self, data: Any) -> Any:
            """Return the row, told of its user and client where the model has room for them."""
            return described(super().create_model_instance(data), self, data)

    return DBStore


@cache
def cached_db_store(model: Any) -> type:
    """Return the engine that keeps sessions in a model's table, and reads them from a cache."""
    from django.contrib.sessions.backends.cached_db import SessionStore
    from django.contrib.sessions.backends.db import SessionStore as DBStore

    class CachedDBStore(_Told, SessionStore):
        """Sessions in a table, and in a cache before it."""

        @classmethod
        def get_model_class(cls) -> Any:
            """Return the model."""
            return model

        def create_model_instance(self, data: Any) -> Any:
            """Return the row, told of its user and client where the model has room for them."""
            return described(super().create_model_instance(data), self, data)

        def exists(self, session_key: str) -> bool:
            """Return whether the table has a session of a key, whatever the cache says."""
            return bool(DBStore.exists(self, session_key))

        def delete(self, session_key: str | None = None) -> None:
            """Delete the session, which the cache must not go on serving."""
            with _told():
                super().delete(session_key)

    return CachedDBStore


def described(row: Any, store: Any, data: Any) -> Any:
    """Return a session's row with what `AbstractSession` keeps of it."""
    names = {field.name for field in row._meta.concrete_fields}
    request = store.request
    found = {
        "user_key": data.get(store.user_key),
        "ip_address": request.ip_address,
        "user_agent": (request.raw.header("user-agent") or "")[:255],
    }
    for name, value in found.items():
        if name in names:
            setattr(row, name, value)
    return row
