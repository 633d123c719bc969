"""Applications called without a socket, as a server would call them."""

import asyncio
import io
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from utilmeta.core.server.lifespan import Lifespan

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as a client sends it.

    Attributes:
        method: upper case.
        target: path and query, percent-encoded.
        headers: pairs in order, names in lower case, repeats kept.
        body: all of it.
        scheme: `http` or `https`.
        host: name and port of the server.
        client: address and port of the client.
    """

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    scheme: str = "http"
    host: tuple[str, int] = ("localhost", 80)
    client: tuple[str, int] = ("127.0.0.1", 50000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer as a client gets it.

    Attributes:
        status: the status.
        headers: pairs in order, names in lower case, repeats kept.
        body: all of it.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Caller(Protocol):
    """An application under test."""

    async def start(self) -> None:
        """Start it, as a server does."""

    async def call(self, sent: Sent) -> Received:
        """Return its answer."""

    async def stop(self) -> None:
        """Shut it down."""


def call_wsgi(app: Any, sent: Sent) -> Received:
    """Return a WSGI application's answer."""
    path, _, query = sent.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": sent.target,
        "QUERY_STRING": query,
        "SERVER_NAME": sent.host[0],
        "SERVER_PORT": str(sent.host[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": sent.client[0],
        "REMOTE_PORT": str(sent.client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": sent.scheme,
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> None:
        started[:] = [status, headers]

    source = app(environ, start_response)
    try:
        body = b"".join(source)
    finally:
        closing: Callable[[], None] = getattr(source, "close", lambda: None)
        closing()
    status, headers = started
    pairs = [(name.lower(), value) for name, value in headers]
    return Received(status=int(status[:3]), headers=pairs, body=body)


class ASGICaller:
    """An ASGI application under test, between its start-up and its shutdown.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lifespan = Lifespan(app)

    async def start(self) -> None:
        """Have the application start, and wait until it is ready.

        Raises:
            RuntimeError: it says that it could not start.
        """
        if not await self._lifespan.start():
            raise RuntimeError(f"the application did not start: {self._lifespan.message}")

    async def stop(self) -> None:
        """Have the application shut down, and wait for the end."""
        await self._lifespan.stop()

    async def call(self, sent: Sent) -> Received:
        """Return the application's answer."""
        path, _, query = sent.target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": sent.scheme,
            "root_path": "",
            "path": unquote_to_bytes(path).decode(errors="replace"),
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in sent.headers],
            "client": sent.client,
            "server": sent.host,
            "state": {},
        }
        chunks = [sent.body[at : at + CHUNK] for at in range(0, len(sent.body), CHUNK)] or [b""]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]
        ended = asyncio.Event()
        answered: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            answered.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.set()

        await self._app(scope, receive, send)
        start = answered[0]
        pairs = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in start["headers"]]
        body = b"".join(message.get("body", b"") for message in answered[1:])
        return Received(status=start["status"], headers=pairs, body=body)


async def settle(outcome: Any) -> None:
    """Wait for what a delegate returns, when it returns something to wait for."""
    if isinstance(outcome, asyncio.Future) or isinstance(outcome, Coroutine):  # noqa: SIM101
        await outcome
