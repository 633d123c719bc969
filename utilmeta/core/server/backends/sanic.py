"""Sanic: a route that takes every path below, with streamed bodies."""

import asyncio
import re
import signal
import threading
import time
from importlib.metadata import version
from typing import Any, ClassVar, cast

from sanic import Request, Sanic
from sanic.constants import HTTP_METHODS
from sanic.response import BaseHTTPResponse
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from utilmeta.core.request.socket import is_upgrade
from utilmeta.core.response import RawResponse
from utilmeta.core.server.backends.sanic_entrance import ServiceSanic
from utilmeta.core.server.backends.sanic_observed import OWN, observe
from utilmeta.core.server.backends.sanic_requests import SanicRequest, asks_for_socket, write
from utilmeta.core.server.backends.sanic_socket import SanicSocket
from utilmeta.core.server.contract import (
    DRAIN,
    SETTLE,
    Adapter,
    Frame,
    Handler,
    RunOptions,
)

# Seconds that WebSockets are given to end when the process does.
FAREWELL = 5.0


class Protocol(WebSocketProtocol):
    """Sanic's protocol, which waits for the request of a connection that was just accepted."""

    def close_if_idle(self) -> bool:
        """Close the connection when no request has come in a moment; see Sanic."""
        self.loop.call_later(SETTLE, super().close_if_idle)
        return False


def hold_signals(app: Sanic[Any, Any]) -> None:
    """Let a signal that ends Sanic's manager wait until its workers are there.

    Before that the manager hands the message of its own end back to itself, again and again, and
    never ends, whatever signals follow. A second signal kills what was started.

    Source: sanic.worker.manager.WorkerManager, `wait_for_ack`, `shutdown_signal`, of Sanic 25.12.
    """
    manager: Any = app.manager
    wait, end = manager.wait_for_ack, manager.shutdown_signal
    are_there = manager._all_workers_ack  # noqa: SLF001 - what the manager waits for
    waits = True
    held: list[int] = []

    def take(number: int, frame: Any) -> None:
        if waits and held:
            manager.kill()
        elif waits:
            held.append(number)
        else:
            # A terminal's signal goes to the workers too, which take what follows for a second one
            # unless they have begun to end.
            time.sleep(SETTLE)
            end(number, frame)

    def all_workers_ack() -> bool:
        # A terminal's signal ends the workers that are starting.
        is_lost = bool(held) and not all(process.is_alive() for process in manager.processes)
        return is_lost or bool(are_there())

    def wait_for_ack() -> None:
        nonlocal waits
        try:
            wait()
        finally:
            waits = False
        for number in held:
            end(number, None)

    manager.wait_for_ack = wait_for_ack
    manager._all_workers_ack = all_workers_ack  # noqa: SLF001 - what the manager waits for
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, take)


