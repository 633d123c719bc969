"""Sessions in the database, read from a cache."""

from typing import Any

from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.caches import check_cache
from utilmeta.core.auth.session.db import DBSession
from utilmeta.core.auth.session.stores import SessionCache, cached_db_store
from utilmeta.core.request import Request


class CachedDBSession(DBSession):
    """Sessions in a model's table, read from a cache, which may fail or forget.

    Args:
        session_model: as for `DBSession`.
        cache_alias: the cache; in production one that all processes share.
        **options: as for `BaseSession`.
    """

    def __init__(
        self, session_model: Any = None, cache_alias: str = "default", **options: Any
    ) -> None:
        super().__init__(session_model, **options)
        self.cache_alias = cache_alias

    def make_store(self, key: str | None, request: Request) -> Any:
        """Return the session of a key, or a new one."""
        from django.core.cache import caches

        store: Any = cached_db_store(self.session_model)(key)
        store._cache = SessionCache(caches[self.cache_alias], is_copy=True)
        return self._told(store, request)

    def check(self, rules: CompileRules) -> None:
        """Refuse a model or a cache that cannot do."""
        super().check(rules)
        check_cache(self.cache_alias, rules, "CachedDBSession")

    def revoke(self, user_id: Any) -> int:
        """End all sessions of a user, in the cache too, and return how many there were."""
        from django.core.cache import caches

        rows = self._sessions_of(user_id)
        prefix = cached_db_store(self.session_model).cache_key_prefix  # type: ignore[attr-defined]
        keys = list(rows.values_list("session_key", flat=True))
        count = super().revoke(user_id)
        caches[self.cache_alias].delete_many([f"{prefix}{key}" for key in keys])
        return count
