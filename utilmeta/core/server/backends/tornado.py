"""Tornado: a message delegate beside the application's handlers."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Any, ClassVar

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
    format_timestamp,
)
from tornado.iostream import StreamClosedError
from tornado.routing import Matcher, Rule
from tornado.web import Application

from utilmeta.core.request.raw import HeaderPairs, RawRequest, locate_encoded
from utilmeta.core.request.socket import is_upgrade
from utilmeta.core.response import RawResponse
from utilmeta.core.server.backends.tornado_socket import SocketHandler
from utilmeta.core.server.contract import Adapter, Frame, Handler, RunOptions, depth_of
from utilmeta.utils.exceptions.http import phrase_of

# Chunks of a request body that may wait for the endpoint before the client has to.
_QUEUED = 16
# Seconds that requests in flight are given when the process is told to end.
DRAIN = 30.0
# Seconds that clients of WebSockets are given to answer a close frame then.
ECHO = 0.2


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
        location = locate_encoded(target.encode("latin-1", "replace"), depth_of(route))
        self.path, self.segments, self.fault = location
        context = connection.context
        self.scheme = context.protocol
        self.server = None
        is_unix = context.address_family not in (socket.AF_INET, socket.AF_INET6)
        port = context.address[1] if not is_unix and context.address else 0
        self.client = None if is_unix else (context.remote_ip, port)
        self.body: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUED)

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
        # Whoever reads again finds the end again.
        self.body.put_nowait(None)


class Exchange(HTTPMessageDelegate):
    """One request and its answer.

    Args:
        adapter: counts the exchange while it lasts.
        handler: answers it.
        route: the route it is mounted at.
        connection: where the answer goes.
    """

    def __init__(
        self, adapter: "TornadoAdapter", handler: Handler, route: str, connection: HTTPConnection
    ) -> None:
        self._adapter = adapter
        self._handler = handler
        self._route = route
        self._connection = connection
        self._raw: TornadoRequest | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Future[None] | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Begin to answer; the body follows."""
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - a server gets requests
        self._raw = TornadoRequest(start_line, headers, self._connection, self._route)
        self._task = asyncio.ensure_future(self._answer(self._raw))
        self._adapter.exchanges.add(self._task)
        self._task.add_done_callback(self._adapter.exchanges.discard)

    async def data_received(self, chunk: bytes) -> None:
        """Hand a chunk of the body over; waits while too many are unread."""
        if self._raw is not None and self._task is not None and not self._task.done():
            putting = asyncio.ensure_future(self._raw.body.put(chunk))
            await asyncio.wait({putting, self._task}, return_when=asyncio.FIRST_COMPLETED)
            putting.cancel()

    def finish(self) -> None:
        """Mark the end of the body."""
        if self._raw is not None:
            self._ending = asyncio.ensure_future(self._raw.body.put(None))

    def on_connection_close(self) -> None:
        """Give up: nobody waits for the answer."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, raw: TornadoRequest) -> None:
        response = await self._handler.ahandle(raw)
        try:
            await self._adapter.write(self._connection, response)
        except StreamClosedError:
            # The client went away; the body is closed below.
            pass
        finally:
            await response.aclose()


class Switch(HTTPMessageDelegate):
    """One request: an exchange, or a WebSocket when it asks for one.

    Args:
        delegate: knows where requests go.
        server_connection: what Tornado's server knows the connection by.
        connection: where the answer goes.
    """

    def __init__(
        self, delegate: "Delegate", server_connection: object, connection: HTTPConnection
    ) -> None:
        self._delegate = delegate
        self._server_connection = server_connection
        self._connection = connection
        self._to: Any = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Any:
        """Decide, and hand over."""
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - a server gets requests
        if is_upgrade(start_line.method, list(headers.get_all())):
            self._to = self._delegate.socket(
                start_line, headers, self._server_connection, self._connection
            )
        else:
            self._to = self._delegate.exchange(self._connection)
        return self._to.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        """Hand a chunk of the body over."""
        return self._to.data_received(chunk)

    def finish(self) -> None:
        """Mark the end of the body."""
        self._to.finish()

    def on_connection_close(self) -> None:
        """Tell that the client is gone."""
        if self._to is not None:
            self._to.on_connection_close()


class Delegate(HTTPServerConnectionDelegate):
    """Makes an exchange of each request below a route.

    Args:
        adapter: counts the exchanges.
        handler: answers them.
        route: the route it is mounted at.
    """

    def __init__(self, adapter: "TornadoAdapter", handler: Handler, route: str) -> None:
        self._adapter = adapter
        self._handler = handler
        self._route = route

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> Switch:
        """Return the delegate for one request."""
        return Switch(self, server_conn, request_conn)

    def exchange(self, connection: HTTPConnection) -> Exchange:
        """Return the delegate for a request and its answer."""
        return Exchange(self._adapter, self._handler, self._route, connection)

    def socket(
        self, start: RequestStartLine, headers: HTTPHeaders, server: object, connection: Any
    ) -> Any:
        """Return the delegate for a request that opens a WebSocket."""
        raw = TornadoRequest(start, headers, connection, self._route)
        native = HTTPServerRequest(
            connection=connection, server_connection=server, start_line=start, headers=headers
        )
        options = {
            "carry_on": lambda socket: self._handler.asocket(raw, socket),
            "tasks": self._adapter.conversations,
        }
        # Its settings are the user's: websocket_max_message_size, websocket_ping_interval.
        app = self._adapter.app or Application()
        return app.get_handler_delegate(native, SocketHandler, options)


class Below(Matcher):
    """Matches a route and everything below it.

    Args:
        route: without a trailing slash.
    """

    def __init__(self, route: str) -> None:
        self._route = route

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return no parameters when the path is at or below the route, else None."""
        path = request.path or ""
        inside = not self._route or path == self._route or path.startswith(self._route + "/")
        return {} if inside else None


