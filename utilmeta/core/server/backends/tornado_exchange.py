"""One request of Tornado's server, and its answer."""

import asyncio
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
    format_timestamp,
)
from tornado.iostream import StreamClosedError

from utilmeta.core.request.raw import (
    HeaderPairs,
    RawRequest,
    locate_encoded,
    locate_plain,
)
from utilmeta.core.response import RawResponse
from utilmeta.core.server.contract import Handler, depth_of
from utilmeta.utils.exceptions.http import phrase_of

# Chunks of a request body that may wait for the endpoint before the client has to.
_QUEUED = 16


class Inbox:
    """A request's body on its way from the server to the endpoint."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._ended = False
        self._waiting: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    def put(self, chunk: bytes) -> "asyncio.Future[None] | None":
        """Take a chunk; returns what the server waits for while too many are unread."""
        self._chunks.append(chunk)
        self._wake()
        if len(self._chunks) < _QUEUED:
            return None
        self._room = asyncio.get_running_loop().create_future()
        return self._room

    def end(self) -> None:
        """Mark the end of the body."""
        self._ended = True
        self._wake()

    def leave(self) -> None:
        """Let the server go on: nobody reads any more."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def get(self) -> bytes | None:
        """Return the next chunk; None at the end, as often as it is asked for."""
        while not self._chunks:
            if self._ended:
                return None
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        chunk = self._chunks.popleft()
        self.leave()
        return chunk


class TornadoRequest(RawRequest):
    """A raw request over what Tornado's server hands to a message delegate.

    Args:
        start: method and target.
        fields: the header fields.
        connection: where the answer goes.
        route: the route below which the handler answers.
    """

    __slots__ = ("body", "fields")

    asynchronous: ClassVar[bool] = True

    def __init__(
        self, start: RequestStartLine, fields: HTTPHeaders, connection: Any, route: str
    ) -> None:
        self.native = connection
        self.fields = fields
        self.method = start.method.upper()
        self.prefix = route
        target, _, self.query = start.path.partition("?")
        plain = None if "%" in target else locate_plain(target, route)
        self.path, self.segments, self.fault = plain or locate_encoded(
            target.encode("latin-1", "replace"), depth_of(route)
        )
        self.server = None
        self.body = Inbox()

    def _late_scheme(self) -> str:
        scheme: str = self.native.context.protocol
        return scheme

    def _late_client(self) -> tuple[str, int] | None:
        context = self.native.context
        if context.address_family not in (socket.AF_INET, socket.AF_INET6):
            return None
        return context.remote_ip, context.address[1] if context.address else 0

    def headers(self) -> HeaderPairs:
        """Return the header fields."""
        return [(name.lower(), value) for name, value in self.fields.get_all()]

    def header(self, name: str) -> str | None:
        """Return the value of a header given in lower case, repeats joined by `, `."""
        found = self.fields.get_list(name)
        return ", ".join(found) if found else None

    def stream(self) -> Iterator[bytes]:
        """Refuse: an async server's body is read with `astream`."""
        raise TypeError("the body of an async server's request is read with astream()")

    async def astream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            BadRequest: the client went away before the end.
        """
        while (chunk := await self.body.get()) is not None:
            yield chunk


class Exchange(HTTPMessageDelegate):
    """One request and its answer.

    Args:
        exchanges: those in flight, this one too while it lasts.
        handler: answers it.
        route: the route it is mounted at.
        connection: where the answer goes.
    """

    def __init__(
        self,
        exchanges: "set[asyncio.Task[None]]",
        handler: Handler,
        route: str,
        connection: HTTPConnection,
    ) -> None:
        self._exchanges = exchanges
        self._handler = handler
        self._route = route
        self._connection = connection
        self._raw: TornadoRequest | None = None
        self._task: asyncio.Task[None] | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Begin to answer; the body follows."""
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - a server gets requests
        self._raw = TornadoRequest(start_line, headers, self._connection, self._route)
        self._task = asyncio.get_running_loop().create_task(self._answer(self._raw))
        self._exchanges.add(self._task)
        self._task.add_done_callback(self._exchanges.discard)

    def data_received(self, chunk: bytes) -> Any:
        """Hand a chunk of the body over; waits while too many are unread."""
        if self._raw is None or self._task is None or self._task.done():
            return None
        return self._raw.body.put(chunk)

    def finish(self) -> None:
        """Mark the end of the body."""
        if self._raw is not None:
            self._raw.body.end()

    def on_connection_close(self) -> None:
        """Give up: nobody waits for the answer."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, raw: TornadoRequest) -> None:
        try:
            response = await self._handler.ahandle(raw)
            try:
                await write(self._connection, response)
            except StreamClosedError:
                # The client went away; the body is closed below.
                pass
            finally:
                if response.streaming:
                    await response.aclose()
        finally:
            raw.body.leave()


async def write(connection: HTTPConnection, response: RawResponse) -> None:
    """Send a response."""
    fields = HTTPHeaders()
    for name, value in response.headers:
        fields.add(name, value)
    fields.add("Date", _date())
    start = ResponseStartLine("", response.status, phrase_of(response.status))
    body: Any = response.body
    if isinstance(body, bytes):
        connection.write_headers(start, fields, body)
    else:
        first = await anext(body, None)
        await connection.write_headers(start, fields, first)
        async for chunk in body:
            await connection.write(chunk)
    connection.finish()


_dated: tuple[int, str] = (0, "")


def _date() -> str:
    """Return the moment as a header has it; worked out once for each second."""
    global _dated  # noqa: PLW0603 - one pair, replaced as a whole
    now = int(time.time())
    if _dated[0] != now:
        _dated = (now, format_timestamp(now))
    return _dated[1]
