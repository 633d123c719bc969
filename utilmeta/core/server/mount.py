"""Other applications beside the API: WSGI and ASGI applications as handlers."""

import asyncio
import inspect
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from typing import Any, cast
from urllib.parse import quote

from utilmeta.core.request import RawRequest
from utilmeta.core.request.socket import RawSocket
from utilmeta.core.response import RawResponse
from utilmeta.core.response.raw import Body, close_source
from utilmeta.core.server.contract import Hooks
from utilmeta.core.server.engine.lanes import Hold, LanePool
from utilmeta.core.server.engine.streams import iterate_on_lane
from utilmeta.core.server.patterns import view_class_of
from utilmeta.utils.exceptions import ConfigError


def kind_of(app: object) -> str:
    """Return what an object to be mounted is: `urls`, `view`, `asgi` or `wsgi`.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(app, list) and app and all(hasattr(item, "pattern") for item in app):
        return "urls"
    if isinstance(app, type) and hasattr(app, "as_view"):
        return "view"
    if view_class_of(app) is not None:
        return "view"
    if hasattr(app, "urls") and not callable(getattr(app, "urls", None)):
        return "urls"
    if not callable(app):
        raise ConfigError(
            f"service.mount({app!r}): expected a WSGI or ASGI application, a class-based view, or "
            "an object with Django 'urls' such as a DRF router"
        )
    call = app if inspect.isfunction(app) else type(app).__call__
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(app):
        return "asgi"
    return "wsgi"


class WSGIMount:
    """A WSGI application as a handler.

    Args:
        app: the application.
        hooks: started before the first request.
        lanes: worker threads it runs on under async servers.
        whole: whether the application expects the whole path, its own prefix included.

    Attributes:
        is_whole: the same.
    """

    def __init__(
        self, app: Callable[..., Any], hooks: Hooks, lanes: LanePool, *, whole: bool = False
    ) -> None:
        self._app = app
        self._hooks = hooks
        self._lanes = lanes
        self.is_whole = whole

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the application's answer."""
        self._hooks.start()
        body = io.BytesIO(b"".join(raw.stream()))
        return self._call(raw, body)

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the application's answer, made on a lane."""
        await self._hooks.astart()
        body = io.BytesIO(b"".join([chunk async for chunk in raw.astream()]))
        hold = Hold(self._lanes)
        try:
            response = await hold.run(self._call, raw, body)
        except BaseException:
            hold.close()
            raise
        if isinstance(response.body, Iterator):
            response.body = iterate_on_lane(response.body, hold)
        response.on_close.append(hold.close)
        return response

    async def asocket(self, _raw: RawRequest, socket: RawSocket) -> None:
        """Refuse a WebSocket, which WSGI has not."""
        await refuse_socket(socket)

    def _call(self, raw: RawRequest, body: io.BytesIO) -> RawResponse:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            if exc_info is None and started:
                raise AssertionError("start_response was called twice")
            started[:] = [(status, headers)]
            return written.append

        below = {} if self.is_whole else {"prefix": raw.prefix, "path": raw.path}
        environ = environ_of(raw, body, len(body.getbuffer()), **below)
        source = self._app(environ, start_response)
        try:
            answer = _Answer(source, written)
        except BaseException:
            close_source(source)
            raise
        if not started:
            answer.close()
            raise RuntimeError("the mounted WSGI application did not call start_response")
        status, headers = started[0]
        # Django writes cookies with a space before them, which strict ASGI servers refuse.
        pairs = [(name.lower(), value.strip()) for name, value in headers]
        return RawResponse(int(status[:3]), pairs, _for_method(raw, answer))


def environ_of(
    raw: RawRequest, body: Any, length: int, *, prefix: str = "", path: str | None = None
) -> dict[str, Any]:
    """Return the WSGI environment that stands for a raw request.

    Args:
        raw: the request.
        body: its body, as a binary file.
        length: bytes of the body.
        prefix: what counts as where the application is mounted.
        path: what counts as the path below it; None takes the whole path.
    """
    path = raw.prefix + raw.path if path is None else path
    host, port = raw.server or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": raw.method,
        "SCRIPT_NAME": prefix.encode().decode("latin-1"),
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": raw.query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or ""),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": raw.client[0] if raw.client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": raw.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in raw.headers():
        key = name.upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        # HTTP/2 clients send cookies apart (RFC 9113 section 8.2.3).
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(length)
    return environ


