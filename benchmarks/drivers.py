"""Applications called as a server calls them, without a socket: WSGI, ASGI, Tornado.

What a driver builds for each request is the same for every application of its kind: a fresh
environment for WSGI, a fresh scope as uvicorn builds it for ASGI, fresh headers for Tornado.
"""

import asyncio
import io
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from benchmarks.workloads import Answer, Request

SERVER = ("127.0.0.1", 8000)
CLIENT = ("127.0.0.1", 50000)


class Driver(Protocol):
    """Calls one application."""

    def answer(self, request: Request) -> Answer:
        """Return what the application answers."""

    def run(self, requests: Sequence[Request]) -> Callable[[], list[int]]:
        """Prepare requests; what is returned sends them in turn and gives their statuses."""

    def together(self, requests: Sequence[Request]) -> float:
        """Send requests at once and return the seconds until the last is answered."""


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class WSGIDriver:
    """Calls a WSGI application.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def _environ(self, request: Request) -> dict[str, Any]:
        path, _, query = request.target.partition("?")
        environ: dict[str, Any] = {
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http",
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": "benchmarks",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": query,
            "RAW_URI": request.target,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": CLIENT[0],
            "REMOTE_PORT": str(CLIENT[1]),
            "SERVER_NAME": SERVER[0],
            "SERVER_PORT": str(SERVER[1]),
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "SCRIPT_NAME": "",
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
        return environ

    def answer(self, request: Request) -> Answer:
        """Return what the application answers."""
        statuses: list[str] = []
        environ = {**self._environ(request), "wsgi.input": io.BytesIO(request.body)}
        chunks = self._app(environ, lambda status, headers, exc_info=None: statuses.append(status))
        body = b"".join(chunks)
        getattr(chunks, "close", lambda: None)()
        return Answer(status=int(statuses[-1][:3]), body=body)

    def run(self, requests: Sequence[Request]) -> Callable[[], list[int]]:
        """Prepare requests; what is returned sends them in turn and gives their statuses."""
        prepared = [(self._environ(request), request.body) for request in requests]
        app = self._app

        def send() -> list[int]:
            statuses: list[str] = []

            def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
                statuses.append(status)

            for environ, body in prepared:
                chunks = app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
                b"".join(chunks)
                if hasattr(chunks, "close"):
                    chunks.close()
            return [int(status[:3]) for status in statuses]

        return send

    def together(self, requests: Sequence[Request]) -> float:
        """Send requests at once, each in a thread, and return the seconds until all are answered.

        Threads are started, and their connections opened, before the clock is.
        """
        with ThreadPoolExecutor(len(requests)) as pool:
            list(pool.map(self.answer, requests))
            start = time.perf_counter()
            list(pool.map(self.answer, requests))
            return time.perf_counter() - start


class LoopDriver:
    """Calls an application on one event loop that stays; subclasses say how.

    Args:
        loop: the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def prepare(self, request: Request) -> Callable[[list[bytes] | None], Coroutine[Any, Any, int]]:
        """Return a function that sends a request once more, gathers the body, gives the status."""
        raise NotImplementedError

    def answer(self, request: Request) -> Answer:
        """Return what the application answers."""
        chunks: list[bytes] = []
        status = self._loop.run_until_complete(self.prepare(request)(chunks))
        return Answer(status=status, body=b"".join(chunks))

    def run(self, requests: Sequence[Request]) -> Callable[[], list[int]]:
        """Prepare requests; what is returned sends them in turn and gives their statuses."""
        prepared = [self.prepare(request) for request in requests]

        async def send() -> list[int]:
            # A request after the other, on purpose.
            return [await call(None) for call in prepared]

        return lambda: self._loop.run_until_complete(send())

    def together(self, requests: Sequence[Request]) -> float:
        """Send requests at once and return the seconds until the last is answered."""
        prepared = [self.prepare(request) for request in requests]

        async def send() -> float:
            start = time.perf_counter()
            statuses = await asyncio.gather(*(call(None) for call in prepared))
            seconds = time.perf_counter() - start
            if set(statuses) != {200}:
                raise RuntimeError(f"answers were {set(statuses)}")
            return seconds

        # The first time opens the connections of threads that stay.
        self._loop.run_until_complete(send())
        return self._loop.run_until_complete(send())


