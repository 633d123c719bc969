"""Bodies that come in pieces, for the kind of server that sends them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from utilmeta.core.request.current import current_request
from utilmeta.core.response.raw import aclose_source, close_source
from utilmeta.core.server.engine.lanes import Hold

_END: Any = object()

# Seconds an event stream waits for its first event before it tells the client that it is there.
FIRST_SECONDS = 1.0


class Primed:
    """A sync body whose first chunk is there, so that one that fails at once is still an error.

    Args:
        source: the body; its first chunk is made now.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._first = next(source, None)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, None
        return next(self._source) if first is None else first

    def close(self) -> None:
        """End the body."""
        close_source(self._source)


class AsyncPrimed:
    """An async body whose first chunk is there; the async twin of `Primed`.

    Args:
        source: the body.
        first: its first chunk, None when it has none.
    """

    def __init__(self, source: AsyncIterator[bytes], first: bytes | None) -> None:
        self._source = source
        self._first = first

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, None
        return await anext(self._source) if first is None else first

    async def aclose(self) -> None:
        """End the body."""
        await aclose_source(self._source)


@contextmanager
def in_force(request: Any, hold: Hold | None = None) -> Iterator[None]:
    """Let a step of a body run as a part of its request, which has been answered by then.

    Args:
        request: the request that is answered with the body.
        hold: its lane; None for sync servers.
    """
    token = None if hold is None else hold.enter()
    current = current_request.set(request)
    try:
        yield
    finally:
        current_request.reset(current)
        if token is not None:
            Hold.leave(token)


def iterate_now(source: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what a sync iterator yields, each step as a part of its request."""
    request = current_request.get()
    try:
        while True:
            with in_force(request):
                chunk = next(source, _END)
            if chunk is _END:
                return
            yield chunk
    finally:
        with in_force(request):
            close_source(source)


async def iterate_on_lane(source: Iterator[bytes], hold: Hold) -> AsyncIterator[bytes]:
    """Yield what a sync iterator yields, each step on the request's lane."""
    request = current_request.get()
    try:
        while True:
            with in_force(request, hold):
                chunk = await hold.run(next, source, _END)
            if chunk is _END:
                return
            yield chunk
    finally:
        with in_force(request, hold):
            await hold.run(close_source, source)


async def within(hold: Hold, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield a body's chunks, each step as a part of the request and with its lane."""
    request = current_request.get()
    try:
        while True:
            with in_force(request, hold):
                chunk = await anext(source, _END)
            if chunk is _END:
                return
            yield chunk
    finally:
        with in_force(request, hold):
            await aclose_source(source)


async def with_keep_alive(
    source: AsyncIterator[bytes], seconds: float, filler: bytes
) -> AsyncIterator[bytes]:
    """Yield a body's chunks, and a filler after each time of silence.

    The first wait is short, so that a client learns early that its request has been accepted.
    """
    queue: asyncio.Queue[Any] = asyncio.Queue(1)

    async def pump() -> None:
        # One task reads the source, as it may depend on its context from step to step.
        try:
            async for chunk in source:
                await queue.put(chunk)
        except Exception as exc:
            await queue.put(exc)
        else:
            await queue.put(_END)

    pumping = asyncio.ensure_future(pump())
    waiting = asyncio.ensure_future(queue.get())
    patience = min(FIRST_SECONDS, seconds)
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=patience)
            patience = seconds
            if not done:
                yield filler
                continue
            item = waiting.result()
            if item is _END:
                return
            if isinstance(item, Exception):
                raise item
            waiting = asyncio.ensure_future(queue.get())
            yield item
    finally:
        for task in (pumping, waiting):
            task.cancel()
        await asyncio.gather(pumping, waiting, return_exceptions=True)
        await aclose_source(source)


def iterate_sync(source: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Yield what an async iterator yields, on one event loop of its own."""
    with asyncio.Runner() as runner:

        async def step() -> Any:
            return await anext(source, _END)

        try:
            while (chunk := runner.run(step())) is not _END:
                yield chunk
        finally:
            runner.run(aclose_source(source))
