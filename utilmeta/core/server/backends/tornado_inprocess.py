"""A Tornado application called without a socket, the way its HTTP server calls it."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate, RequestStartLine

from utilmeta.core.server.contract import Hooks
from utilmeta.core.server.inprocess import CHUNK, Received, Sent, settle


class _Context:
    """What Tornado knows of the socket."""

    address_family = socket.AF_INET

    def __init__(self, sent: Sent) -> None:
        self.protocol = sent.scheme
        self.address = sent.client
        self.remote_ip = sent.client[0]


class _Connection:
    """Stands for Tornado's connection: keeps what is written."""

    def __init__(self, sent: Sent) -> None:
        self.context = _Context(sent)
        self.finished = asyncio.Event()
        self.start: Any = None
        self.fields: Any = None
        self.body = bytearray()

    def _done(self) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def write_headers(self, start: Any, fields: Any, chunk: bytes | None = None) -> Any:
        """Keep the head."""
        self.start, self.fields = start, fields
        self.body += chunk or b""
        return self._done()

    def write(self, chunk: bytes) -> Any:
        """Keep a chunk."""
        self.body += chunk
        return self._done()

    def set_close_callback(self, _callback: Callable[[], None] | None) -> None:
        """Do nothing: the client stays."""

    def finish(self) -> None:
        """Note the end."""
        self.finished.set()


class TornadoCaller:
    """A Tornado application under test.

    Args:
        app: the application.
        hooks: the service's, which its own server would run.
    """

    def __init__(self, app: HTTPServerConnectionDelegate, hooks: Hooks) -> None:
        self._app = app
        self._hooks = hooks

    async def start(self) -> None:
        """Run the start-up hooks."""
        await self._hooks.start_or_raise()

    async def stop(self) -> None:
        """Run the shutdown hooks."""
        await self._hooks.astop()

    async def call(self, sent: Sent) -> Received:
        """Return the application's answer."""
        connection: Any = _Connection(sent)
        delegate = self._app.start_request(object(), connection)
        fields = HTTPHeaders()
        for name, value in sent.headers:
            fields.add(name, value)
        start = RequestStartLine(sent.method, sent.target, "HTTP/1.1")
        await settle(delegate.headers_received(start, fields))
        for at in range(0, len(sent.body), CHUNK):
            await settle(delegate.data_received(sent.body[at : at + CHUNK]))
        delegate.finish()
        await connection.finished.wait()
        pairs = [(name.lower(), value) for name, value in connection.fields.get_all()]
        body = bytes(connection.body)
        return Received(status=connection.start.code, headers=pairs, body=body)
