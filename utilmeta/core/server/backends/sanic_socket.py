"""WebSockets on Sanic: its protocol reads and writes, `websockets` keeps the rules."""

import asyncio
from collections import deque
from typing import Any

from sanic.log import websockets_logger
from sanic.server import HttpProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from utilmeta.core.request.socket import (
    FAILED,
    GOING_AWAY,
    GONE,
    INVALID,
    Pairs,
    RawSocket,
    WebSocketDisconnect,
)

_MESSAGES = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Wire:
    """What Sanic's protocol hands the bytes of an upgraded connection to.

    It stands in for Sanic's own implementation, whose `recv` loses messages that were received
    before a close, and which cannot be told further headers of the handshake.

    Args:
        protocol: Sanic's protocol of the connection.
        rules: the state of the WebSocket.
    """

    def __init__(self, protocol: Any, rules: ServerProtocol) -> None:
        self.io = protocol
        # Sanic looks at these two.
        self.ws_proto = rules
        self.loop = protocol.loop
        self._transport = protocol.transport
        self._messages: deque[str | bytes] = deque()
        self._news = asyncio.Event()
        self.over = asyncio.Event()
        self._parts: list[bytes] = []
        self._is_text = False
        self._is_paused = False
        self._is_lost = False
        self._waits_for_pong = False
        self._timer: asyncio.TimerHandle | None = None
        self._pinger: asyncio.Task[None] | None = None
        if protocol.websocket_ping_interval:
            self._pinger = self.loop.create_task(self._ping())

    # -- called by Sanic --------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        self.ws_proto.receive_data(data)
        self._take_events()

    def eof_received(self) -> bool:
        """Take the end of the client's bytes."""
        self.ws_proto.receive_eof()
        self._take_events()
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self._is_lost = True
        if self.ws_proto.state is not State.CLOSED:
            self.ws_proto.receive_eof()
            self.ws_proto.data_to_send()
        for pending in (self._pinger, self._timer):
            if pending is not None:
                pending.cancel()
        self._news.set()
        self.over.set()

    def end_connection(self, code: int = GOING_AWAY, reason: str = "") -> None:
        """Close, as the view has returned."""
        self.begin_close(code, reason)

    async def close(self, code: int = GOING_AWAY, reason: str = "") -> None:
        """Close, as the server shuts down."""
        self.begin_close(code, reason)

    def fail_connection(self, _code: int = GONE, _reason: str = "") -> None:
        """Give up a connection that has not closed in time."""
        self._transport.abort()

    # -- called by the socket ---------------------------------------------------------------------

    def begin_close(self, code: int, reason: str) -> None:
        """Send a close frame, once, and give the client some time to answer it."""
        if self.ws_proto.state is not State.OPEN or self._is_lost:
            return
        self.ws_proto.send_close(code, reason)
        self._flush()
        if self._is_paused:
            # The client's answer has to be read.
            self._is_paused = False
            self._transport.resume_reading()
        self._timer = self.loop.call_later(self.io.websocket_timeout, self._transport.abort)
        self._news.set()

    async def receive(self) -> str | bytes:
        """Return the next message; those that came before a close come first."""
        while not self._messages:
            if self.is_gone:
                raise self.why()
            self._news.clear()
            await self._news.wait()
        message = self._messages.popleft()
        if not self._messages and self._is_paused:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return message

    async def send(self, message: str | bytes) -> None:
        """Send a message, waiting while the connection takes none."""
        await self.io._can_write.wait()  # noqa: SLF001 - how Sanic's own responses wait
        if self.is_gone:
            raise self.why()
        if isinstance(message, str):
            self.ws_proto.send_text(message.encode())
        else:
            self.ws_proto.send_binary(message)
        self._flush()
        # The loop has to run, or the loss of a client would never be seen.
        await asyncio.sleep(0)
        await self.io._can_write.wait()  # noqa: SLF001 - how Sanic's own responses wait

    @property
    def is_gone(self) -> bool:
        """Whether nothing more can be sent."""
        lost = self._is_lost or self._transport.is_closing()
        return lost or self.ws_proto.state is not State.OPEN

    def why(self) -> WebSocketDisconnect:
        """Return how the conversation ended."""
        close = self.ws_proto.close_rcvd or self.ws_proto.close_sent
        return WebSocketDisconnect(close.code, close.reason) if close else WebSocketDisconnect()

    # -- inside -----------------------------------------------------------------------------------

    def _take_events(self) -> None:
        for event in self.ws_proto.events_received():
            if not isinstance(event, Frame):
                continue
            if event.opcode is Opcode.PONG:
                self._waits_for_pong = False
            elif event.opcode in _MESSAGES and not self._take_frame(event):
                break
        self._flush()
        is_open = self.ws_proto.state is State.OPEN and not self._transport.is_closing()
        if self._messages and not self._is_paused and is_open:
            # The next message is read when this one has been taken.
            self._is_paused = True
            self._transport.pause_reading()
        self._news.set()
        if self.ws_proto.state is not State.OPEN:
            self.over.set()

    def _take_frame(self, frame: Frame) -> bool:
        """Take a part of a message; False when the conversation has to end."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return True
        whole = b"".join(self._parts)
        self._parts = []
        if not self._is_text:
            self._messages.append(whole)
            return True
        try:
            self._messages.append(whole.decode())
        except UnicodeDecodeError:
            self.ws_proto.fail(INVALID, "invalid UTF-8")
            return False
        return True

    def _flush(self) -> None:
        for data in self.ws_proto.data_to_send():
            if self._transport.is_closing():
                continue
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    async def _ping(self) -> None:
        """Ask from time to time whether the client is there."""
        while True:
            await asyncio.sleep(self.io.websocket_ping_interval)
            if self.ws_proto.state is not State.OPEN:
                return
            self._waits_for_pong = True
            self.ws_proto.send_ping(b"utilmeta")
            self._flush()
            if self.io.websocket_ping_timeout:
                await asyncio.sleep(self.io.websocket_ping_timeout)
                # While reading is paused, no answer could be seen.
                if self._waits_for_pong and not self._is_paused:
                    self.ws_proto.fail(FAILED, "keepalive ping timeout")
                    self._flush()
                    self._transport.abort()
                    return


class SanicSocket(RawSocket):
    """A WebSocket over a request of Sanic that asks for one.

    Args:
        request: Sanic's request.

    Attributes:
        answer: status, headers and body that refuse the handshake; None when it was accepted.
        is_lost: whether the client went before the handshake.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        offered = request.headers.getall("sec-websocket-protocol", [])
        self.subprotocols = [part.strip() for value in offered for part in value.split(",")]
        self.answer: tuple[int, Pairs, bytes] | None = None
        self.is_lost = False
        self.wire: Wire | None = None
        self._accepted = asyncio.Event()

    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        transport = self._request.transport
        if self.is_lost or transport.is_closing():
            self.state = "gone"
            raise WebSocketDisconnect
        protocol = transport.get_protocol()
        chosen: Any = [subprotocol] if subprotocol else None
        rules = ServerProtocol(
            max_size=protocol.websocket_max_size,
            state=State.OPEN,
            logger=websockets_logger,
            subprotocols=chosen,
        )
        sent = Headers(self._request.headers.items())
        answer = rules.accept(Handshake(path=self._request.path, headers=sent))
        for name, value in headers:
            # Assigning adds a field, as repeats are kept.
            answer.headers[name] = value
        head = b"HTTP/1.1 101 Switching Protocols\r\n" + answer.headers.serialize()
        send: Any = HttpProtocol.send
        await send(protocol, head)
        self.wire = protocol.websocket = Wire(protocol, rules)
        self._accepted.set()
        protocol.websocket_url = self._request.url
        protocol.websocket_peer = f"{self._request.client_ip}:{self._request.port}"
        self.state = "open"
        if protocol.recv_buffer:
            data = bytes(protocol.recv_buffer)
            protocol.recv_buffer.clear()
            self.wire.data_received(data)

    async def receive(self) -> str | bytes:
        """Return the next message."""
        if self.wire is None:
            raise WebSocketDisconnect
        try:
            return await self.wire.receive()
        except WebSocketDisconnect:
            self.state = "gone"
            raise

    async def wait_gone(self) -> None:
        """Return when the connection is lost or closing."""
        await self._accepted.wait()
        if self.wire is not None:
            await self.wire.over.wait()

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        if self.wire is None:
            raise WebSocketDisconnect
        await self.wire.send(message)

    async def close(self, code: int, reason: str) -> None:
        """Close an open connection."""
        if self.wire is not None and self.state == "open":
            self.state = "closed"
            self.wire.begin_close(code, reason)

    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status."""
        self.state = "closed"
        self.answer = (status, headers, body)
