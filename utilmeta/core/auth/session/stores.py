"""Django's session engines, told by a configuration in place of Django's settings."""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from utilmeta.conf.http import SESSION_SALT
from utilmeta.core.auth.caches import needing_cache
from utilmeta.utils.exceptions import ServiceUnavailable

if TYPE_CHECKING:
    from utilmeta.core.auth.session.base import BaseSession

logger = logging.getLogger("utilmeta.auth")


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


class _InTable(_Told):
    """What an engine is told that keeps sessions in a model's table."""

    table: Any

    @classmethod
    def get_model_class(cls) -> Any:
        """Return the model."""
        return cls.table

    def create_model_instance(self, data: Any) -> Any:
        """Return the row, told of its user and client where the model has room for them."""
        row = super().create_model_instance(data)  # type: ignore[misc]
        return described(row, self, data)


class SessionCache:
    """A cache that holds sessions, whose failures are told: they are no reason to start anew.

    Args:
        cache: one of Django's.
        is_copy: whether the sessions are elsewhere too, so that what it cannot take is let go.
    """

    def __init__(self, cache: Any, *, is_copy: bool = False) -> None:
        self._cache = cache
        self._is_copy = is_copy

    def _call(self, method: str, *args: Any) -> Any:
        with needing_cache("Sessions cannot be reached"):
            return getattr(self._cache, method)(*args)

    def get(self, key: str) -> Any:
        """Return what is kept."""
        return self._call("get", key)

    def add(self, key: str, value: Any, seconds: int) -> Any:
        """Keep something new."""
        return self._call("add", key, value, seconds)

    def set(self, key: str, value: Any, seconds: int) -> None:
        """Keep something."""
        try:
            self._call("set", key, value, seconds)
        except ServiceUnavailable:
            if not self._is_copy:
                raise
            logger.exception("a session could not be copied to its cache")

    def delete(self, key: str) -> None:
        """Forget something: a copy that stayed would still let somebody in."""
        self._call("delete", key)

    def __contains__(self, key: str) -> bool:
        return bool(self._call("has_key", key))


@cache
def cache_store() -> type:
    """Return the engine that keeps sessions in a cache."""
    from django.contrib.sessions.backends.cache import SessionStore

    class CacheStore(_Told, SessionStore):
        """Sessions in a cache, whose failures are not taken for an empty one, as Django does."""

        _cache: Any

        def load(self) -> Any:
            """Return what is kept; nothing for a key that is not there, which is then dropped."""
            found = self._cache.get(self.cache_key) if self.session_key else None
            if found is not None:
                return found
            self._session_key = None
            return {}

    return CacheStore


@cache
def db_store(model: Any) -> type:
    """Return the engine that keeps sessions in a model's table."""
    from django.contrib.sessions.backends.db import SessionStore

    class DBStore(_InTable, SessionStore):
        """Sessions in a table."""

        table = model

    return DBStore


@cache
def cached_db_store(model: Any) -> type:
    """Return the engine that keeps sessions in a model's table, and reads them from a cache."""
    from django.contrib.sessions.backends.cached_db import SessionStore

    class CachedDBStore(_InTable, SessionStore):
        """Sessions in a table, and in a cache before it."""

        table = model

        def exists(self, session_key: str | None) -> bool:
            """Return whether the table has a session."""
            return bool(session_key) and model._default_manager.filter(pk=session_key).exists()

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
