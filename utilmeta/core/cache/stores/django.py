"""Any of Django's cache backends as a store.

Source: `django.core.cache.backends` of Django 5.2 to 6.0. What Django keeps to itself and is used
here: where `FileBasedCache` keeps its files and how they begin.
"""

import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.files import locks

from utilmeta.core.cache.stores.base import Seconds, Store, When, Work
from utilmeta.utils.exceptions import ConfigError

T = TypeVar("T")
_MISSING: Any = object()
_ABLE = "use one that can: Redis, or 'locmem' within one process, or 'file' on one machine"
# What the clients of backends raise, looked up only once they have been loaded.
_CLIENT_ERRORS = (
    ("django.db", "Error"),
    ("redis.exceptions", "RedisError"),
    ("pymemcache.exceptions", "MemcacheError"),
    ("pylibmc", "Error"),
)
# 64-bit integers, as on other stores.
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Threaded(Work[T]):
    """A call that blocks; on an event loop it is made on the request's worker thread.

    Args:
        call: what to call.
    """

    call: Callable[[], T]

    def run(self) -> T:
        """Call it."""
        return self.call()

    async def arun(self) -> T:
        """Call it on a worker thread."""
        result: T = await sync_to_async(self.call)()
        return result


class DjangoStore(Store):
    """One of Django's caches.

    Args:
        alias: its name in `CACHES`.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        backend = self._backend
        self.default_timeout = backend.default_timeout
        self._exclusive = _exclusive(backend)
        # Others cut fractions off, and an entry must not end before its time.
        self._in_seconds = not isinstance(backend, LocMemCache | FileBasedCache)

    @property
    def _backend(self) -> BaseCache:
        # Django keeps one for each thread, and closes it after each request.
        return caches[self._alias]

    def failed(self, exc: BaseException) -> bool:
        """Whether an exception says that the store does not work, rather than the caller."""
        loaded = ((sys.modules.get(module), name) for module, name in _CLIENT_ERRORS)
        types = [getattr(module, name) for module, name in loaded if module is not None]
        return isinstance(exc, (OSError, *types))

    def get(self, key: str, default: Any) -> Work[Any]:
        """Work that returns a value, or the default where there is none."""
        return Threaded(lambda: self._backend.get(key, default))

    def fetch(self, keys: Sequence[str]) -> Work[dict[str, Any]]:
        """Work that returns those values that are there, by key."""
        return Threaded(lambda: dict(self._backend.get_many(keys)))

    def set(self, key: str, value: Any, timeout: Seconds, when: When) -> Work[bool]:
        """Work that keeps a value, and returns whether the condition was met."""
        kept = self._rounded(timeout)
        if when is When.NOT_EXISTS:
            self._check_adds()
            return self._write(lambda cache: bool(cache.add(key, value, kept)))

        def keep(cache: BaseCache) -> bool:
            if when is When.EXISTS and not cache.has_key(key):
                return False
            cache.set(key, value, kept)
            return True

        return self._write(keep)

    def update(self, values: Mapping[str, Any], timeout: Seconds) -> Work[bool]:
        """Work that keeps several values, and returns whether all are kept."""
        kept = self._rounded(timeout)
        return self._write(lambda cache: not cache.set_many(dict(values), kept))

    def pop(self, key: str, default: Any) -> Work[Any]:
        """Work that takes a value out; where the store allows it, so that no one else gets it."""

        def take_out(cache: BaseCache) -> Any:
            value = cache.get(key, _MISSING)
            # Of two that read it, only the one that deletes it gets it.
            return value if value is not _MISSING and cache.delete(key) else default

        return self._write(take_out)

    def delete(self, keys: Sequence[str]) -> Work[int]:
        """Work that forgets entries, and returns how many were there."""

        def forget(cache: BaseCache) -> int:
            # Files of entries that have run out are there, and count as deleted, until then.
            present = [key for key in keys if cache.has_key(key)]
            return sum(bool(cache.delete(key)) for key in present)

        return self._write(forget)

    def exists(self, keys: Sequence[str]) -> Work[int]:
        """Work that returns how many of the keys are there."""
        return Threaded(lambda: sum(self._backend.has_key(key) for key in keys))

    def expire(self, key: str, timeout: Seconds) -> Work[bool]:
        """Work that lets an entry live that long from now, and returns whether it is there."""
        kept = self._rounded(timeout)
        return self._write(lambda cache: bool(cache.touch(key, kept)))

    def alter(self, key: str, delta: int, limit: int | None, timeout: Seconds) -> Work[int | None]:
        """Work that adds to a number at once; see `Store.alter`."""
        if self._exclusive is not None:
            return self._write(lambda cache: _alter_alone(cache, key, delta, limit, timeout))
        if limit is not None or type(self._backend).incr is BaseCache.incr:
            how = "" if limit is None else "up to a limit "
            raise ConfigError(
                f"cache {self._alias!r} cannot count {how}so that no count is lost; {_ABLE}"
            )
        kept = self._rounded(timeout)
        return Threaded(lambda: _alter_at_once(self._backend, key, delta, kept))

    def take(self, key: str, token: str, timeout: Seconds) -> Work[bool]:
        """Work that keeps a token where there is none, and returns whether it does."""
        self._check_exclusive()
        return self.set(key, token, timeout, When.NOT_EXISTS)

    def give_back(self, key: str, token: str) -> Work[bool]:
        """Work that forgets a token, and returns whether it was this one that was there."""
        self._check_exclusive()
        return self._write(lambda cache: cache.get(key) == token and bool(cache.delete(key)))

    def close(self) -> None:
        """Do nothing: Django closes its caches after each request."""

    async def aclose(self) -> None:
        """Do nothing: what Django holds belongs to threads."""

    def _rounded(self, timeout: Seconds) -> Seconds:
        return ceil(timeout) if timeout is not None and self._in_seconds else timeout

    def _write(self, change: Callable[[BaseCache], T]) -> Work[T]:
        def write() -> T:
            if self._exclusive is None:
                return change(self._backend)
            with self._exclusive():
                return change(self._backend)

        return Threaded(write)

    def _check_adds(self) -> None:
        # Two that find an entry run out at once would both replace it.
        if isinstance(self._backend, DummyCache | DatabaseCache):
            raise ConfigError(
                f"cache {self._alias!r} cannot keep a value so that only one succeeds; {_ABLE}"
            )

    def _check_exclusive(self) -> None:
        if self._exclusive is None:
            raise ConfigError(f"cache {self._alias!r} cannot hold locks; {_ABLE}")


def _exclusive(backend: BaseCache) -> Callable[[], AbstractContextManager[Any]] | None:
    """Return what keeps others from writing meanwhile; None where nothing can."""
    if isinstance(backend, LocMemCache):
        lock = threading.Lock()
        return lambda: lock
    if isinstance(backend, FileBasedCache):
        folder: str = backend._dir  # type: ignore[attr-defined]  # noqa: SLF001
        return lambda: _locked_folder(folder)
    return None


@contextmanager
def _locked_folder(folder: str) -> Iterator[None]:
    """Lock a folder for all processes of this machine."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # Threads open it each for itself, so that it keeps them apart as well.
    with open(os.path.join(folder, ".utilmeta.lock"), "a+b") as file:
        if not locks.lock(file, locks.LOCK_EX):
            raise OSError("this platform cannot lock files")
        try:
            yield
        finally:
            locks.unlock(file)


