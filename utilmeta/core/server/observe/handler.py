"""Handlers that are watched: the same answers, with the request's id on them."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from utilmeta.core.request import RawRequest
from utilmeta.core.request.socket import Pairs, RawSocket
from utilmeta.core.response import RawResponse
from utilmeta.core.response.raw import aclose_source, close_source
from utilmeta.core.server.contract import Handler
from utilmeta.core.server.observe.observer import Observer, Seen, current_seen, labelled

RouteOf = Callable[[RawRequest], str | None]


class ObservedHandler:
    """A handler whose requests are watched.

    Args:
        handler: answers them.
        observer: tells of them.
        route_of: returns the template of a request's path; None when nothing is there.
        is_probe: whether it answers for health or metrics.

    Attributes:
        is_exact: the same, as handlers of these tell it.
    """

    def __init__(
        self, handler: Handler, observer: Observer, route_of: RouteOf, *, is_probe: bool = False
    ) -> None:
        self._handler = handler
        self._observer = observer
        self._route_of = route_of
        self.is_exact = is_probe

    def _annotate(self, seen: Seen, raw: RawRequest) -> None:
        self._observer.place(seen, self._route_of(raw), is_probe=self.is_exact)

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; for sync servers."""
        outer = current_seen()
        if outer is not None:
            # The whole application is watched, and this is a part of it.
            self._annotate(outer, raw)
            response = self._handler.handle(raw)
            outer.error = response.error
            return response
        seen = self._observer.begin(raw)
        self._annotate(seen, raw)
        with self._observer.watch(seen):
            response = self._handler.handle(raw)
        return self._finish(seen, response)

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the async twin of `handle`."""
        outer = current_seen()
        if outer is not None:
            self._annotate(outer, raw)
            response = await self._handler.ahandle(raw)
            outer.error = response.error
            return response
        seen = self._observer.begin(raw)
        self._annotate(seen, raw)
        with self._observer.watch(seen):
            response = await self._handler.ahandle(raw)
        return self._finish(seen, response)

    def _finish(self, seen: Seen, response: RawResponse) -> RawResponse:
        """Give an answer the request's id, and tell of its end when it has come."""
        seen.status = response.status
        seen.error = response.error
        if self._observer.header is not None and seen.id is not None:
            response.set_header(self._observer.header.lower(), seen.id)
        body: Any = response.body
        if isinstance(body, bytes):
            seen.size = len(body)
            self._observer.end(seen)
            return response
        seen.size = 0
        kind = AsyncTap if isinstance(body, AsyncIterator) else Tap
        response.body = kind(body, seen, self._observer)
        response.on_close.append(lambda: self._observer.end(seen))
        return response

    async def asocket(self, raw: RawRequest, socket: RawSocket) -> None:
        """Carry on a WebSocket to its end, or refuse it."""
        observer = self._observer
        seen = observer.begin(raw, is_socket=True)
        self._annotate(seen, raw)
        with observer.watch(seen):
            await self._handler.asocket(raw, SocketTap(socket, seen, observer))
        observer.end(seen)


class Tap:
    """A sync body whose bytes are counted, each step a part of its request.

    Args:
        source: the body.
        seen: the request.
        observer: knows what is in force within it.
    """

    def __init__(self, source: Iterable[bytes], seen: Seen, observer: Observer) -> None:
        self._source = source
        self._chunks: Iterator[bytes] | None = None
        self._seen = seen
        self._observer = observer

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._observer.within(self._seen):
            try:
                if self._chunks is None:
                    self._chunks = iter(self._source)
                chunk = next(self._chunks)
            except StopIteration:
                raise
            except Exception as exc:
                self._seen.broke(exc)
                raise
        self._seen.size = (self._seen.size or 0) + len(chunk)
        return chunk

    def close(self) -> None:
        """End the body."""
        with self._observer.within(self._seen):
            close_source(self._source)


class AsyncTap:
    """An async body whose bytes are counted; the async twin of `Tap`."""

    def __init__(self, source: AsyncIterator[bytes], seen: Seen, observer: Observer) -> None:
        self._source = source
        self._seen = seen
        self._observer = observer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with self._observer.within(self._seen):
            try:
                chunk = await anext(self._source)
            except StopAsyncIteration:
                raise
            except Exception as exc:
                self._seen.broke(exc)
                raise
        self._seen.size = (self._seen.size or 0) + len(chunk)
        return chunk

    async def aclose(self) -> None:
        """End the body."""
        with self._observer.within(self._seen):
            await aclose_source(self._source)


class SocketTap(RawSocket):
    """A WebSocket whose handshake carries the request's id, and whose end is known.

    Args:
        inner: the WebSocket.
        seen: its opening request.
        observer: knows the header of ids.
    """

    def __init__(self, inner: RawSocket, seen: Seen, observer: Observer) -> None:
        self._inner = inner
        self._seen = seen
        self._header = observer.header
        self.subprotocols = inner.subprotocols

    @property
    def state(self) -> str:  # type: ignore[override]
        """Where the conversation is."""
        return self._inner.state

    def _labelled(self, headers: Pairs) -> Pairs:
        if self._header is None or self._seen.id is None:
            return headers
        return labelled(headers, self._header.lower(), self._seen.id)

    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        self._seen.status = 101
        await self._inner.accept(subprotocol, self._labelled(headers))

    async def receive(self) -> str | bytes:
        """Return the next message."""
        try:
            return await self._inner.receive()
        except Exception as exc:
            self._seen.code = getattr(exc, "code", self._seen.code)
            raise

    async def wait_gone(self) -> None:
        """Return when the client is known to be gone."""
        await self._inner.wait_gone()

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        await self._inner.send(message)

    async def close(self, code: int, reason: str) -> None:
        """Close an open connection."""
        if self._inner.state == "open":
            self._seen.code = code
        await self._inner.close(code, reason)

    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status in place of a connection."""
        self._seen.status = status
        await self._inner.reject(status, self._labelled(headers), body)
