"""Named locks in a cache."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from utilmeta.core.cache.errors import CacheUnavailable, LockLost, LockTaken
from utilmeta.core.cache.registry import registry

logger = logging.getLogger("utilmeta.cache")

# Seconds between two attempts: the first ones, and the longest.
_SOON, _LATE = 0.01, 0.25


class Lock:
    """A lock that one holder has at a time, among all processes that share the cache.

    `with` and `async with` hold it; each object is used by one of them at a time. Only its holder
    gives it back, known by a token, and it ends by itself when its holder does not. While the cache
    is down there are no locks, whatever its `on_failure` says. Made by `CacheClient.lock`.

    Args:
        alias: which cache.
        name: name of the lock.
        timeout: seconds after which it ends by itself; more than the work takes.
        wait: seconds to wait for another holder; 0 tries once, None waits as long as it takes.

    Raises:
        LockTaken: when entered: another holds it, and the time to wait is over.
        LockLost: when left without an exception: it had ended before.
        CacheUnavailable: when entered or left: the cache is down.
        ConfigError: when entered: the cache cannot hold locks.
        RuntimeError: when entered: this object holds it already.
    """

    def __init__(self, alias: str, name: str, *, timeout: float, wait: float | None) -> None:
        self.name = name
        self._alias = alias
        self._timeout = timeout
        self._wait = wait
        self._token: str | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object took the lock and has not given it back; it may have ended."""
        return self._token is not None

    def __enter__(self) -> "Lock":
        """Take it."""
        token = self._begin()
        pauses = _Pauses(self._wait)
        while not self._try(token):
            time.sleep(pauses.next(self.name))
        self._token = token
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        """Give it back."""
        if exc is None:
            if not self._give_back():
                raise LockLost(self.name)
            return
        # The exception that is on its way says more.
        with _logged(self.name):
            self._give_back()

    async def __aenter__(self) -> "Lock":
        """Take it."""
        token = self._begin()
        pauses = _Pauses(self._wait)
        try:
            # Others hold it in other processes, which no event could tell.
            while not await self._atry(token):  # noqa: ASYNC110
                await asyncio.sleep(pauses.next(self.name))
        except asyncio.CancelledError:
            # It may have been taken all the same, and nobody would give it back.
            self._token = token
            with _logged(self.name):
                await self._agive_back()
            raise
        self._token = token
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        """Give it back."""
        if exc is None:
            if not await self._agive_back():
                raise LockLost(self.name)
            return
        # The exception that is on its way says more.
        with _logged(self.name):
            await self._agive_back()

    def _begin(self) -> str:
        if self._token is not None:
            raise RuntimeError(f"lock {self.name!r}: this object holds it already; make another")
        return secrets.token_hex(16)

    def _try(self, token: str) -> bool:
        opened = registry.opened(self._alias)
        with opened.strict:
            return opened.store.take(self._key, token, self._timeout).run()

    async def _atry(self, token: str) -> bool:
        opened = registry.opened(self._alias)
        with opened.strict:
            return await opened.store.take(self._key, token, self._timeout).arun()

    def _give_back(self) -> bool:
        token, self._token = self._token, None
        opened = registry.opened(self._alias)
        with opened.strict:
            return opened.store.give_back(self._key, token or "").run()

    async def _agive_back(self) -> bool:
        token, self._token = self._token, None
        opened = registry.opened(self._alias)
        with opened.strict:
            return await opened.store.give_back(self._key, token or "").arun()

    @property
    def _key(self) -> str:
        return f"utilmeta:lock:{self.name}"


@contextmanager
def _logged(name: str) -> Iterator[None]:
    try:
        yield
    except CacheUnavailable:
        logger.exception("the lock %r could not be given back; it will end by itself", name)


class _Pauses:
    """How long to wait between attempts; more and more, and never for two callers the same."""

    def __init__(self, wait: float | None) -> None:
        self._ends = None if wait is None else time.monotonic() + wait
        self._pause = _SOON

    def next(self, name: str) -> float:
        """Return seconds.

        Raises:
            LockTaken: the time to wait is over.
        """
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._pause = min(2 * self._pause, _LATE)
        if self._ends is None:
            return pause
        left = self._ends - time.monotonic()
        if left <= 0:
            raise LockTaken(name)
        return min(pause, left)
