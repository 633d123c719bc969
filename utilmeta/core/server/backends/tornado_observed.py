"""Requests of a Tornado application that are watched, those of its own handlers too."""

import asyncio
from collections.abc import Callable
from typing import Any

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import Application

from utilmeta.core.server.backends.tornado_exchange import TornadoRequest
from utilmeta.core.server.observe import Observer, Seen


def observe(app: Application, observer: Observer) -> None:
    """Watch the requests of an application; WebSockets are watched where they are carried on."""
    inner: Any = app.start_request

    def start_request(server_conn: object, request_conn: Any) -> Any:
        connection = _Connection(request_conn, observer)
        return _Delegate(inner(server_conn, connection), connection, observer)

    app.start_request = start_request  # type: ignore[method-assign]


class _Connection:
    """Where an answer goes: adds the request's id, and counts bytes.

    Args:
        inner: Tornado's connection.
        observer: tells of the request.
    """

    def __init__(self, inner: Any, observer: Observer) -> None:
        self.inner = inner
        self.seen: Seen | None = None
        self._on_close: Callable[[], None] | None = None
        self._observer = observer

    def __getattr__(self, name: str) -> Any:
        """Return what the connection itself has."""
        return getattr(self.inner, name)

    def begin(self, seen: Seen) -> None:
        """Note the request, and learn when its client goes away."""
        self.seen = seen
        self.inner.set_close_callback(self._gone)

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Tell somebody else too when the client goes away."""
        self._on_close = callback
        self.inner.set_close_callback(callback if self.seen is None else self._gone)

    def _gone(self) -> None:
        if self._on_close is not None:
            self._on_close()
        if self.seen is not None:
            self._observer.end(self.seen, asyncio.CancelledError())

    def write_headers(
        self, start_line: Any, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Any:
        """Begin the answer."""
        seen, header = self.seen, self._observer.header
        if seen is not None:
            seen.status = start_line.code
            seen.size = len(chunk or b"")
            if header is not None and seen.id is not None:
                headers[header] = seen.id
        return self.inner.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> Any:
        """Send a piece of the body."""
        if self.seen is not None:
            self.seen.size = (self.seen.size or 0) + len(chunk)
        return self.inner.write(chunk)

    def finish(self) -> None:
        """End the answer, and with it the request."""
        self.inner.finish()
        if self.seen is not None:
            self._observer.end(self.seen)


class _Delegate(HTTPMessageDelegate):
    """One request: its handler runs with the request in force.

    Args:
        inner: the application's delegate.
        connection: where the answer goes.
        observer: tells of the request.
    """

    def __init__(self, inner: Any, connection: _Connection, observer: Observer) -> None:
        self._inner = inner
        self._connection = connection
        self._observer = observer

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Any:
        """Begin to watch."""
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - a server gets requests
        if "Upgrade" not in headers:
            raw = TornadoRequest(start_line, headers, self._connection.inner, "")
            self._connection.begin(self._observer.begin(raw))
        return self._within(self._inner.headers_received, start_line, headers)

    def _within(self, call: Any, *args: Any) -> Any:
        seen = self._connection.seen
        if seen is None:
            return call(*args)
        with self._observer.within(seen):
            return call(*args)

    def data_received(self, chunk: bytes) -> Any:
        """Hand a chunk of the body over."""
        return self._within(self._inner.data_received, chunk)

    def finish(self) -> None:
        """Mark the end of the body; Tornado's own handlers begin here."""
        self._within(self._inner.finish)

    def on_connection_close(self) -> None:
        """Tell that the client is gone."""
        self._within(self._inner.on_connection_close)
        if self._connection.seen is not None:
            self._observer.end(self._connection.seen, asyncio.CancelledError())
