"""What is done with a cache."""

import inspect
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, Final, TypeVar

from utilmeta.core.cache.locks import Lock
from utilmeta.core.cache.registry import Opened, registry
from utilmeta.core.cache.stores.base import Seconds, When

T = TypeVar("T")


class Default(Enum):
    """The type of `DEFAULT`."""

    DEFAULT = "the timeout of the cache"


DEFAULT: Final = Default.DEFAULT
# How long an entry lives: seconds, None for ever, 0 or less not at all.
Timeout = float | timedelta | None | Default
# Integers as every store keeps them, and limits as Redis compares them.
_LARGEST = 2**63 - 1
_LARGEST_LIMIT = 2**53
# What a clock of every store can tell: a hundred years, in seconds.
_LONGEST = 100 * 366 * 86400
_MISSING: Any = object()


class CacheClient:
    """One of the service's caches, by alias; opened when it is first used.

    It holds no connection itself, so it may be kept anywhere, and is safe for threads, event loops
    and forked processes. Django's `caches[alias]` sees the same entries.

    Keys are text; a store of its own may allow only some, and raises ValueError for others.
    While the store is down, methods raise `CacheUnavailable`, or do as if nothing were kept with
    `Cache(on_failure='miss')`. `alter`, locks and `not_exists_only` raise it in any case, since
    what relies on them must not go on without.

    Args:
        alias: its name in `CacheConnections` or Django's `CACHES`.
    """

    __slots__ = ("alias",)

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def __repr__(self) -> str:
        return f"<cache {self.alias!r}>"

    @property
    def _opened(self) -> Opened:
        return registry.opened(self.alias)

    # -- reading ------------------------------------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or the default where there is none; a kept None is a value."""
        opened = self._opened
        with opened.declared:
            return opened.store.get(_key(key), default).run()
        return default

    async def aget(self, key: str, default: Any = None) -> Any:
        """Return a value; the async twin of `get`."""
        opened = self._opened
        with opened.declared:
            return await opened.store.get(_key(key), default).arun()
        return default

    def fetch(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those values that are there, by key; all are asked for at once."""
        opened, names = self._opened, _keys(keys)
        if names:
            with opened.declared:
                return opened.store.fetch(names).run()
        return {}

    async def afetch(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those values that are there; the async twin of `fetch`."""
        opened, names = self._opened, _keys(keys)
        if names:
            with opened.declared:
                return await opened.store.fetch(names).arun()
        return {}

    def exists(self, *keys: str) -> int:
        """Return how many of the keys are there."""
        opened, names = self._opened, _keys(keys)
        if names:
            with opened.declared:
                return opened.store.exists(names).run()
        return 0

    async def aexists(self, *keys: str) -> int:
        """Return how many of the keys are there; the async twin of `exists`."""
        opened, names = self._opened, _keys(keys)
        if names:
            with opened.declared:
                return await opened.store.exists(names).arun()
        return 0

    # -- writing ------------------------------------------------------------------------------

    def set(
        self,
        key: str,
        value: Any,
        *,
        timeout: Timeout = DEFAULT,
        exists_only: bool = False,
        not_exists_only: bool = False,
    ) -> bool:
        """Keep a value.

        Args:
            key: under which key.
            value: anything that can be pickled.
            timeout: how long; `DEFAULT` is the cache's own.
            exists_only: only in place of a value that is there.
            not_exists_only: only where there is none; of several callers one succeeds.

        Returns:
            Whether it is kept.

        Raises:
            ValueError: both conditions are given.
            ConfigError: the store cannot do `not_exists_only` so that only one succeeds.
            CacheUnavailable: the store is down, unless `on_failure='miss'`; see the class.
        """
        opened, when = self._opened, _when(exists_only, not_exists_only)
        seconds = _seconds(timeout, opened)
        with opened.strict if not_exists_only else opened.declared:
            return opened.store.set(_key(key), value, seconds, when).run()
        return False

    async def aset(
        self,
        key: str,
        value: Any,
        *,
        timeout: Timeout = DEFAULT,
        exists_only: bool = False,
        not_exists_only: bool = False,
    ) -> bool:
        """Keep a value; the async twin of `set`."""
        opened, when = self._opened, _when(exists_only, not_exists_only)
        seconds = _seconds(timeout, opened)
        with opened.strict if not_exists_only else opened.declared:
            return await opened.store.set(_key(key), value, seconds, when).arun()
        return False

    def update(self, values: Mapping[str, Any], *, timeout: Timeout = DEFAULT) -> bool:
        """Keep several values, sent at once, and return whether all are kept."""
        opened, seconds = self._opened, _seconds(timeout, self._opened)
        if not _keys(values):
            return True
        with opened.declared:
            return opened.store.update(values, seconds).run()
        return False

    async def aupdate(self, values: Mapping[str, Any], *, timeout: Timeout = DEFAULT) -> bool:
        """Keep several values; the async twin of `update`."""
        opened, seconds = self._opened, _seconds(timeout, self._opened)
        if not _keys(values):
            return True
        with opened.declared:
            return await opened.store.update(values, seconds).arun()
        return False

    def get_or_set(self, key: str, make: Callable[[], T], *, timeout: Timeout = DEFAULT) -> T:
        """Return a value, made and kept where there is none; callers at a time may each make it."""
        value = self.get(key, _MISSING)
        if value is _MISSING:
            value = make()
            self.set(key, value, timeout=timeout)
        result: T = value
        return result

    async def aget_or_set(
        self, key: str, make: Callable[[], T | Awaitable[T]], *, timeout: Timeout = DEFAULT
    ) -> T:
        """Return a value, made and kept where there is none; `make` may be async."""
        value = await self.aget(key, _MISSING)
        if value is _MISSING:
            value = make()
            if inspect.isawaitable(value):
                value = await value
            await self.aset(key, value, timeout=timeout)
        result: T = value
        return result

    def expire(self, key: str, timeout: Timeout = DEFAULT) -> bool:
        """Let an entry live that long from now, and return whether it is there."""
        opened, seconds = self._opened, _seconds(timeout, self._opened)
        with opened.declared:
            return opened.store.expire(_key(key), seconds).run()
        return False

    async def aexpire(self, key: str, timeout: Timeout = DEFAULT) -> bool:
        """Let an entry live that long; the async twin of `expire`."""
        opened, seconds = self._opened, _seconds(timeout, self._opened)
        with opened.declared:
            return await opened.store.expire(_key(key), seconds).arun()
        return False

    # -- taking out ---------------------------------------------------------------------------

    def pop(self, key: str, default: Any = None) -> Any:
        """Take a value out and return it; only one caller gets it, the others the default."""
        opened = self._opened
        with opened.declared:
            return opened.store.pop(_key(key), default).run()
        return default

    async def apop(self, key: str, default: Any = None) -> Any:
        """Take a value out; the async twin of `pop`."""
        opened = self._opened
        with opened.declared:
            return await opened.store.pop(_key(key), default).arun()
        return default

    def delete(self, *keys: str) -> int:
        """Forget entries, and return how many were there."""
        opened, names = self._opened, _keys(keys)
        if names:
            with opened.declared:
                return opened.store.delete(names).run()
        return 0

    async def adelete(self, *keys: str) -> int:
        """Forget entries; the async twin of `delete`."""
        opened, names = self._opened, _keys(keys)
        if names:
            with opened.declared:
                return await opened.store.delete(names).arun()
        return 0

    # -- counting and locking -----------------------------------------------------------------

    def alter(
        self, key: str, delta: int, *, limit: int | None = None, timeout: Timeout = DEFAULT
    ) -> int | None:
        """Add to a number, so that no count is lost among all callers.

        Args:
            key: of an integer; a missing one begins at 0.
            delta: what to add; below 0 takes away.
            limit: the number does not go beyond it: not above, or with a `delta` below 0 not below.
            timeout: how long a number lives that begins; one that is there keeps its own time.

        Returns:
            The new number; None when it would be beyond the limit, and is left as it was.

        Raises:
            CacheUnavailable: the store is down, whatever `on_failure` says.
            ValueError: the entry is no integer, or a number would be longer than 64 bits.
            ConfigError: the store cannot count so that no count is lost.
        """
        opened, seconds = self._opened, _number_seconds(delta, limit, timeout, self._opened)
        with opened.strict:
            return opened.store.alter(_key(key), delta, limit, seconds).run()

    async def aalter(
        self, key: str, delta: int, *, limit: int | None = None, timeout: Timeout = DEFAULT
    ) -> int | None:
        """Add to a number; the async twin of `alter`."""
        opened, seconds = self._opened, _number_seconds(delta, limit, timeout, self._opened)
        with opened.strict:
            return await opened.store.alter(_key(key), delta, limit, seconds).arun()

    def lock(
        self, name: str, *, timeout: float | timedelta = 60.0, wait: float | None = 10.0
    ) -> Lock:
        """Return a lock to be held by `with` or `async with`; see `Lock`.

        Args:
            name: of what only one may do at a time; it is a key of its own.
            timeout: seconds after which it ends by itself; more than the work takes.
            wait: seconds to wait for another holder; 0 tries once, None waits as long as it takes.

        Raises:
            ValueError: a number is out of range.
        """
        seconds = _lifetime(timeout)
        if wait is not None and not wait >= 0:
            raise ValueError(f"lock(wait={wait!r}): expected seconds from 0, or None")
        return Lock(self.alias, _key(name), timeout=seconds, wait=wait)

    # -- connections --------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections of threads; the next call opens them again."""
        self._opened.store.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop; it also does so when it ends."""
        await self._opened.store.aclose()


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"cache key {key!r}: expected text, got {type(key).__name__}")
    if not key:
        raise ValueError("cache key '': expected at least one character")
    return key


def _keys(keys: Iterable[str]) -> list[str]:
    """Return keys, each once."""
    if isinstance(keys, str):
        raise TypeError(f"cache keys {keys!r}: expected several, such as a list, got one text")
    return list(dict.fromkeys(_key(key) for key in keys))


def _when(exists_only: bool, not_exists_only: bool) -> When:
    if exists_only and not_exists_only:
        raise ValueError("set(exists_only=True, not_exists_only=True): expected one of them")
    if exists_only:
        return When.EXISTS
    return When.NOT_EXISTS if not_exists_only else When.ALWAYS


def _seconds(timeout: Timeout, opened: Opened) -> Seconds:
    if isinstance(timeout, Default):
        return opened.store.default_timeout
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"timeout={timeout!r}: expected seconds, a timedelta, or None for ever")
    if math.isnan(seconds) or seconds > _LONGEST:
        raise ValueError(f"timeout={timeout!r}: expected at most 100 years, or None for ever")
    return max(0, seconds)


def _lifetime(timeout: float | timedelta) -> float:
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"timeout={timeout!r}: expected seconds above 0")
    return seconds


def _number_seconds(delta: int, limit: int | None, timeout: Timeout, opened: Opened) -> Seconds:
    """Return how long a new number lives, once the arguments of `alter` are found right."""
    for name, number, largest in (
        ("delta", delta, _LARGEST),
        ("limit", limit or 0, _LARGEST_LIMIT),
    ):
        if type(number) is not int:
            raise TypeError(f"alter({name}={number!r}): expected an integer")
        if abs(number) > largest:
            raise ValueError(f"alter({name}={number}): expected at most {largest}")
    seconds = _seconds(timeout, opened)
    if seconds is not None and seconds <= 0:
        raise ValueError(f"alter(timeout={timeout!r}): expected seconds above 0, or None")
    return seconds
