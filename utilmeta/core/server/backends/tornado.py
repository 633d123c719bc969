"""Tornado: a message delegate beside the application's handlers."""

import asyncio
import logging
import signal
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
)
from tornado.routing import Matcher, Rule
from tornado.web import Application

from utilmeta.core.request.socket import is_upgrade
from utilmeta.core.server.backends.tornado_exchange import Exchange, TornadoRequest
from utilmeta.core.server.backends.tornado_observed import observe
from utilmeta.core.server.backends.tornado_socket import SocketHandler
from utilmeta.core.server.contract import (
    DRAIN,
    SETTLE,
    Adapter,
    Frame,
    Handler,
    RunOptions,
)
from utilmeta.core.server.gateways.entrance import Reason, Routes, Watch

# Seconds that clients of WebSockets are given to answer a close frame then.
ECHO = 0.2


class Choice(HTTPMessageDelegate):
    """One request, before it is known what answers it.

    Args:
        server_connection: what Tornado's server knows the connection by.
        connection: where the answer goes.
    """

    def __init__(self, server_connection: object, connection: HTTPConnection) -> None:
        self.server_connection = server_connection
        self.connection = connection
        self._to: Any = None

    def choose(self, start: RequestStartLine, headers: HTTPHeaders) -> Any:
        """Return the delegate that answers a request."""
        raise NotImplementedError

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Any:
        """Choose, and hand over."""
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - a server gets requests
        self._to = self.choose(start_line, headers)
        # What follows goes there at once.
        self.data_received = self._to.data_received  # type: ignore[method-assign]
        self.finish = self._to.finish  # type: ignore[method-assign]
        return self._to.headers_received(start_line, headers)

    def on_connection_close(self) -> None:
        """Tell that the client is gone."""
        if self._to is not None:
            self._to.on_connection_close()


class Switch(Choice):
    """One request: an exchange, or a WebSocket when it asks for one.

    Args:
        delegate: knows where requests go.
        server_connection: see `Choice`.
        connection: see `Choice`.
    """

    def __init__(
        self, delegate: "Delegate", server_connection: object, connection: HTTPConnection
    ) -> None:
        super().__init__(server_connection, connection)
        self._delegate = delegate

    def choose(self, start: RequestStartLine, headers: HTTPHeaders) -> Any:
        """Return the exchange, or what carries on the WebSocket."""
        if "Upgrade" in headers and is_upgrade(start.method, list(headers.get_all())):
            return self._delegate.socket(start, headers, self.server_connection, self.connection)
        return self._delegate.exchange(self.connection)


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
        return Exchange(self._adapter.exchanges, self._handler, self._route, connection)

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


class ServiceApplication(Application):
    """Tornado's application of a service that was given none.

    Attributes:
        routes: the handlers.
        exchanges: requests in flight.
        watch: whether requests need Tornado's routing.
    """

    def __init__(self, exchanges: "set[asyncio.Task[None]]") -> None:
        super().__init__(debug=False)
        self.routes = Routes()
        self.exchanges = exchanges
        self.watch = Watch(self._facts, self._judge)

    def _facts(self) -> Any:
        return len(self.default_router.rules), tuple(self.wildcard_router.rules)

    def _judge(self) -> Reason:
        """Return why requests go through Tornado's routing; None when they need not."""
        if len(self.default_router.rules) != 1:
            return "handlers of the application for a host"
        for rule in self.wildcard_router.rules:
            if not isinstance(rule.target, Delegate):
                return "the application's own handlers"
        return None

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Return the delegate for one request."""
        return Entry(self, server_conn, request_conn)

    def through_routing(self, server_conn: object, request_conn: HTTPConnection) -> Any:
        """Return the delegate for a request that needs Tornado's routing."""
        return super().start_request(server_conn, request_conn)


class Entry(Choice):
    """One request, before it is known whether it needs Tornado's routing.

    Args:
        app: the application.
        server_connection: see `Choice`.
        connection: see `Choice`.
    """

    def __init__(
        self, app: ServiceApplication, server_connection: object, connection: HTTPConnection
    ) -> None:
        super().__init__(server_connection, connection)
        self._app = app

    def choose(self, start: RequestStartLine, headers: HTTPHeaders) -> Any:
        """Return an exchange, or what Tornado's routing chooses."""
        app, found = self._app, None
        if "Upgrade" not in headers and app.watch.reason() is None:
            found = app.routes.find(start.path.partition("?")[0])
        if found is None:
            return app.through_routing(self.server_connection, self.connection)
        route, handler = found
        return Exchange(app.exchanges, handler, route, self.connection)


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
        self._is_observed = False
        self.exchanges: set[asyncio.Task[None]] = set()
        self.conversations: set[asyncio.Task[None]] = set()

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a Tornado application."""
        return isinstance(app, Application)

    def mount(self, route: str, handler: Handler) -> None:
        """Add a rule after the application's own."""
        app = self.application()
        observer = self.frame.observer()
        if observer is not None and not self._is_observed:
            self._is_observed = True
            observe(app, observer)
            if self.frame.has_access_log:
                logging.getLogger("tornado.access").disabled = True
        app.wildcard_router.add_rules([self._rule(route, handler)])
        if isinstance(app, ServiceApplication):
            app.routes.add(route, handler)

    def _rule(self, route: str, handler: Handler) -> Rule:
        return Rule(Below(route), Delegate(self, handler, route))

    def adapt(self, route: str, handler: Handler) -> Any:
        """Return a routing rule, or the application it was added to when there is one."""
        if self.app is None:
            return self._rule(route, handler)
        self.mount(route, handler)
        return self.app

    def application(self) -> Application:
        """Return the application."""
        if self.app is None:
            self.app = ServiceApplication(self.exchanges)
        return self.app

    def entrance(self) -> str | None:
        """Return why requests go through Tornado's routing; None when they need not."""
        app = self.application()
        if not isinstance(app, ServiceApplication):
            return "the application is the project's own"
        return app.watch.reason()

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
        if options.listening is None:
            server.listen(options.port, options.host)
        else:
            options.listening.setblocking(False)
            server.add_socket(options.listening)
        options.banner()
        try:
            await ended.wait()
            self.frame.hooks.drain()
            if options.listening is None:
                # Otherwise the supervisor has waited.
                await asyncio.sleep(self.frame.grace)
            server.stop()
            await asyncio.sleep(SETTLE)
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
