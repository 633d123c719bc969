"""When, and how, requests are answered before Sanic's routing."""

from typing import Any

from sanic import Request, Sanic
from sanic.constants import HTTPMethod

from utilmeta.core.server.backends.sanic_requests import SanicRequest, asks_for_socket, write
from utilmeta.core.server.gateways.entrance import Reason, Routes, Watch, literal_of

# As Sanic's routing knows them: it compares the letters as they are.
_METHODS = frozenset(str(method.value) for method in HTTPMethod)


class SanicEntrance:
    """Answers requests before the application, as long as nothing of it could see them.

    Args:
        app: the application.

    Attributes:
        routes: the handlers.
        views: Sanic's handlers that lead to them.
        own_middleware: of ours, which does nothing to requests for the handlers.
        watch: whether it is open.

    Source: sanic.app.Sanic.handle_request, of Sanic 25.12.
    """

    def __init__(self, app: Sanic[Any, Any]) -> None:
        self._app = app
        self.routes = Routes()
        self.views: set[Any] = set()
        self.own_middleware = 0
        self._native: dict[str, list[Any]] = {}
        self.watch = Watch(self._facts, self._judge)

    def _facts(self) -> Any:
        app = self._app
        return (
            len(app.request_middleware) - self.own_middleware,
            len(app.response_middleware) - self.own_middleware,
            len(app.named_request_middleware),
            len(app.named_response_middleware),
            len(app._future_signals),  # noqa: SLF001 - there is no public list of them
            len(app.signal_router.name_index),
            len(app.router.name_index),
        )

    def _judge(self) -> Reason:
        app = self._app
        if any(self._facts()[:4]):
            return "middleware of the application"
        self._native.clear()
        events = [
            *(signal.event for signal in app._future_signals),  # noqa: SLF001
            *(signal.path for signal in app.signal_router.routes),
        ]
        if any(str(event).startswith("http.") for event in events):
            return "a handler of one of Sanic's http signals"
        for route in app.router.routes:
            path = "/" + literal_of(route.path, "<")
            if route.handler in self.views:
                self._native.setdefault(path.rstrip("/"), []).append(route)
            elif self.routes.crossed_by(path):
                return f"the application's own route /{route.path}"
        return None

    async def answer(self, request: Request[Any, Any]) -> bool:
        """Answer one request; returns False when nothing was done."""
        is_usual = request.method in _METHODS and not asks_for_socket(request)
        if not is_usual or self.watch.reason() is not None:
            return False
        found = self.routes.find(request.path)
        if found is None:
            return False
        route, handler = found
        self._tell(request, route)
        try:
            if request.stream and request.stream.request_body:
                # It is the engine that limits bodies, as they are read.
                request.stream.request_max_size = float("inf")
            native = await write(request, await handler.ahandle(SanicRequest(request, route)))
            if native is not None:
                response = await request.respond(native)
                if response is not None:
                    await response.send(end_stream=True)
        except Exception as exc:
            await self._app.handle_exception(request, exc, run_middleware=False)
        return True

    def _tell(self, request: Request[Any, Any], route: str) -> None:
        """Let a request know its route, as Sanic's routing does."""
        rest = request.path[len(route) + 1 :]
        for native in self._native.get(route, ()):
            if bool(native.params) == bool(rest):
                request.route = native
                request._match_info = {"rest": rest} if rest else {}  # noqa: SLF001 - as Sanic does


class ServiceSanic(Sanic[Any, Any]):
    """Sanic's application of a service that was given none.

    Args:
        name: name of the application.
        keeps_logging: whether logging is configured, so that Sanic leaves it alone.

    Attributes:
        entrance: answers what need not go through Sanic's routing.
    """

    __slots__ = ("entrance",)

    def __init__(self, name: str, *, keeps_logging: bool = False) -> None:
        super().__init__(name, configure_logging=not keeps_logging)
        self.entrance = SanicEntrance(self)

    async def handle_request(self, request: Request[Any, Any]) -> None:
        """Answer one request."""
        if not await self.entrance.answer(request):
            await super().handle_request(request)
