"""Applications called without a socket: WSGI, ASGI and Tornado's delegates."""

import asyncio
import io
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote_to_bytes

from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate, RequestStartLine

from tests.contract.cases import Case
from tests.servers import Answer

CHUNK = 64 * 1024


def split(case: Case) -> tuple[str, str]:
    """Return path and query of a case, as sent."""
    path, _, query = case.path.partition("?")
    return path, query


def headers_of(case: Case) -> list[tuple[str, str]]:
    """Return the header pairs a client would send."""
    pairs = [(name.lower(), value) for name, value in case.headers.items()]
    if not any(name == "host" for name, _ in pairs):
        pairs.insert(0, ("host", "testserver"))
    if case.body is not None:
        pairs.append(("content-length", str(len(case.body))))
    return pairs


class Loop:
    """An event loop that runs in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def call_wsgi(app: Any, case: Case) -> Answer:
    """Return a WSGI application's answer."""
    path, query = split(case)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": case.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": case.path,
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(case.body or b""),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers_of(case):
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    started: list[Any] = []
    source = app(environ, lambda status, headers, _exc=None: started.append((status, headers)))
    try:
        body = b"".join(source)
    finally:
        getattr(source, "close", lambda: None)()
    status, headers = started[0]
    pairs = [(name.lower(), value) for name, value in headers]
    return Answer(int(status[:3]), pairs, body)


class ASGIClient:
    """Calls an ASGI application, between its start-up and its shutdown."""

    def __init__(self, app: Any, loop: Loop) -> None:
        self._app = app
        self._loop = loop
        loop.run(self._start())

    async def _start(self) -> None:
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._life = asyncio.ensure_future(self._app(scope, self._events.get, told.put))
        await self._events.put({"type": "lifespan.startup"})
        answer = await told.get()
        assert answer["type"] == "lifespan.startup.complete", answer
        self._told = told

    async def _stop(self) -> None:
        await self._events.put({"type": "lifespan.shutdown"})
        await self._told.get()
        await self._life

    def close(self) -> None:
        """Shut the application down."""
        self._loop.run(self._stop())

    def __call__(self, case: Case) -> Answer:
        """Return the application's answer."""
        return self._loop.run(self._call(case))

    async def _call(self, case: Case) -> Answer:
        path, query = split(case)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": case.method,
            "scheme": "http",
            "root_path": "",
            "path": unquote_to_bytes(path).decode(errors="replace"),
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers_of(case)],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
            "state": {},
        }
        body = case.body or b""
        chunks = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)] or [b""]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]
        ended = asyncio.Event()
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.set()

        await self._app(scope, receive, send)
        start = sent[0]
        pairs = [(k.decode().lower(), v.decode("latin-1")) for k, v in start["headers"]]
        return Answer(start["status"], pairs, b"".join(m.get("body", b"") for m in sent[1:]))


class FakeConnection:
    """Stands for Tornado's connection: keeps what is written."""

    class Context:
        """What Tornado knows of the socket."""

        protocol = "http"
        address_family = socket.AF_INET
        address = ("127.0.0.1", 50000)
        remote_ip = "127.0.0.1"

    def __init__(self) -> None:
        self.context = self.Context()
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


class TornadoClient:
    """Calls a Tornado application the way its HTTP server does."""

    def __init__(self, app: HTTPServerConnectionDelegate, loop: Loop) -> None:
        self._app = app
        self._loop = loop

    def close(self) -> None:
        """Nothing is left open."""

    def __call__(self, case: Case) -> Answer:
        """Return the application's answer."""
        return self._loop.run(self._call(case))

    async def _call(self, case: Case) -> Answer:
        connection: Any = FakeConnection()
        delegate = self._app.start_request(object(), connection)
        fields = HTTPHeaders()
        for name, value in headers_of(case):
            fields.add(name, value)
        start = RequestStartLine(case.method, case.path, "HTTP/1.1")
        await _settle(delegate.headers_received(start, fields))
        body = case.body or b""
        for at in range(0, len(body), CHUNK):
            await _settle(delegate.data_received(body[at : at + CHUNK]))
        delegate.finish()
        await asyncio.wait_for(connection.finished.wait(), 30)
        pairs = [(name.lower(), value) for name, value in connection.fields.get_all()]
        return Answer(connection.start.code, pairs, bytes(connection.body))


async def _settle(outcome: Any) -> None:
    if outcome is not None:
        await outcome
