"""Clients that call a service in this process, through the whole of its framework."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self

import httpx

from utilmeta.conf import current
from utilmeta.core.server.inprocess import ASGICaller, Caller, Received, Sent, call_wsgi
from utilmeta.core.server.service import UtilMeta
from utilmeta.testing.sockets import WebSocketSession
from utilmeta.utils.exceptions import ConfigError

# Allowed by a fresh service's settings.
BASE_URL = "http://localhost"


class Loop:
    """An event loop that runs in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def service_of(given: UtilMeta | None) -> UtilMeta:
    """Return the given service, else the running one.

    Raises:
        ConfigError: there is none.
    """
    service: UtilMeta | None = given or current.get()
    if service is None:
        raise ConfigError("utilmeta.testing: no service exists; give one, or make one first")
    return service


def caller_of(service: UtilMeta) -> Caller | None:
    """Return what calls an async service; None for a sync one."""
    app = service.application()
    service.adapter.prepare_tests()
    if not service.asynchronous or service.backend_name == "flask":
        return None
    return service.adapter.caller(app) or ASGICaller(app)


class _Quiet:
    """Keeps Django from looking at connections around requests, as its own test client does.

    It may close nothing of a test's, and tests that may not use a database are not to notice those
    that did.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0

    def __enter__(self) -> None:
        from django.core.signals import request_finished, request_started
        from django.db import close_old_connections

        with self._lock:
            self._depth += 1
            request_started.disconnect(close_old_connections)
            request_finished.disconnect(close_old_connections)

    def __exit__(self, *_exc: object) -> None:
        from django.core.signals import request_finished, request_started
        from django.db import close_old_connections

        with self._lock:
            self._depth -= 1
            if not self._depth:
                request_started.connect(close_old_connections)
                request_finished.connect(close_old_connections)


def _sent(request: httpx.Request, body: bytes, client: tuple[str, int]) -> Sent:
    host, port = request.url.host, request.url.port
    pairs = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name.lower() not in {b"connection", b"accept-encoding"}
    ]
    return Sent(
        method=request.method,
        target=request.url.raw_path.decode("ascii"),
        headers=pairs,
        body=body,
        scheme=request.url.scheme,
        host=(host, port or (443 if request.url.scheme == "https" else 80)),
        client=client,
    )


def _answer(received: Received, request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        received.status, headers=received.headers, content=received.body, request=request
    )


class _Transport(httpx.BaseTransport):
    """Sends requests to a service in process; an async one runs on a loop of its own."""

    def __init__(self, service: UtilMeta, client: tuple[str, int]) -> None:
        self.service = service
        self.client = client
        self._service = service
        self._app = service.application()
        self._caller = caller_of(service)
        self._quiet = _Quiet()
        self.loop: Loop | None = None

    def start(self) -> None:
        """Start the service, once."""
        if self._caller is not None and self.loop is None:
            self.loop = Loop()
            self.loop.run(self._caller.start())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the service's answer."""
        self.start()
        sent = _sent(request, request.read(), self.client)
        with self._quiet:
            if self._caller is None:
                return _answer(call_wsgi(self._app, sent), request)
            assert self.loop is not None  # noqa: S101 - made by start
            received: Received = self.loop.run(self._caller.call(sent))
            return _answer(received, request)

    def close(self) -> None:
        """Shut the service down."""
        if self.loop is not None and self._caller is not None:
            self.loop.run(self._caller.stop())
            self.loop.close()
            self.loop = None
            # Their connections would keep a test's database from being deleted.
            self._service.engine.rules.lanes.rest()


class _AsyncTransport(httpx.AsyncBaseTransport):
    """Sends requests to a service in process; a sync one runs on a worker thread."""

    def __init__(self, service: UtilMeta, client: tuple[str, int]) -> None:
        self._client = client
        self._service = service
        self._app = service.application()
        self._caller = caller_of(service)
        self._quiet = _Quiet()
        self._starting: asyncio.Future[None] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the service's answer."""
        sent = _sent(request, await request.aread(), self._client)
        with self._quiet:
            return _answer(await self._call(sent), request)

    async def _call(self, sent: Sent) -> Received:
        if self._caller is None:
            return await asyncio.to_thread(call_wsgi, self._app, sent)
        if self._starting is None:
            # Requests that are sent at once wait for the same start.
            self._starting = asyncio.ensure_future(self._caller.start())
        await asyncio.shield(self._starting)
        return await self._caller.call(sent)

    async def aclose(self) -> None:
        """Shut the service down."""
        if self._starting is not None and self._caller is not None:
            self._starting = None
            await self._caller.stop()
            await asyncio.to_thread(self._service.engine.rules.lanes.rest)


class Client(httpx.Client):
    """A client that calls a service in this process: an `httpx.Client` in all other ways.

    Requests go through the whole framework: its middleware, the adapter, the engine. Start-up hooks
    run before the first one, shutdown hooks when the client is closed.

    Args:
        service: the service; None takes the running one.
        client: address and port that requests come from.
        **options: as for `httpx.Client`.

    Raises:
        ConfigError: there is no service, or it cannot be set up.
    """

    def __init__(
        self,
        service: UtilMeta | None = None,
        *,
        client: tuple[str, int] = ("127.0.0.1", 50000),
        **options: Any,
    ) -> None:
        self.service = service_of(service)
        self._in_process = _Transport(self.service, client)
        options.setdefault("base_url", BASE_URL)
        super().__init__(transport=self._in_process, **options)

    def __enter__(self) -> Self:
        """Start the service."""
        self._in_process.start()
        return super().__enter__()

    def websocket(
        self,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
    ) -> WebSocketSession:
        """Return a WebSocket to an endpoint, to be used in a `with` block.

        It goes to the engine at once, not through the framework's own handshake, with the client's
        own headers, cookies and address.

        Args:
            path: path and query, as for other requests.
            headers: further headers of the opening request.
            subprotocols: those to offer.

        Raises:
            ConfigError: the service is sync.
        """
        if not self.service.asynchronous:
            raise ConfigError(f"Client.websocket({path!r}): a sync service has no WebSockets")
        self._in_process.start()
        loop = self._in_process.loop
        assert loop is not None  # noqa: S101 - made by start
        request = self.build_request("GET", path, headers=headers)
        sent = _sent(request, b"", self._in_process.client)
        return WebSocketSession(self.service, sent, run=loop.run, subprotocols=subprotocols)


class AsyncClient(httpx.AsyncClient):
    """A client that calls a service in this process: an `httpx.AsyncClient` in all other ways.

    Args:
        service: the service; None takes the running one.
        client: address and port that requests come from.
        **options: as for `httpx.AsyncClient`.

    Raises:
        ConfigError: there is no service, or it cannot be set up.
    """

    def __init__(
        self,
        service: UtilMeta | None = None,
        *,
        client: tuple[str, int] = ("127.0.0.1", 50000),
        **options: Any,
    ) -> None:
        self.service = service_of(service)
        options.setdefault("base_url", BASE_URL)
        super().__init__(transport=_AsyncTransport(self.service, client), **options)
