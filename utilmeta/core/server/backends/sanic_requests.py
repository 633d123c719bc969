"""Sanic's own requests and responses: raw requests over them, raw responses as them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from sanic import HTTPResponse, Request
from sanic.compat import Header
from sanic.response import BaseHTTPResponse

from utilmeta.core.request.raw import HeaderPairs, RawRequest, locate_encoded, locate_plain
from utilmeta.core.response import RawResponse
from utilmeta.core.server.contract import depth_of


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
        sent = native.raw_url
        path = sent.partition(b"?")[0]
        plain = None if b"%" in path else locate_plain(path.decode("latin-1"), route)
        self.path, self.segments, self.fault = plain or locate_encoded(sent, depth_of(route))

    def _late_query(self) -> str:
        return self.native.query_string

    def _late_scheme(self) -> str:
        scope = getattr(self.native.transport, "scope", None)
        if scope is not None:
            # Under another server of ASGI's, which tells it there.
            return "https" if scope.get("scheme") in {"https", "wss"} else "http"
        info = self.native.conn_info
        return "https" if info is not None and info.ssl else "http"

    def _late_server(self) -> tuple[str, int | None] | None:
        info = self.native.conn_info
        if info is None or not info.server:
            return None
        return info.server.removesuffix(f":{info.server_port}"), info.server_port

    def _late_client(self) -> tuple[str, int] | None:
        info = self.native.conn_info
        return (info.client_ip, info.client_port) if info is not None and info.client_ip else None

    def header(self, name: str) -> str | None:
        """Return the value of a header given in lower case, repeats joined by `, `."""
        found = self.native.headers.getall(name, None)
        return None if found is None else ", ".join(map(_latin, found))

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


async def write(request: Request[Any, Any], response: RawResponse) -> BaseHTTPResponse | None:
    """Return Sanic's response, or send it here when it streams."""
    body: Any = response.body
    native = _Response(body if isinstance(body, bytes) else None, response.status)
    native.headers = Header(response.headers)
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
