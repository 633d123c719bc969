"""Django's own views, watched: by the service's handlers, or by a middleware of a project's own."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from utilmeta.conf import current
from utilmeta.core.request import RawRequest
from utilmeta.core.server.gateways.django import from_asgi, from_wsgi
from utilmeta.core.server.observe import GONE, Observer, Seen, current_seen
from utilmeta.core.server.observe.handler import AsyncTap, Tap
from utilmeta.core.server.observe.routes import django_route


class RouteTeller:
    """Tells which pattern of Django's URLs a request has been found at; for Django's handlers."""

    def resolve_request(self, request: HttpRequest) -> Any:
        """Return what Django has found, and note its template."""
        inner: Any = super()
        match = inner.resolve_request(request)
        seen = current_seen()
        if seen is not None:
            seen.route = django_route(match)
        return match


class ObserveMiddleware:
    """Watches the requests of a Django project that serves through a handler of its own.

    To stand first in `MIDDLEWARE` where the project's `wsgi.py` or `asgi.py` calls
    `get_wsgi_application()` or `get_asgi_application()`; the service's own applications need none.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response: Any = get_response
        service: Any = current.get()
        observer = None if service is None else service.setup().observer
        if observer is None:
            raise MiddlewareNotUsed("nothing watches: use Logging(), Metrics() or Tracing()")
        self._observer: Observer = observer
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer one request."""
        if self._is_async:
            return self._acall(request)
        if current_seen() is not None:
            response: HttpResponseBase = self._get_response(request)
            return response
        seen = self._observer.begin(_raw(request))
        with self._observer.watch(seen):
            response = self._get_response(request)
        return self._finish(seen, request, response)

    async def _acall(self, request: Any) -> HttpResponseBase:
        if current_seen() is not None:
            response: HttpResponseBase = await self._get_response(request)
            return response
        seen = self._observer.begin(_raw(request))
        with self._observer.watch(seen):
            response = await self._get_response(request)
        return self._finish(seen, request, response)

    def _finish(self, seen: Seen, request: Any, response: Any) -> HttpResponseBase:
        """Give the answer the request's id, and tell of its end when it is closed."""
        found: HttpResponseBase = response
        match = getattr(request, "resolver_match", None)
        if seen.route is None and match is not None:
            seen.route = django_route(match)
        seen.status = response.status_code or GONE
        if self._observer.header is not None and seen.id is not None:
            response.headers[self._observer.header] = seen.id
        if response.streaming:
            seen.size = 0
            kind = AsyncTap if response.is_async else Tap
            response.streaming_content = kind(response.streaming_content, seen, self._observer)
        else:
            seen.size = len(response.content)
        close = response.close

        def closed() -> None:
            try:
                close()
            finally:
                self._observer.end(seen)

        response.close = closed
        return found


def _raw(request: Any) -> RawRequest:
    """Return what stands for Django's request, its whole path below no route."""
    if hasattr(request, "environ"):
        return from_wsgi(request, request.path)
    return from_asgi(request, request.path_info)
