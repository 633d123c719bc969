"""Django: URL patterns in the project's URLconf, WSGI and ASGI handlers."""

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import Any, ClassVar

import django
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, clear_url_caches, get_resolver, re_path
from django.views.decorators.csrf import csrf_exempt

from utilmeta.core.file.file import CHUNK
from utilmeta.core.response import RawResponse
from utilmeta.core.server.contract import Adapter, Frame, Handler, Hooks, RunOptions
from utilmeta.core.server.gateways.asgi import ASGIRequest as RawASGIRequest
from utilmeta.core.server.gateways.asgi import Lifespan
from utilmeta.core.server.gateways.uvicorn import run_uvicorn
from utilmeta.core.server.gateways.wsgi import WSGIRequest as RawWSGIRequest
from utilmeta.core.setup.options import DjangoSettings

__all__ = ["ADAPTER", "DjangoAdapter", "DjangoSettings"]


class DjangoWSGIRequest(RawWSGIRequest):
    """A raw request whose body Django's middleware may have read already."""

    __slots__ = ()

    def stream(self) -> Iterator[bytes]:
        """Yield the body as it arrives, or as Django has kept it."""
        request: HttpRequest = self.native
        if hasattr(request, "_body"):
            yield request.body
        elif self.content_length() is None:
            yield from super().stream()
        else:
            while chunk := request.read(CHUNK):
                yield chunk


class DjangoASGIRequest(RawASGIRequest):
    """A raw request whose body Django has received, to memory or disk, before the view runs."""

    __slots__ = ()

    async def astream(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        request: HttpRequest = self.native
        if hasattr(request, "_body"):
            yield request.body
            return
        while chunk := request.read(CHUNK):
            yield chunk


class _Headers:
    """Header pairs of a raw response on a Django one, repeats kept."""

    repeats: list[tuple[str, str]]

    def take(self, response: RawResponse) -> None:
        """Replace all headers."""
        native: Any = self
        del native.headers["Content-Type"]
        self.repeats = []
        # The engine logs what is worth a line, once; this keeps Django from a second one.
        native._has_been_logged = True  # noqa: SLF001 - what django.utils.log.log_response asks
        for name, value in response.headers:
            if name == "set-cookie":
                self.repeats.append((name, value))
            else:
                native.headers[name] = value

    def items(self) -> list[tuple[str, str]]:
        """Return all header pairs; what Django's handlers write."""
        native: Any = self
        return [*native.headers.items(), *self.repeats]


class Whole(_Headers, HttpResponse):
    """A response with a whole body."""


class Streamed(_Headers, StreamingHttpResponse):
    """A response whose body comes in pieces."""


class _SyncBody:
    """A sync body that is closed with its response."""

    def __init__(self, response: RawResponse) -> None:
        self._chunks: Any = response.body
        self.close = response.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


async def _async_body(response: RawResponse) -> AsyncIterator[bytes]:
    body: Any = response.body
    try:
        async for chunk in body:
            yield chunk
    finally:
        await response.aclose()


class ServiceWSGIHandler(WSGIHandler):
    """Django's WSGI application; starts the service's hooks before the first request.

    Args:
        hooks: the service's.
    """

    def __init__(self, hooks: Hooks) -> None:
        super().__init__()
        self._start = hooks.start

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        self._start()
        return super().__call__(environ, start_response)


class ServiceASGIHandler(ASGIHandler):
    """Django's ASGI application, which answers lifespan messages too.

    Args:
        hooks: the service's.
    """

    def __init__(self, hooks: Hooks) -> None:
        super().__init__()
        self._hooks = hooks

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await Lifespan(self._hooks)(receive, send)
            return
        await self._hooks.astart()
        await super().__call__(scope, receive, send)


class DjangoAdapter(Adapter):
    """Serves through URL patterns, behind the project's middleware."""

    name = "django"
    package = "django"
    asynchronous: ClassVar[bool] = False
    flexible = True
    requirement = "utilmeta"

    def __init__(self, frame: Frame, app: Any = None) -> None:
        super().__init__(frame, app)
        self.native_lifespan = frame.asynchronous
        self.urlpatterns: list[URLPattern] = []

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
            return self.write(handler.handle(self.read(request, rest)))

        return view

    def _aview(self, handler: Handler) -> Callable[..., Any]:
        async def view(request: ASGIRequest, rest: str | None = None) -> HttpResponseBase:
            return self.write(await handler.ahandle(self.aread(request, rest)))

        return view

    def read(self, request: WSGIRequest, rest: str | None) -> DjangoWSGIRequest:
        """Return a raw request for Django's, under a sync service."""
        prefix = request.path[: len(request.path) - len(rest or "")].rstrip("/")
        # Django has put decoded text into the environment.
        return DjangoWSGIRequest(request.environ, prefix, request.path.encode(), request)

    def aread(self, request: ASGIRequest, rest: str | None) -> DjangoASGIRequest:
        """Return a raw request for Django's, under an async service."""
        root = request.scope.get("root_path") or ""
        path = request.path_info
        prefix = root + path[: len(path) - len(rest or "")].rstrip("/")
        return DjangoASGIRequest(request.scope, _no_receive, prefix, request)

    def write(self, response: RawResponse) -> HttpResponseBase:
        """Return Django's response for a raw one."""
        body: Any = response.body
        native: Whole | Streamed
        if isinstance(body, bytes):
            native = Whole(body, status=response.status)
        elif isinstance(body, AsyncIterator):
            native = Streamed(_async_body(response), status=response.status)
        else:
            native = Streamed(_SyncBody(response), status=response.status)
        native.take(response)
        return native

    def application(self) -> Any:
        """Return a WSGIHandler, an ASGIHandler for an async service, or the user's own handler."""
        self.connect()
        if self.app is not None:
            return self.app
        make: Any = ServiceASGIHandler if self.frame.asynchronous else ServiceWSGIHandler
        return make(self.frame.hooks)

    def connect(self) -> None:
        """Put the patterns at the end of the project's URLconf unless it includes them already."""
        missing = [*self.urlpatterns, *self.frame.patterns()]
        resolver = get_resolver()
        views = {pattern.callback for pattern in self.urlpatterns}
        if not missing or leads_to(resolver.url_patterns, views):
            return
        patterns: list[Any] = resolver.url_patterns
        patterns.extend(missing)
        clear_url_caches()

    def run(self, options: RunOptions) -> None:
        """Serve with runserver; an async service with uvicorn."""
        from django.core.management import call_command, get_commands, load_command_class

        if self.frame.asynchronous:
            run_uvicorn(options.app, options, module_name=self.frame.module_name)
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


def leads_to(patterns: list[Any], views: Collection[Any]) -> bool:
    """Return whether URL patterns lead to one of some views, however deep."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if leads_to(pattern.url_patterns, views):
                return True
        elif pattern.callback in views:
            return True
    return False


async def _no_receive() -> Any:
    return {"type": "http.disconnect"}


ADAPTER = DjangoAdapter
