"""Django: URL patterns in the project's URLconf, WSGI and ASGI handlers."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

import django
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connections
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from utilmeta.core.request import RawRequest
from utilmeta.core.response import RawResponse
from utilmeta.core.server.contract import Adapter, Frame, Handler, Hooks, RunOptions
from utilmeta.core.server.gateways.asgi import Lifespan
from utilmeta.core.server.gateways.django import from_asgi, from_wsgi, to_django
from utilmeta.core.server.gateways.django_entrance import DjangoEntrance, answer_asgi, answer_wsgi
from utilmeta.core.server.gateways.django_observed import RouteTeller
from utilmeta.core.server.gateways.endpoints import Fallback, refuse_sockets
from utilmeta.core.server.gateways.entrance import Routes
from utilmeta.core.server.gateways.observed import observe_asgi, observe_wsgi
from utilmeta.core.server.gateways.uvicorn import run_uvicorn
from utilmeta.core.server.observe import Observer
from utilmeta.core.server.patterns import connect_patterns
from utilmeta.core.setup.options import DjangoSettings

__all__ = ["ADAPTER", "DjangoAdapter", "DjangoSettings"]


class ServiceWSGIHandler(WSGIHandler):
    """Django's WSGI application; starts the service's hooks before the first request.

    Args:
        hooks: the service's.
        entrance: answers what need not go through Django's handler.
    """

    def __init__(self, hooks: Hooks, entrance: DjangoEntrance) -> None:
        super().__init__()
        self._hooks = hooks
        self._entrance = entrance

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        if not self._hooks.started:
            self._hooks.start()
        answer = answer_wsgi(self._entrance, environ, start_response)
        return super().__call__(environ, start_response) if answer is None else answer


class ServiceASGIHandler(ASGIHandler):
    """Django's ASGI application, which answers lifespan messages and carries WebSockets too.

    Args:
        hooks: the service's.
        sockets: takes WebSockets, which Django has not.
        entrance: answers what need not go through Django's handler.
    """

    def __init__(self, hooks: Hooks, sockets: Fallback, entrance: DjangoEntrance) -> None:
        super().__init__()
        self._hooks = hooks
        self._sockets = sockets
        self._entrance = entrance

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await Lifespan(self._hooks)(receive, send)
            return
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        if not self._hooks.started:
            await self._hooks.astart()
        if not await answer_asgi(self._entrance, scope, receive, send):
            await super().__call__(scope, receive, send)


class ObservedWSGIHandler(RouteTeller, ServiceWSGIHandler):
    """The same, watched.

    Args:
        hooks: the service's.
        entrance: answers what need not go through Django's handler.
        observer: tells of requests.
    """

    def __init__(self, hooks: Hooks, entrance: DjangoEntrance, observer: Observer) -> None:
        super().__init__(hooks, entrance)
        self._observer = observer

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        return observe_wsgi(self._observer, super().__call__, environ, start_response)


class ObservedASGIHandler(RouteTeller, ServiceASGIHandler):
    """The same, watched.

    Args:
        hooks: the service's.
        sockets: takes WebSockets, which Django has not.
        entrance: answers what need not go through Django's handler.
        observer: tells of requests.
    """

    def __init__(
        self, hooks: Hooks, sockets: Fallback, entrance: DjangoEntrance, observer: Observer
    ) -> None:
        super().__init__(hooks, sockets, entrance)
        self._observer = observer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] == "http":
            await observe_asgi(self._observer, super().__call__, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class DjangoAdapter(Adapter):
    """Serves through URL patterns, behind the project's middleware."""

    name = "django"
    package = "django"
    asynchronous: ClassVar[bool] = False
    # A URL pattern sees no WebSockets; they are carried by the service's own application.
    adapts_sockets: ClassVar[bool] = False
    requirement = "utilmeta"

    def __init__(self, frame: Frame, app: Any = None) -> None:
        super().__init__(frame, app)
        self.native_lifespan = frame.asynchronous
        self.urlpatterns: list[URLPattern] = []
        self._sockets = Fallback(refuse_sockets)
        self._routes = Routes()
        self._entrance: DjangoEntrance | None = None

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a handler made by Django."""
        return isinstance(app, WSGIHandler | ASGIHandler)

    @classmethod
    def mode_of(cls, app: object) -> bool:
        """Return whether an application object is an ASGI handler."""
        return isinstance(app, ASGIHandler)

    def mount(self, route: str, handler: Handler) -> None:
        """Add a URL pattern to those of `utilmeta.urls`."""
        self.urlpatterns.append(self.adapt(route, handler))
        self._sockets.add(route, handler)
        self._routes.add(route, handler)

    def adapt(self, route: str, handler: Handler) -> URLPattern:
        """Return a URL pattern for the route and everything below it."""
        prefix = re.escape(route.strip("/"))
        # Any character, line breaks included, in a form that Django's reverse() can read.
        anything = r"[\s\S]*"
        pattern = rf"^{prefix}(/{anything})?\Z" if prefix else rf"^({anything})\Z"
        view = self._aview(handler) if self.frame.asynchronous else self._view(handler)
        name = "utilmeta" + route.replace("/", "-")
        return re_path(pattern, csrf_exempt(view), name=name)

    def _view(self, handler: Handler) -> Callable[..., HttpResponseBase]:
        def view(request: WSGIRequest, rest: str | None = None) -> HttpResponseBase:
            response = handler.handle(self.read(request, rest))
            if response.error is not None:
                roll_back_requests()
            return self.write(response)

        return view

    def _aview(self, handler: Handler) -> Callable[..., Any]:
        async def view(request: ASGIRequest, rest: str | None = None) -> HttpResponseBase:
            return self.write(await handler.ahandle(self.aread(request, rest)))

        return view

    def read(self, request: WSGIRequest, rest: str | None) -> RawRequest:
        """Return a raw request for Django's, under a sync service."""
        return from_wsgi(request, rest)

    def aread(self, request: ASGIRequest, rest: str | None) -> RawRequest:
        """Return a raw request for Django's, under an async service."""
        return from_asgi(request, rest)

    def write(self, response: RawResponse) -> HttpResponseBase:
        """Return Django's response for a raw one."""
        return to_django(response)

    def application(self) -> Any:
        """Return a WSGIHandler, an ASGIHandler for an async service, or the user's own handler."""
        self.connect()
        if self.app is not None:
            return self.app
        entrance = self._entrance = DjangoEntrance(self._routes, self.urlpatterns)
        observer = self.frame.observer()
        if observer is not None:
            if self.frame.asynchronous:
                return ObservedASGIHandler(self.frame.hooks, self._sockets, entrance, observer)
            return ObservedWSGIHandler(self.frame.hooks, entrance, observer)
        if self.frame.asynchronous:
            return ServiceASGIHandler(self.frame.hooks, self._sockets, entrance)
        return ServiceWSGIHandler(self.frame.hooks, entrance)

    def entrance(self) -> str | None:
        """Return why requests go through Django's handler; None when they need not."""
        if self._entrance is None:
            return "the handler is the project's own"
        return self._entrance.watch.reason()

    def connect(self) -> None:
        """Put the patterns at the end of the project's URLconf unless it includes them already."""
        missing = [*self.urlpatterns, *self.frame.patterns()]
        connect_patterns(missing, {pattern.callback for pattern in self.urlpatterns})

    def run(self, options: RunOptions) -> None:
        """Serve with runserver; an async service with uvicorn."""
        from django.core.management import call_command, get_commands, load_command_class

        if self.frame.asynchronous:
            run_uvicorn(options.app, options, self.frame)
            return
        options.banner()
        found = get_commands()["runserver"]
        command: Any = load_command_class(found, "runserver") if isinstance(found, str) else found
        if not self.frame.has_databases:
            # Nothing to migrate, and looking would make an SQLite file.
            command.check_migrations = lambda: None
        address = f"[{options.host}]" if ":" in options.host else options.host
        extra = {"use_reloader": options.auto_reload, **options.extra}
        call_command(command, f"{address}:{options.port}", use_ipv6=":" in options.host, **extra)

    def version(self) -> str:
        """Return Django's version."""
        return django.get_version()


def roll_back_requests() -> None:
    """Take back what a failed request wrote where Django runs it in a transaction.

    With ATOMIC_REQUESTS Django rolls back when a view raises; here the exception has become an
    answer already.
    """
    opened: Any = connections.all(initialized_only=True)
    for connection in opened:
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


ADAPTER = DjangoAdapter
