"""Sanic: a route that takes every path below, with streamed bodies."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Any, ClassVar, cast

from sanic import HTTPResponse, Request, Sanic
from sanic.constants import HTTP_METHODS
from sanic.response import BaseHTTPResponse

from utilmeta.core.request.raw import HeaderPairs, RawRequest, locate_encoded
from utilmeta.core.request.socket import is_upgrade
from utilmeta.core.response import RawResponse
from utilmeta.core.server.backends.sanic_socket import SanicSocket
from utilmeta.core.server.contract import Adapter, Frame, Handler, RunOptions, depth_of

# Seconds that WebSockets are given to end when the process does.
DRAIN = 5.0


class SanicRequest(RawRequest):
    """A raw request over Sanic's.

    Args:
        native: Sanic's request.
        route: the route below which the handler answers.
    """

    __slots__ = ()

    asynchronous: ClassVar[bool] = True
    native: Request[Any, Any]

    def __init__(self, native: Request[Any, Any], route: str) -> None:
        self.native = native
        self.method = native.method.upper()
        self.prefix = route
        location = locate_encoded(native.raw_url, depth_of(route))
        self.path, self.segments, self.fault = location
        self.query = native.query_string
        info = native.conn_info
        self.scheme = "https" if info is not None and info.ssl else "http"
        self.server = None
        if info is not None and info.server:
            self.server = (info.server.removesuffix(f":{info.server_port}"), info.server_port)
        self.client = (
            (info.client_ip, info.client_port) if info is not None and info.client_ip else None
        )

    def headers(self) -> HeaderPairs:
        """Return the header fields."""
        return [(name.lower(), _latin(value)) for name, value in self.native.headers.items()]

    def stream(self) -> Iterator[bytes]:
        """Refuse: an async server's body is read with `astream`."""
        raise TypeError("the body of an async server's request is read with astream()")

    async def astream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""
        source: Any = self.native.stream
        if self.native.body:
            yield self.native.body
        elif source is not None:
            async for chunk in source:
                yield chunk


def asks_for_socket(request: Request[Any, Any]) -> bool:
    """Return whether Sanic has seen the request ask for a WebSocket."""
    return bool(getattr(request.stream, "upgrade_websocket", False))


def _latin(value: str) -> str:
    """Return a header's value as the other servers give it: one character for each byte."""
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


class _Response(HTTPResponse):
    """A response whose headers are those it was given; Sanic's adds `content-type: None`."""

    # Whether the length of the body is told; Sanic tells 0 for what has none.
    tells_length = True

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        """The headers as they are sent."""
        return (
            (name.encode("latin-1"), str(value).encode("latin-1"))
            for name, value in self.headers.items()
            if self.tells_length or name.lower() != "content-length"
        )


class SanicAdapter(Adapter):
    """Serves with a route below which every path is the handler's; Sanic's own routes win."""

    name = "sanic"
    package = "sanic"
    asynchronous: ClassVar[bool] = True
    native_lifespan = True
    requirement = "utilmeta[sanic]"
    app: Sanic[Any, Any]

    def __init__(self, frame: Frame, app: Any = None) -> None:
        name = frame.name if re.match(r"[A-Za-z_]", frame.name) else f"_{frame.name}"
        super().__init__(frame, app or Sanic(name))
        self._conversations: set[asyncio.Task[None]] = set()
        hooks = frame.hooks

        async def start(_app: object) -> None:
            await hooks.start_or_raise()

        async def stop(_app: object) -> None:
            await self._end_conversations()
            await hooks.astop()

        self.app.register_listener(start, "before_server_start")
        self.app.register_listener(stop, "after_server_stop")

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a Sanic application."""
        return isinstance(app, Sanic)

    def mount(self, route: str, handler: Handler) -> None:
        """Add routes for the mount point and for everything below it."""

        async def view(request: Request[Any, Any], **_rest: str) -> BaseHTTPResponse | None:
            raw = SanicRequest(request, route)
            if asks_for_socket(request) and is_upgrade(request.method, raw.headers()):
                return await self._converse(request, raw, handler)
            return await self.write(request, await handler.ahandle(raw))

        # Lets Sanic take None for an answer, which a WebSocket's view returns.
        view.is_websocket = True  # type: ignore[attr-defined]
        self.app.enable_websocket()

        label = re.sub(r"\W", "_", route)
        for index, uri in enumerate((route or "/", f"{route}/<rest:path>")):
            self.app.add_route(
                cast("Any", view),
                uri,
                methods=HTTP_METHODS,
                stream=True,
                name=f"utilmeta{label}_{index}",
            )

    def adapt(self, route: str, handler: Handler) -> Any:
        """Mount the handler and return the application."""
        self.mount(route, handler)
        return self.app

    async def _converse(
        self, request: Request[Any, Any], raw: SanicRequest, handler: Handler
    ) -> BaseHTTPResponse | None:
        """Carry on a WebSocket in a task of its own: Sanic cancels its view when a client goes."""
        socket = SanicSocket(request)
        task = asyncio.ensure_future(handler.asocket(raw, socket))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            socket.is_lost = True
            current = asyncio.current_task()
            if socket.wire is None or current is None:
                task.cancel()
                raise
            current.uncancel()
            return None
        task.result()
        if socket.answer is None:
            return None
        status, headers, body = socket.answer
        return await self.write(request, RawResponse(status, list(headers), body))

    async def _end_conversations(self) -> None:
        """Give WebSockets some time to end, then cancel them."""
        if self._conversations:
            await asyncio.wait(set(self._conversations), timeout=DRAIN)
            for task in self._conversations:
                task.cancel()
            await asyncio.gather(*self._conversations, return_exceptions=True)

    async def write(
        self, request: Request[Any, Any], response: RawResponse
    ) -> BaseHTTPResponse | None:
        """Return Sanic's response, or send it here when it streams."""
        body: Any = response.body
        native = _Response(body if isinstance(body, bytes) else None, response.status)
        for name, value in response.headers:
            native.headers.add(name, value)
        if isinstance(body, bytes):
            # A HEAD for a stream knows no length.
            native.tells_length = request.method != "HEAD" or "content-length" in native.headers
            return native
        try:
            stream = await request.respond(native)
            assert stream is not None  # noqa: S101 - given a response, Sanic returns one
            async for chunk in body:
                await stream.send(chunk)
            await stream.eof()
        finally:
            await response.aclose()
        return None

    def application(self) -> Any:
        """Return the application."""
        return self.app

    def run(self, options: RunOptions) -> None:
        """Serve with Sanic's own server: in this process, unless several are asked for."""
        options.banner()
        extra = {"motd": False, "debug": False, "access_log": False, **options.extra}
        several = options.auto_reload or extra.get("fast") or extra.get("workers", 1) > 1
        extra.setdefault("single_process", not several)
        self.app.run(options.host, options.port, auto_reload=options.auto_reload, **extra)

    def prepare_tests(self) -> None:
        """Lift Sanic's limit of one started application."""
        Sanic.test_mode = True

    def version(self) -> str:
        """Return Sanic's version."""
        return version("sanic")


ADAPTER = SanicAdapter