class _Answer:
    """The body of a WSGI application, closed with its response even when nothing was sent."""

    def __init__(self, source: Any, written: list[bytes]) -> None:
        self._source = source
        self._chunks = iter(source)
        # The application calls start_response at the latest when its first chunk is asked for.
        self._first = [*written, next(self._chunks, b"")]
        self._all = chain(filter(None, self._first), self._chunks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes = next(self._all)
        return chunk

    def close(self) -> None:
        """Close the application's iterable."""
        close_source(self._source)


def _for_method(raw: RawRequest, answer: _Answer) -> Body:
    """Return the body; nothing for HEAD, which some servers refuse a body for."""
    if raw.method != "HEAD":
        return answer
    answer.close()
    return b""


async def refuse_socket(socket: RawSocket) -> None:
    """Refuse a WebSocket to an application that is mounted for HTTP only."""
    await socket.reject(404, [("content-length", "0")], b"")


class ASGIMount:
    """An ASGI application as a handler, for async services.

    Args:
        app: the application.
        hooks: started before the first request.
    """

    def __init__(self, app: Callable[..., Any], hooks: Hooks) -> None:
        self._app = app
        self._hooks = hooks

    def handle(self, raw: RawRequest) -> RawResponse:
        """Refuse: `service.mount` lets no ASGI application into a sync service."""
        raise TypeError(f"an ASGI application cannot answer the sync request {raw.path!r}")

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the application's answer; its body is sent as it is made."""
        await self._hooks.astart()
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=8)
        answered = asyncio.Event()
        receive = _receiver(raw, answered)
        task = asyncio.ensure_future(self._app(_scope(raw), receive, messages.put))
        start = await _next_message(messages, task)
        if start is None:
            raise RuntimeError("the mounted ASGI application ended without an answer")
        pairs = [
            (key.decode("latin-1").lower(), value.decode("latin-1"))
            for key, value in start.get("headers", ())
        ]
        body = _drain(messages, task, answered)
        if raw.method != "HEAD":
            return RawResponse(start["status"], pairs, body)
        async for _ in body:
            # The application has to be let go on, but nothing of it may be sent.
            pass
        return RawResponse(start["status"], pairs)

    async def asocket(self, _raw: RawRequest, socket: RawSocket) -> None:
        """Refuse a WebSocket: mounted applications are carried over HTTP."""
        await refuse_socket(socket)


def _scope(raw: RawRequest) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": raw.method,
        "scheme": raw.scheme,
        "root_path": raw.prefix,
        "path": raw.prefix + raw.path,
        "raw_path": quote(raw.prefix + raw.path).encode(),
        "query_string": raw.query.encode("latin-1"),
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in raw.headers()
        ],
        "client": raw.client,
        "server": raw.server,
    }


def _receiver(raw: RawRequest, answered: asyncio.Event) -> Callable[[], Any]:
    body = raw.astream()
    ended = False

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if ended:
            await answered.wait()
            return {"type": "http.disconnect"}
        chunk = cast("bytes | None", await anext(body, None))
        ended = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": not ended}

    return receive


async def _next_message(
    messages: "asyncio.Queue[dict[str, Any]]", task: "asyncio.Future[Any]"
) -> dict[str, Any] | None:
    getter = asyncio.ensure_future(messages.get())
    await asyncio.wait({getter, task}, return_when=asyncio.FIRST_COMPLETED)
    if getter.done():
        return getter.result()
    if not messages.empty():
        return await getter
    getter.cancel()
    task.result()
    return None


async def _drain(
    messages: "asyncio.Queue[dict[str, Any]]",
    task: "asyncio.Future[Any]",
    answered: asyncio.Event,
) -> AsyncIterator[bytes]:
    try:
        while (message := await _next_message(messages, task)) is not None:
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                break
        answered.set()
        await task
    finally:
        task.cancel()
