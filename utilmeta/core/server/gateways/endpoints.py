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
    first_message,
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
from utilmeta.core.server.gateways.entrance import Routes, Watch

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
        # One message waits for the endpoint; the server keeps the rest.
        self._messages: asyncio.Queue[str | bytes] = asyncio.Queue(1)
        self._gone = asyncio.Event()
        self._end = WebSocketDisconnect()
        self._reader: asyncio.Task[None] | None = None

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
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        """Read ahead by one message, so that the end is known to an endpoint that only sends."""
        while (message := await self._receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await self._messages.put(text if text is not None else message["bytes"])
        self._end = WebSocketDisconnect(message.get("code") or NO_CODE, message.get("reason") or "")
        self._gone.set()

    async def receive(self) -> str | bytes:
        """Return the next message."""
        if self.state != "open":
            raise WebSocketDisconnect
        try:
            return await first_message(self._messages, self._gone)
        except WebSocketDisconnect:
            self.state = "gone"
            raise self._end from None

    async def wait_gone(self) -> None:
        """Return when the server has told of the end."""
        await self._gone.wait()

    async def aclose(self) -> None:
        """End the reading; the conversation is over."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

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
            try:
                await self._handler.asocket(raw, socket)
            finally:
                await socket.aclose()
        else:
            await send_response(await self._handler.ahandle(raw), raw, send)


class Fallback:
    """Endpoints by route, and what answers where none of them does.

    Args:
        default: the answer elsewhere.
    """

    def __init__(self, default: Application) -> None:
        self._default = default
        self.routes = Routes()

    def add(self, route: str, handler: Handler) -> None:
        """Take in a handler; the longest route that fits counts."""
        self.routes.add(route, ASGIEndpoint(handler, route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the endpoint with the longest route that fits."""
        path: str = scope["path"]
        found = self.routes.find(path.removeprefix(scope.get("root_path") or ""))
        await (self._default if found is None else found[1])(scope, receive, send)


class ASGIEntrance:
    """Answers requests for endpoints before an application sees them, as long as it is open.

    Args:
        inner: the application's own way.
        routes: the endpoints.
        watch: whether it is open.
        router: what the application would have told of itself.
    """

    def __init__(self, inner: Application, routes: Routes, watch: Watch, router: object) -> None:
        self._inner = inner
        self._router = router
        self._find = routes.find
        self._reason = watch.reason

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http" and not scope.get("root_path") and self._reason() is None:
            found = self._find(scope["path"])
            if found is not None:
                told: Any = scope
                told["router"] = self._router
                await found[1](scope, receive, send)
                return
        await self._inner(scope, receive, send)


async def refuse_sockets(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket that no endpoint is for; servers answer it with 403."""
    await receive()
    await send({"type": "websocket.close", "code": NORMAL, "reason": ""})