class TornadoAdapter(Adapter):
    """Serves with a delegate after the application's own handlers."""

    name = "tornado"
    package = "tornado"
    asynchronous: ClassVar[bool] = True
    native_lifespan = True
    requirement = "utilmeta[tornado]"
    app: Application | None

    def __init__(self, frame: Frame, app: Any = None) -> None:
        super().__init__(frame, app)
        self.exchanges: set[asyncio.Task[None]] = set()
        self.conversations: set[asyncio.Task[None]] = set()

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a Tornado application."""
        return isinstance(app, Application)

    def mount(self, route: str, handler: Handler) -> None:
        """Add a rule after the application's own."""
        self.application().wildcard_router.add_rules([self._rule(route, handler)])

    def _rule(self, route: str, handler: Handler) -> Rule:
        return Rule(Below(route), Delegate(self, handler, route))

    def adapt(self, route: str, handler: Handler) -> Any:
        """Return a routing rule, or the application it was added to when there is one."""
        if self.app is None:
            return self._rule(route, handler)
        self.mount(route, handler)
        return self.app

    async def write(self, connection: HTTPConnection, response: RawResponse) -> None:
        """Send a response."""
        fields = HTTPHeaders()
        for name, value in response.headers:
            fields.add(name, value)
        fields.add("Date", format_timestamp(time.time()))
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

    def application(self) -> Application:
        """Return the application."""
        if self.app is None:
            self.app = Application(debug=False)
        return self.app

    def run(self, options: RunOptions) -> None:
        """Serve on an event loop; SIGTERM and SIGINT let requests in flight finish."""
        asyncio.run(self._serve(options))

    async def _serve(self, options: RunOptions) -> None:
        await self.frame.hooks.start_or_raise()
        if options.auto_reload:
            from tornado import autoreload

            autoreload.start()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, ended, number)
        server = HTTPServer(self.application(), **options.extra)
        server.listen(options.port, options.host)
        options.banner()
        try:
            await ended.wait()
            server.stop()
            if self.exchanges:
                await asyncio.wait(set(self.exchanges), timeout=DRAIN)
            await self._end_conversations()
            await server.close_all_connections()
        finally:
            await self.frame.hooks.astop()

    async def _end_conversations(self) -> None:
        """Cancel WebSockets, which closes them, and let the close frames go out."""
        open_ones = set(self.conversations)
        for task in open_ones:
            task.cancel()
        if open_ones:
            await asyncio.wait(open_ones, timeout=DRAIN)
            await asyncio.sleep(ECHO)

    def _end(self, ended: asyncio.Event, number: int) -> None:
        # A second signal ends the process at once.
        asyncio.get_running_loop().remove_signal_handler(number)
        ended.set()

    def caller(self, app: Any) -> Any:
        """Return what calls the application the way Tornado's server does."""
        from utilmeta.core.server.backends.tornado_inprocess import TornadoCaller

        return TornadoCaller(app, self.frame.hooks)

    def version(self) -> str:
        """Return Tornado's version."""
        return version("tornado")


ADAPTER = TornadoAdapter