class ASGIDriver(LoopDriver):
    """Calls an ASGI application, after its lifespan has begun.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        super().__init__(_new_loop())
        self._app = app
        self._loop.run_until_complete(self._start())

    async def _start(self) -> None:
        events: asyncio.Queue[Any] = asyncio.Queue()
        told: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        events.put_nowait({"type": "lifespan.startup"})
        self._life = asyncio.ensure_future(self._app(scope, events.get, told.put))
        hearing = asyncio.ensure_future(told.get())
        await asyncio.wait({self._life, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if not hearing.done():
            # Applications without a lifespan raise or return, as Django's does.
            hearing.cancel()
            self._life.exception()

    def prepare(self, request: Request) -> Callable[[list[bytes] | None], Coroutine[Any, Any, int]]:
        """Return a function that sends a request once more, gathers the body, gives the status."""
        app, loop = self._app, self._loop
        path, _, query = request.target.partition("?")
        template: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": SERVER,
            "client": CLIENT,
            "scheme": "http",
            "method": request.method,
            "root_path": "",
            "path": unquote_to_bytes(path).decode(),
            "raw_path": path.encode(),
            "query_string": query.encode(),
        }
        headers = [(name.encode(), value.encode()) for name, value in request.headers]
        body = request.body

        async def call(chunks: list[bytes] | None) -> int:
            received = False
            status = 0

            async def receive() -> dict[str, Any]:
                nonlocal received
                if received:
                    # The client stays connected.
                    await loop.create_future()
                received = True
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message: dict[str, Any]) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                elif chunks is not None:
                    chunks.append(message.get("body", b""))

            await app({**template, "headers": headers.copy(), "state": {}}, receive, send)
            return status

        return call


class _TornadoContext:
    """What Tornado knows of the socket."""

    def __init__(self) -> None:
        import socket

        self.address_family = socket.AF_INET
        self.protocol = "http"
        self.address = CLIENT
        self.remote_ip = CLIENT[0]


class _TornadoConnection:
    """Stands for Tornado's connection: counts what is written as sent."""

    __slots__ = ("_chunks", "_done", "context", "finished", "no_keep_alive", "status")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, context: _TornadoContext, chunks: list[bytes] | None
    ) -> None:
        self.context = context
        self.finished: asyncio.Future[None] = loop.create_future()
        self.no_keep_alive = False
        self.status = 0
        self._chunks = chunks
        self._done: asyncio.Future[None] = loop.create_future()
        self._done.set_result(None)

    def set_close_callback(self, callback: Any) -> None:
        """Do nothing: the client stays."""

    def write_headers(self, start: Any, headers: Any, chunk: bytes | None = None) -> Any:
        """Keep the status."""
        self.status = start.code
        if chunk and self._chunks is not None:
            self._chunks.append(bytes(chunk))
        return self._done

    def write(self, chunk: bytes) -> Any:
        """Keep a chunk when somebody wants it."""
        if self._chunks is not None:
            self._chunks.append(bytes(chunk))
        return self._done

    def finish(self) -> None:
        """Note the end."""
        if not self.finished.done():
            self.finished.set_result(None)


class TornadoDriver(LoopDriver):
    """Calls a Tornado application the way its HTTP server does.

    Args:
        app: the application, or another delegate of server connections.
    """

    def __init__(self, app: Any) -> None:
        # Tornado's own server runs on asyncio's loop unless it is told otherwise.
        super().__init__(asyncio.new_event_loop())
        self._app = app

    def prepare(self, request: Request) -> Callable[[list[bytes] | None], Coroutine[Any, Any, int]]:
        """Return a function that sends a request once more, gathers the body, gives the status."""
        from tornado.httputil import HTTPHeaders, RequestStartLine

        app, loop, context = self._app, self._loop, _TornadoContext()
        pairs, body = request.headers, request.body
        start = RequestStartLine(request.method, request.target, "HTTP/1.1")
        server_connection = object()

        async def call(chunks: list[bytes] | None) -> int:
            connection: Any = _TornadoConnection(loop, context, chunks)
            delegate = app.start_request(server_connection, connection)
            headers = HTTPHeaders()
            for name, value in pairs:
                headers.add(name, value)
            waiting = delegate.headers_received(start, headers)
            if waiting is not None:
                await waiting
            if body:
                waiting = delegate.data_received(body)
                if waiting is not None:
                    await waiting
            delegate.finish()
            await connection.finished
            return int(connection.status)

        return call


DRIVERS: dict[str, Callable[[Any], Driver]] = {
    "wsgi": WSGIDriver,
    "asgi": ASGIDriver,
    # Sanic is called through its ASGI interface, ours and bare alike.
    "sanic": ASGIDriver,
    "tornado": TornadoDriver,
}
