"""Counters and records that plugins keep: in this process, or in one of Django's caches."""

import contextlib
import threading
import time
from typing import Any, Protocol

from utilmeta.core.api.rules import CompileRules
from utilmeta.utils.exceptions import ConfigError

# Caches that every process has for itself, that keep nothing, or whose counting is not atomic.
_UNSAFE = ("locmem", "dummy", "filebased", "db")


class Counters(Protocol):
    """Counts by key, each for a time."""

    def add(self, key: str, seconds: int) -> int:
        """Return the count after one more; it is forgotten after that many seconds."""

    def get(self, key: str) -> int:
        """Return the count."""

    def take_back(self, key: str) -> None:
        """Count one less."""


class MemoryCounters:
    """Counts in this process; safe for threads."""

    # Entries after which those that have run out are looked for.
    SWEEP = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._next_sweep = self.SWEEP

    def add(self, key: str, seconds: int) -> int:
        """Return the count after one more; it is forgotten after that many seconds."""
        now = time.monotonic()
        with self._lock:
            count, ends = self._counts.get(key, (0, now + seconds))
            if ends <= now:
                count, ends = 0, now + seconds
            self._counts[key] = (count + 1, ends)
            if len(self._counts) > self._next_sweep:
                self._counts = {k: v for k, v in self._counts.items() if v[1] > now}
                self._next_sweep = max(self.SWEEP, 2 * len(self._counts))
            return count + 1

    def get(self, key: str) -> int:
        """Return the count."""
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > time.monotonic() else 0

    def take_back(self, key: str) -> None:
        """Count one less."""
        with self._lock:
            count, ends = self._counts.get(key, (0, 0.0))
            if count:
                self._counts[key] = (count - 1, ends)


class CacheCounters:
    """Counts in one of Django's caches, atomic where the cache's `incr` is.

    Args:
        alias: the cache.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @property
    def _cache(self) -> Any:
        from django.core.cache import caches

        return caches[self._alias]

    def add(self, key: str, seconds: int) -> int:
        """Return the count after one more; it is forgotten after that many seconds."""
        cache = self._cache
        for _ in range(3):
            cache.add(key, 0, seconds)
            # A count that runs out between the two calls is begun again.
            with contextlib.suppress(ValueError):
                count: int = cache.incr(key)
                return count
        raise RuntimeError(f"the cache {self._alias!r} does not keep counts")

    def get(self, key: str) -> int:
        """Return the count."""
        found: int = self._cache.get(key, 0)
        return found

    def take_back(self, key: str) -> None:
        """Count one less."""
        # One that has run out meanwhile has nothing to take back.
        with contextlib.suppress(ValueError):
            self._cache.decr(key)


def check_store(alias: str | None, rules: CompileRules, what: str) -> None:
    """Refuse a store that is not there, or in production one that each process has for itself.

    Raises:
        ConfigError: it is one; says what to use.
    """
    advice = (
        "use a cache that all processes share: service.use(CacheConnections({'default': "
        "RedisCache(...)})) and cache='default'"
    )
    if alias is None:
        if rules.production:
            raise ConfigError(f"{what}: in production every process would count alone; {advice}")
        return
    from django.conf import settings

    if alias not in settings.CACHES:
        raise ConfigError(
            f"{what}: cache={alias!r} is none of {', '.join(map(repr, settings.CACHES))}"
        )
    module = str(settings.CACHES[alias]["BACKEND"]).rpartition(".")[0].rpartition(".")[2]
    if module == "dummy" or (rules.production and module in _UNSAFE):
        raise ConfigError(
            f"{what}: cache {alias!r} is of kind {module!r}, which cannot do; {advice}"
        )