class SanicAdapter(Adapter):
    """Serves with a route below which every path is the handler's; Sanic's own routes win."""

    name = "sanic"
    package = "sanic"
    asynchronous: ClassVar[bool] = True
    native_lifespan = True
    requirement = "utilmeta[sanic]"
    app: Sanic[Any, Any]

    def __init__(self, frame: Frame, app: Any = None) -> None:
        name = frame.name if re.match(r"[A-Za-z_]", frame.name) else f"_{frame.name}"
        super().__init__(frame, app or ServiceSanic(name, keeps_logging=frame.keeps_logging))
        self._views: set[Any] = set()
        self._is_observed = False
        self._conversations: set[asyncio.Task[None]] = set()
        self._grace = frame.grace
        hooks = frame.hooks

        async def start(_app: object) -> None:
            await hooks.start_or_raise()

        async def drain(sanic: Sanic[Any, Any]) -> None:
            hooks.drain()
            if sanic.asgi or threading.current_thread() is not threading.main_thread():
                # Another server ends it, which has waited.
                return
            # Sanic would go on where a second signal has interrupted it. Where there is a manager,
            # it kills its workers.
            second = signal.SIG_IGN if hasattr(sanic, "multiplexer") else signal.SIG_DFL
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, second)
            await asyncio.sleep(self._grace)

        async def stop(_app: object) -> None:
            await self._end_conversations()
            await hooks.astop()

        self.app.register_listener(hold_signals, "main_process_ready")
        self.app.register_listener(start, "before_server_start")
        self.app.register_listener(drain, "before_server_stop")
        self.app.register_listener(stop, "after_server_stop")

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a Sanic application."""
        return isinstance(app, Sanic)

    def mount(self, route: str, handler: Handler) -> None:
        """Add routes for the mount point and for everything below it."""

        async def view(request: Request[Any, Any], **_rest: str) -> BaseHTTPResponse | None:
            raw = SanicRequest(request, route)
            if asks_for_socket(request) and is_upgrade(request.method, raw.headers()):
                return await self._converse(request, raw, handler)
            return await write(request, await handler.ahandle(raw))

        self._views.add(view)
        if isinstance(self.app, ServiceSanic):
            self.app.entrance.routes.add(route, handler)
            self.app.entrance.views.add(view)
        self._observe()
        # Lets Sanic take None for an answer, which a WebSocket's view returns.
        view.is_websocket = True  # type: ignore[attr-defined]
        self.app.enable_websocket()

        label = re.sub(r"\W", "_", route)
        for index, uri in enumerate((route or "/", f"{route}/<rest:path>")):
            self.app.add_route(
                cast("Any", view),
                uri,
                methods=HTTP_METHODS,
                stream=True,
                name=f"utilmeta{label}_{index}",
            )

    def _observe(self) -> None:
        """Watch what the application itself answers, where somebody asked for it."""
        observer = self.frame.observer()
        if observer is None or self._is_observed:
            return
        self._is_observed = True
        observe(self.app, observer, self._views)
        if isinstance(self.app, ServiceSanic):
            self.app.entrance.own_middleware = OWN

    def entrance(self) -> str | None:
        """Return why requests go through Sanic's handler; None when they need not."""
        if not isinstance(self.app, ServiceSanic):
            return "the application is the project's own"
        return self.app.entrance.watch.reason()

    def adapt(self, route: str, handler: Handler) -> Any:
        """Mount the handler and return the application."""
        self.mount(route, handler)
        return self.app

    async def _converse(
        self, request: Request[Any, Any], raw: SanicRequest, handler: Handler
    ) -> BaseHTTPResponse | None:
        """Carry on a WebSocket in a task of its own: Sanic cancels its view when a client goes."""
        socket = SanicSocket(request)
        task = asyncio.ensure_future(handler.asocket(raw, socket))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            socket.is_lost = True
            current = asyncio.current_task()
            if socket.wire is None or current is None:
                task.cancel()
                raise
            current.uncancel()
            return None
        task.result()
        if socket.answer is None:
            return None
        status, headers, body = socket.answer
        return await write(request, RawResponse(status, list(headers), body))

    async def _end_conversations(self) -> None:
        """Give WebSockets some time to end, then cancel them."""
        if self._conversations:
            await asyncio.wait(set(self._conversations), timeout=FAREWELL)
            for task in self._conversations:
                task.cancel()
            await asyncio.gather(*self._conversations, return_exceptions=True)

    def application(self) -> Any:
        """Return the application."""
        return self.app

    def run(self, options: RunOptions) -> None:
        """Serve with Sanic's own server: in this process, unless several are asked for."""
        options.banner()
        extra = {"motd": False, "debug": False, "access_log": False, **options.extra}
        several = options.auto_reload or extra.get("fast") or extra.get("workers", 1) > 1
        extra.setdefault("single_process", not several)
        extra.setdefault("protocol", Protocol)
        if options.listening is not None:
            # The supervisor has waited itself.
            self._grace = 0.0
            extra["sock"] = options.listening
            # Which also kills what does not end in time.
            self.app.config.GRACEFUL_SHUTDOWN_TIMEOUT = max(
                DRAIN, self.app.config.GRACEFUL_SHUTDOWN_TIMEOUT
            )
        self.app.run(options.host, options.port, auto_reload=options.auto_reload, **extra)

    def prepare_tests(self) -> None:
        """Lift Sanic's limit of one started application."""
        Sanic.test_mode = True

    def version(self) -> str:
        """Return Sanic's version."""
        return version("sanic")


ADAPTER = SanicAdapter
