"""Something asynchronous for each event loop, given back when the loop ends."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One thing for each event loop that asks.

    A loop gives its thing back when it ends as `asyncio.run`, uvicorn and others end it: by
    `loop.shutdown_asyncgens()`, which ends a generator that waits here to do so.

    Args:
        make: makes the thing; called on the loop.
        close: gives it back; called on the loop.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._lock = threading.Lock()
        self._kept: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]] = {}

    async def get(self) -> T:
        """Return the thing of the running loop."""
        loop = asyncio.get_running_loop()
        found = self._kept.get(loop)
        if found is not None:
            return found[0]
        thing = self._make()
        keeper = self._keep(loop, thing)
        with self._lock:
            # Loops that were closed without any notice; nothing can be awaited on them.
            for closed in [other for other in self._kept if other.is_closed()]:
                del self._kept[closed]
            self._kept[loop] = thing, keeper
        # The loop learns of a generator when it begins.
        await anext(keeper)
        return thing

    async def aclose(self) -> None:
        """Give the thing of the running loop back."""
        found = self._kept.get(asyncio.get_running_loop())
        if found is not None:
            await found[1].aclose()

    async def _keep(self, loop: asyncio.AbstractEventLoop, thing: T) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with self._lock:
                self._kept.pop(loop, None)
            await self._close(thing)