def _alter_alone(
    cache: BaseCache, key: str, delta: int, limit: int | None, timeout: Seconds
) -> int | None:
    """Add to a number of a store that no one else writes to meanwhile."""
    rest = _rest_of_file(cache, key) if isinstance(cache, FileBasedCache) else None
    value = cache.get(key, _MISSING)
    if value is not _MISSING and type(value) is not int:
        raise ValueError(f"cache key {key!r}: expected an integer, got {type(value).__name__}")
    number: int = (0 if value is _MISSING else value) + delta
    if limit is not None and (number > limit if delta >= 0 else number < limit):
        return None
    if not -_LARGEST <= number <= _LARGEST:
        raise ValueError(f"cache key {key!r}: a number would be longer than 64 bits")
    if value is _MISSING:
        cache.set(key, number, timeout)
    elif isinstance(cache, FileBasedCache):
        cache.set(key, number, rest)
    else:
        try:
            # Unlike `set`, it leaves alone how long the entry lives.
            cache.incr(key, delta)
        except ValueError:
            # It has run out since it was read.
            cache.set(key, number, timeout)
    return number


def _rest_of_file(cache: FileBasedCache, key: str) -> Seconds:
    """Return how many seconds an entry in a file still lives."""
    try:
        with open(cache._key_to_file(key), "rb") as file:  # type: ignore[attr-defined]  # noqa: SLF001
            # The file was written by Django, and its value is read in the same way.
            ends: float | None = pickle.load(file)  # noqa: S301
    except FileNotFoundError:
        return None
    return None if ends is None else ends - time.time()


def _alter_at_once(cache: BaseCache, key: str, delta: int, timeout: Seconds) -> int:
    """Add to a number of a store whose own counting is atomic."""
    for _ in range(3):
        cache.add(key, 0, timeout)
        try:
            number: int = cache.incr(key, delta)
        except ValueError:
            # It has run out between the two calls, and is begun again.
            continue
        return number
    raise OSError("the cache does not keep numbers")
