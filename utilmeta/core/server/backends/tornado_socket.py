"""WebSockets on Tornado: its handler does the handshake once the endpoint has decided."""

import asyncio
from collections.abc import Callable
from typing import Any

from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from utilmeta.core.request.socket import (
    NO_CODE,
    Pairs,
    RawSocket,
    WebSocketDisconnect,
    first_message,
)


class Wire(WebSocketProtocol13):
    """Tornado's protocol, which also tells how a connection without a close frame ended."""

    aborted = False
    local: tuple[int, str] | None = None

    def _abort(self) -> None:
        self.aborted = True
        super()._abort()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close, and keep what we gave as the reason."""
        if code is not None and not self.client_terminated and self.local is None:
            self.local = (code, reason or "")
        super().close(code, reason)


class TornadoSocket(RawSocket):
    """A WebSocket over a handler of Tornado.

    Args:
        handler: the handler.
        subprotocols: those the client offers.
    """

    def __init__(self, handler: "SocketHandler", subprotocols: list[str]) -> None:
        self._handler = handler
        self.subprotocols = subprotocols
        self.chosen: str | None = None
        self.headers: Pairs = ()
        self.refusal: tuple[int, Pairs, bytes] | None = None
        self.decided = asyncio.Event()
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        # One message waits for the endpoint; the next is read when it has been taken.
        self.messages: asyncio.Queue[str | bytes] = asyncio.Queue(1)

    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        self.chosen, self.headers = subprotocol, headers
        self.decided.set()
        if not await self.opened:
            self.state = "gone"
            raise WebSocketDisconnect
        self.state = "open"

    async def receive(self) -> str | bytes:
        """Return the next message."""
        try:
            return await first_message(self.messages, self.gone)
        except WebSocketDisconnect:
            raise self._why() from None

    async def wait_gone(self) -> None:
        """Return when Tornado has told of the end."""
        await self.gone.wait()

    def _why(self) -> WebSocketDisconnect:
        """Return how the conversation ended."""
        self.state = "gone"
        handler, wire = self._handler, self._handler.wire
        if handler.close_code is not None:
            return WebSocketDisconnect(handler.close_code, handler.close_reason or "")
        if wire is not None and wire.local is not None:
            return WebSocketDisconnect(*wire.local)
        if wire is None or wire.aborted:
            return WebSocketDisconnect()
        return WebSocketDisconnect(NO_CODE)

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        try:
            await self._handler.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError as exc:
            raise self._why() from exc

    async def close(self, code: int, reason: str) -> None:
        """Close an open connection."""
        if self.state == "open":
            self.state = "closed"
            self._handler.end(code, reason)

    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status."""
        self.state = "closed"
        self.refusal = (status, headers, body)
        self.decided.set()


class SocketHandler(WebSocketHandler):
    """Tornado's handler of one WebSocket, which asks an endpoint before the handshake."""

    def initialize(self, carry_on: Callable[[RawSocket], Any], tasks: set[Any]) -> None:
        """Take what Tornado hands on.

        Args:
            carry_on: returns the coroutine that is the conversation.
            tasks: holds the conversation's task while it lasts.
        """
        self._carry_on = carry_on
        self._tasks = tasks
        self.wire: Wire | None = None
        self.socket: TornadoSocket | None = None

    def set_default_headers(self) -> None:
        """Leave out the headers of Tornado's own pages."""
        self.clear_header("Server")
        self.clear_header("Content-Type")

    def check_origin(self, _origin: str) -> bool:
        """Let every origin pass: the engine judges it, on all frameworks alike."""
        return True

    def _log(self) -> None:
        """Write no line into Tornado's access log."""

    async def prepare(self) -> None:
        """Let the endpoint decide, before the handshake."""
        offered = self.request.headers.get_list("Sec-WebSocket-Protocol")
        names = [part.strip() for value in offered for part in value.split(",") if part.strip()]
        socket = self.socket = TornadoSocket(self, names)
        self.task = asyncio.ensure_future(self._carry_on(socket))
        self._tasks.add(self.task)
        self.task.add_done_callback(self._tasks.discard)
        deciding = asyncio.ensure_future(socket.decided.wait())
        await asyncio.wait({deciding, self.task}, return_when=asyncio.FIRST_COMPLETED)
        deciding.cancel()
        if socket.decided.is_set() and socket.refusal is None:
            for name, value in socket.headers:
                self.add_header(name, value)
            return
        status, headers, body = socket.refusal or (500, [], b"")
        self.set_status(status)
        for name, value in headers:
            self.add_header(name, value)
        self.finish(body)

    def select_subprotocol(self, _subprotocols: list[str]) -> str | None:
        """Return what the endpoint has chosen."""
        return self.socket.chosen if self.socket is not None else None

    def get_websocket_protocol(self) -> Any:
        """Return the protocol of the connection."""
        made: Any = super().get_websocket_protocol()
        self.wire = Wire(self, False, made.params) if made is not None else None  # noqa: FBT003, RUF100
        return self.wire

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Tell the endpoint that the handshake is done."""
        if self.socket is not None and not self.socket.opened.done():
            self.socket.opened.set_result(True)

    async def on_message(self, message: str | bytes) -> None:
        """Hand a message over; nothing more is read until it has been taken."""
        if self.task.done() or self.socket is None:
            return
        putting = asyncio.ensure_future(self.socket.messages.put(message))
        await asyncio.wait({putting, self.task}, return_when=asyncio.FIRST_COMPLETED)
        putting.cancel()

    def on_close(self) -> None:
        """Tell the endpoint that the connection is closed."""
        if self.socket is not None:
            self.socket.gone.set()

    def on_finish(self) -> None:
        """Tell an endpoint that waits for the handshake that there will be none."""
        if self.get_status() != 101:
            self._give_up()

    def on_connection_close(self) -> None:
        """Tell the endpoint that the client is gone."""
        super().on_connection_close()
        self._give_up()

    def _give_up(self) -> None:
        if self.socket is not None and not self.socket.opened.done():
            self.socket.opened.set_result(False)

    def end(self, code: int, reason: str) -> None:
        """Close the connection, and let messages that are on their way still be told."""
        if self.wire is not None and not self.wire.is_closing():
            self.wire.close(code, reason or None)
