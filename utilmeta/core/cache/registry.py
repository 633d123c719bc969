"""The stores of this process, by alias, and what happens when one fails."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

from utilmeta.core.cache.errors import CacheUnavailable
from utilmeta.core.cache.stores.base import Store
from utilmeta.utils.exceptions import ConfigError

logger = logging.getLogger("utilmeta.cache")

# Seconds between two lines in the log about one store that is down.
LOG_EVERY = 10.0


class Strict:
    """Turns failures of a store into `CacheUnavailable`.

    Args:
        alias: the cache's.
        store: whose failures.
    """

    def __init__(self, alias: str, store: Store) -> None:
        self._alias = alias
        self._store = store

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> Literal[False]:
        """Let an exception pass, or raise the one that stands for it."""
        if exc is not None and self._store.failed(exc):
            raise CacheUnavailable from exc
        return False


class Lenient:
    """Lets what is inside be skipped when a store fails; says so in the log, not each time.

    Args:
        alias: the cache's.
        store: whose failures.
    """

    def __init__(self, alias: str, store: Store) -> None:
        self._alias = alias
        self._store = store
        self._lock = threading.Lock()
        self._silent_until = 0.0
        self._skipped = 0

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> bool:
        """Swallow a failure of the store; let anything else pass."""
        if exc is None or not self._store.failed(exc):
            return False
        now = time.monotonic()
        with self._lock:
            is_silent = now < self._silent_until
            skipped = self._skipped
            self._skipped = skipped + 1 if is_silent else 0
            if not is_silent:
                self._silent_until = now + LOG_EVERY
        if not is_silent:
            logger.error(
                "the cache %r is down, and is done without (on_failure='miss'); %d failures since "
                "it was last said",
                self._alias,
                skipped,
                exc_info=exc,
            )
        return True


@dataclass(frozen=True, slots=True)
class Opened:
    """A store that is in use.

    Attributes:
        entry: its entry in `CACHES`.
        store: the store.
        strict: turns its failures into errors.
        declared: does with its failures as `on_failure` says.
    """

    entry: Mapping[str, Any]
    store: Store
    strict: Strict
    declared: Strict | Lenient


class Registry:
    """The stores of this process, opened when they are first used.

    They follow Django's `CACHES`: an alias whose entry has become another is opened anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: dict[str, Opened] = {}
        # Those of the parent process. Its connections must not be closed here, so they are kept.
        self._inherited: list[dict[str, Opened]] = []
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._inherited.append(self._opened)
        self._opened = {}

    def opened(self, alias: str) -> Opened:
        """Return the store of an alias.

        Raises:
            ConfigError: there is no such alias, or its entry is wrong.
        """
        from django.conf import settings

        entry = settings.CACHES.get(alias)
        found = self._opened.get(alias)
        if found is not None and found.entry is entry:
            return found
        if entry is None:
            raise ConfigError(
                f"caches[{alias!r}]: expected one of {', '.join(map(repr, settings.CACHES))}; "
                "declare it in CacheConnections or in Django's CACHES"
            )
        with self._lock:
            found = self._opened.get(alias)
            if found is None or found.entry != entry:
                store = _open(alias, entry)
                strict = Strict(alias, store)
                declared = Lenient(alias, store) if _is_lenient(alias, entry) else strict
                found = Opened(entry, store, strict, declared)
            elif found.entry is not entry:
                found = Opened(entry, found.store, found.strict, found.declared)
            self._opened[alias] = found
            return found

    def close(self) -> None:
        """Give back the connections that threads use; event loops give back theirs."""
        for found in list(self._opened.values()):
            found.store.close()


def _is_lenient(alias: str, entry: Mapping[str, Any]) -> bool:
    declared = entry.get("ON_FAILURE", "raise")
    if declared not in {"raise", "miss"}:
        raise ConfigError(
            f"CACHES[{alias!r}]['ON_FAILURE'] is {declared!r}; expected 'raise' or 'miss'"
        )
    return bool(declared == "miss")


def _open(alias: str, entry: Mapping[str, Any]) -> Store:
    """Return a store for an entry of `CACHES`."""
    from django.utils.module_loading import import_string

    from utilmeta.core.cache.stores.django import DjangoStore

    backend = str(entry["BACKEND"])
    params = {name: value for name, value in entry.items() if name not in {"BACKEND", "LOCATION"}}
    # A project's own class, or pool of connections, is one for threads.
    is_own = {"pool_class", "parser_class"} & set(params.get("OPTIONS", {}))
    if import_string(backend).__module__ == "django.core.cache.backends.redis" and not is_own:
        from utilmeta.core.cache.stores.redis import RedisStore

        return RedisStore(entry.get("LOCATION", ""), params)
    return DjangoStore(alias)


registry = Registry()
