"""Handlers as ASGI applications: requests, and WebSockets over ASGI messages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from utilmeta.core.request.socket import (
    NO_CODE,
    NORMAL,
    POLICY,
    Pairs,
    RawSocket,
    WebSocketDisconnect,
)
from utilmeta.core.server.contract import Handler
from utilmeta.core.server.gateways.asgi import (
    ASGIRequest,
    Message,
    Receive,
    Scope,
    Send,
    send_response,
)

Application = Callable[[Any, Any, Any], Awaitable[None]]


class ASGISocket(RawSocket):
    """A WebSocket over an ASGI scope.

    Args:
        scope: the connection's scope.
        receive: gives its messages.
        send: takes ours.

    Source: the ASGI specification, WebSocket message format.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.subprotocols = list(scope.get("subprotocols") or ())
        self._can_reject = "websocket.http.response" in (scope.get("extensions") or {})

    async def connect(self) -> None:
        """Take the message every connection begins with."""
        await self._receive()

    async def _put(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError as exc:
            # What servers raise once the client is gone (ASGI specification 2.4).
            self.state = "gone"
            raise WebSocketDisconnect from exc

    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        await self._put(
            {
                "type": "websocket.accept",
                "subprotocol": subprotocol,
                "headers": _encoded(headers),
            }
        )
        self.state = "open"

    async def receive(self) -> str | bytes:
        """Return the next message."""
        if self.state != "open":
            raise WebSocketDisconnect
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.state = "gone"
            raise WebSocketDisconnect(message.get("code") or NO_CODE, message.get("reason") or "")
        text = message.get("text")
        found: str | bytes = text if text is not None else message["bytes"]
        return found

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        if self.state != "open":
            raise WebSocketDisconnect
        kind = "text" if isinstance(message, str) else "bytes"
        await self._put({"type": "websocket.send", kind: message})
        # A server that has lost the client may neither wait nor raise until the loop has run.
        await asyncio.sleep(0)

    async def close(self, code: int, reason: str) -> None:
        """Close an open connection."""
        if self.state == "open":
            self.state = "closed"
            await self._put({"type": "websocket.close", "code": code, "reason": reason})

    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status, where the server can; else with 403."""
        self.state = "closed"
        if not self._can_reject:
            await self._put({"type": "websocket.close", "code": POLICY, "reason": ""})
            return
        await self._put(
            {
                "type": "websocket.http.response.start",
                "status": status,
                "headers": _encoded(headers),
            }
        )
        await self._put({"type": "websocket.http.response.body", "body": body})
        # uvicorn reports a handshake that was not completed unless it may look at it again first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def _encoded(headers: Pairs) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class ASGIEndpoint:
    """A handler as an ASGI application, for frameworks that mount such.

    Args:
        handler: answers requests and carries on WebSockets.
        route: the route it is mounted at.
    """

    def __init__(self, handler: Handler, route: str) -> None:
        self._handler = handler
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or carry on one WebSocket."""
        root = scope.get("root_path") or ""
        # A framework that mounts has put the route into the root path.
        prefix = root if scope.get("endpoint") is self else root + self._route
        raw = ASGIRequest(scope, receive, prefix)
        if scope["type"] == "websocket":
            socket = ASGISocket(scope, receive, send)
            await socket.connect()
            await self._handler.asocket(raw, socket)
        else:
            await send_response(await self._handler.ahandle(raw), raw, send)


class Fallback:
    """Endpoints by route, and what answers where none of them does.

    Args:
        default: the answer elsewhere.
    """

    def __init__(self, default: Application) -> None:
        self._default = default
        self.endpoints: list[tuple[str, ASGIEndpoint]] = []

    def add(self, route: str, handler: Handler) -> None:
        """Take in a handler; the longest route that fits counts."""
        self.endpoints.append((route, ASGIEndpoint(handler, route)))
        self.endpoints.sort(key=lambda pair: -len(pair[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the endpoint with the longest route that fits."""
        path: str = scope["path"]
        path = path.removeprefix(scope.get("root_path") or "")
        for route, endpoint in self.endpoints:
            if not route or path == route or path.startswith(route + "/"):
                await endpoint(scope, receive, send)
                return
        await self._default(scope, receive, send)


async def refuse_sockets(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket that no endpoint is for; servers answer it with 403."""
    await receive()
    await send({"type": "websocket.close", "code": NORMAL, "reason": ""})
