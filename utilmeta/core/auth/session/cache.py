"""Sessions in a cache."""

from typing import Any

from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.caches import check_cache
from utilmeta.core.auth.session.base import BaseSession
from utilmeta.core.auth.session.stores import SessionCache, cache_store
from utilmeta.core.request import Request


class CacheSession(BaseSession):
    """Sessions in one of Django's caches: fast, and gone with it.

    Args:
        cache_alias: the cache; in production one that all processes share.
        **options: as for `BaseSession`.
    """

    def __init__(self, cache_alias: str = "default", **options: Any) -> None:
        super().__init__(**options)
        self.cache_alias = cache_alias

    def make_store(self, key: str | None, request: Request) -> Any:
        """Return the session of a key, or a new one."""
        from django.core.cache import caches

        store: Any = cache_store()(key)
        store.config, store._cache = self, SessionCache(caches[self.cache_alias])
        return store

    def check(self, rules: CompileRules) -> None:
        """Refuse a cache that is not there, or in production one that each process has alone.

        Raises:
            ConfigError: it is one.
        """
        check_cache(self.cache_alias, rules, "CacheSession")
