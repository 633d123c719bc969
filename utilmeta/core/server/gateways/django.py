"""Django's own requests and responses: raw requests over them, raw responses as them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from utilmeta.core.file.file import CHUNK
from utilmeta.core.request import RawRequest
from utilmeta.core.response import RawResponse
from utilmeta.core.server.gateways.asgi import ASGIRequest as RawASGIRequest
from utilmeta.core.server.gateways.wsgi import Chunks
from utilmeta.core.server.gateways.wsgi import WSGIRequest as RawWSGIRequest


class DjangoWSGIRequest(RawWSGIRequest):
    """A raw request whose body Django's middleware may have read already."""

    __slots__ = ()

    read = RawRequest.read

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


async def _async_body(response: RawResponse) -> AsyncIterator[bytes]:
    body: Any = response.body
    try:
        async for chunk in body:
            yield chunk
    finally:
        await response.aclose()


def from_wsgi(request: WSGIRequest, rest: str | None) -> DjangoWSGIRequest:
    """Return a raw request for Django's, under a sync service.

    Args:
        request: Django's.
        rest: what the URL patterns have left of the path.
    """
    prefix = request.path[: len(request.path) - len(rest or "")].rstrip("/")
    # Django has decoded the path to text.
    path = request.path.encode().decode("latin-1")
    return DjangoWSGIRequest(request.environ, prefix, path, request)


def from_asgi(request: ASGIRequest, rest: str | None) -> DjangoASGIRequest:
    """Return a raw request for Django's, under an async service; see `from_wsgi`."""
    root = request.scope.get("root_path") or ""
    path = request.path_info
    prefix = root + path[: len(path) - len(rest or "")].rstrip("/")
    return DjangoASGIRequest(request.scope, _no_receive, prefix, request)


def to_django(response: RawResponse) -> HttpResponseBase:
    """Return Django's response for a raw one."""
    body: Any = response.body
    native: Whole | Streamed
    if isinstance(body, bytes):
        native = Whole(body, status=response.status)
    elif isinstance(body, AsyncIterator):
        native = Streamed(_async_body(response), status=response.status)
    else:
        native = Streamed(Chunks(response), status=response.status)
    native.take(response)
    return native


async def _no_receive() -> Any:
    return {"type": "http.disconnect"}
