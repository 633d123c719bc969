"""A service in process whose requests go by its entrance, or are made to go by the framework."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.core.server.inprocess import ASGICaller, Sent
from utilmeta.testing import override_service
from utilmeta.testing.client import Loop

WSGI = ("django", "flask")
ASGI = ("django-asgi", "starlette", "fastapi", "sanic")
BACKENDS = WSGI + ASGI

Pairs = list[tuple[str, str]]


class Act:
    """What `GET /api/act` and `POST /api/act` do; set by a test."""

    do: Callable[[Any], Any] = staticmethod(lambda _request: "nothing")


class EnteredAPI(api.API):
    def get(self):
        return "root"

    @api.get
    def hello(self):
        return "world"

    @api.get
    def act(self):
        return Act.do(self.request)

    @api.post("act")
    def act_after(self, body: bytes = request.Body):
        return f"{len(body)} {Act.do(self.request)}"

    @api.post("unread")
    def unread(self):
        return Act.do(self.request)

    @api.get(timeout=5)
    def timed(self):
        return Act.do(self.request)

    @api.post
    def echo(self, body: bytes = request.Body):
        return body

    @api.get
    def late_failure(self) -> Iterator[str]:
        yield "first"
        raise ValueError("after the first chunk")

    @api.get
    def doubled(self):
        return Response("x", headers=[("Link", "<a>"), ("Link", "<b>")])


class AsyncEnteredAPI(EnteredAPI):
    @api.get("async-act")
    async def async_act(self):
        outcome = Act.do(self.request)
        return await outcome if asyncio.iscoroutine(outcome) else outcome

    @api.get("async-late-failure")
    async def async_late_failure(self) -> AsyncIterator[str]:
        yield "first"
        raise ValueError("after the first chunk")


class Answer(NamedTuple):
    """An answer, with the reason phrase where a WSGI application gives one."""

    status: str
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


def call_wsgi(app: Any, sent: Sent, **more: Any) -> Answer:
    """Return what a WSGI application answers, all of its status line included."""
    path, _, query = sent.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": sent.target,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": sent.scheme,
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ.update(more)
    started: list[Any] = []
    source = app(environ, lambda status, headers, _exc=None: started.extend([status, headers]))
    try:
        body = b"".join(source)
    finally:
        getattr(source, "close", lambda: None)()
    return Answer(started[0], list(started[1]), body)


class Entered:
    """A running service and a client of it."""

    def __init__(self, service: Any, stack: ExitStack, *, name: str) -> None:
        self.service, self.name = service, name
        self.app = service.application()
        self.is_sync = name in WSGI
        self._stack = stack
        self.loop: Loop | None = None
        self.caller: ASGICaller | None = None

    @property
    def reason(self) -> str | None:
        return self.service.adapter.entrance()

    @property
    def watch(self) -> Any:
        adapter = self.service.adapter
        if self.name == "sanic":
            return self.app.entrance.watch
        return adapter._watch if hasattr(adapter, "_watch") else adapter._entrance.watch

    def close_entrance(self) -> None:
        """Make all requests go the framework's way."""
        self.watch._judge = lambda: "told by a test"
        self.watch._known = object()

    def send(self, sent: Sent, **more: Any) -> Answer:
        if self.is_sync:
            return call_wsgi(self.app, sent, **more)
        if self.caller is None:
            self.loop, self.caller = Loop(), ASGICaller(self.app)
            self._stack.callback(self.loop.close)
            self.loop.run(self.caller.start())
            self._stack.callback(lambda: self.loop.run(self.caller.stop()))
        got = self.loop.run(self.caller.call(sent))
        return Answer(str(got.status), got.headers, got.body)

    def prepared(self, path: str) -> Sent:
        return Sent(method="GET", target=path, headers=[("host", "localhost")])

    def get(self, path: str, headers: Pairs | None = None, **more: Any) -> Answer:
        return self.call("GET", path, headers, **more)

    def call(
        self,
        method: str,
        path: str,
        headers: Pairs | None = None,
        body: bytes = b"",
        **more: Any,
    ) -> Answer:
        pairs = [("host", "localhost"), *(headers or [])]
        if body:
            pairs.append(("content-length", str(len(body))))
        return self.send(Sent(method=method, target=path, headers=pairs, body=body), **more)


@contextmanager
def entered(
    name: str,
    *,
    app: Any = None,
    settings: dict[str, Any] | None = None,
    root: Any = None,
    route: str = "/api",
    **options: Any,
) -> Iterator[Entered]:
    """Run a service on a backend, or on an application object."""
    backend, _, mode = name.partition("-")
    given = {"MIDDLEWARE": [], **(settings or {})}
    own = EnteredAPI if name in WSGI and not options.get("asynchronous") else AsyncEnteredAPI
    options.setdefault("asynchronous", True if mode == "asgi" else None)
    with ExitStack() as stack:
        service = stack.enter_context(
            override_service(
                backend=backend if app is None else app,
                name="entered",
                api=root or own,
                route=route,
                settings=given,
                **options,
            )
        )
        service.adapter.prepare_tests()
        yield Entered(service, stack, name=name)
