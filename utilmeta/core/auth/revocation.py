"""What was good once and is so no more, kept in a cache until it would have ended by itself."""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.caches import check_cache, needing_cache

# Seconds that something is kept which never ends by itself.
_LONG = 10 * 365 * 24 * 60 * 60


class Revocations:
    """Identifiers that are worth nothing any more. While the cache is down, nothing is let in.

    Args:
        alias: the cache.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def check(self, rules: CompileRules) -> None:
        """Refuse a cache that cannot do.

        Raises:
            ConfigError: it is one.
        """
        check_cache(self._alias, rules, "Revocations")

    def _call(self, method: str, *args: Any) -> Any:
        from django.core.cache import caches

        with needing_cache():
            return getattr(caches[self._alias], method)(*args)

    def add(self, name: str, until: float | None) -> None:
        """Keep an identifier until a time, in seconds since 1970; None for long."""
        self._call("set", _key(name), 1, _rest(until))

    def spend(self, name: str, until: float | None) -> bool:
        """Keep an identifier, and return whether it was good until now; atomic."""
        return bool(self._call("add", _key(name), 1, _rest(until)))

    def has_any(self, names: Sequence[str]) -> bool:
        """Return whether one of some identifiers is worth nothing any more."""
        return bool(names) and bool(self._call("get_many", [_key(name) for name in names]))


def _key(name: str) -> str:
    return f"utilmeta:revoked:{hashlib.sha256(name.encode()).hexdigest()}"


def _rest(until: float | None) -> int:
    return _LONG if until is None else max(1, int(until - time.time()) + 1)
