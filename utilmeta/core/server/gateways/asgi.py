"""ASGI: scopes and messages in, messages out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar

from utilmeta.core.request.raw import (
    HeaderPairs,
    Location,
    RawRequest,
    locate_decoded,
    locate_encoded,
    locate_plain,
)
from utilmeta.core.response import RawResponse
from utilmeta.core.server.contract import Hooks
from utilmeta.utils.exceptions import BadRequest

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


# A WebSocket's scheme is that of the request that opens it.
_SCHEMES = {"ws": "http", "wss": "https"}


class ASGIRequest(RawRequest):
    """A raw request over an ASGI scope.

    Args:
        scope: the connection's scope.
        receive: gives the body's messages.
        prefix: the route below which the handler answers, the server's root path included.
        native: the framework's own request; None stands for the scope.
    """

    __slots__ = ("reading", "receive", "scope")

    asynchronous: ClassVar[bool] = True

    def __init__(self, scope: Scope, receive: Receive, prefix: str, native: object = None) -> None:
        self.scope = scope
        self.receive = receive
        if native is not None:
            self.native = native
        # A WebSocket's scope names no method; its handshake is a GET.
        self.method = scope["method"].upper() if "method" in scope else "GET"
        self.prefix = prefix
        self.reading = False
        sent = scope.get("raw_path")
        is_plain = sent is None or b"%" not in sent
        location = locate_plain(_whole_path(scope), prefix) if is_plain else None
        self.path, self.segments, self.fault = location or _locate(scope, prefix.count("/"))

    def _late_native(self) -> Any:
        return self.scope

    def _late_query(self) -> str:
        query: str = self.scope["query_string"].decode("latin-1")
        return query

    def _late_scheme(self) -> str:
        scheme: str = self.scope.get("scheme", "http")
        return _SCHEMES.get(scheme, scheme)

    def _late_server(self) -> tuple[str, int | None] | None:
        return _address(self.scope.get("server"))

    def _late_client(self) -> tuple[str, int] | None:
        client = _address(self.scope.get("client"))
        return (client[0], client[1] or 0) if client else None

    def headers(self) -> HeaderPairs:
        """Return the header fields."""
        return [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in self.scope["headers"]
        ]

    def header(self, name: str) -> str | None:
        """Return the value of a header given in lower case, repeats joined by `, `."""
        wanted = name.encode("latin-1")
        found: bytes | None = None
        # Servers give names in lower case (ASGI specification, HTTP connection scope).
        for key, value in self.scope["headers"]:
            if key == wanted:
                found = value if found is None else found + b", " + value
        return None if found is None else found.decode("latin-1")

    def stream(self) -> Iterator[bytes]:
        """Refuse: an async server's body is read with `astream`."""
        raise TypeError("the body of an async server's request is read with astream()")

    async def astream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            BadRequest: the client went away before the end.
        """
        more = self.reading = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The client went away before the request body ended")
            chunk = message.get("body", b"")
            more = self.reading = message.get("more_body", False)
            if chunk:
                yield chunk


def _whole_path(scope: Scope) -> str:
    root, path = scope.get("root_path"), scope["path"]
    if not root:
        return str(path)
    # Older servers leave the root path out of `path`.
    return str(path if path.startswith(root) else root + path)


def _locate(scope: Scope, depth: int) -> Location:
    """Return where a request points whose path has to be looked at."""
    target = _target(scope)
    if target is not None:
        return locate_encoded(target, depth)
    return locate_decoded(_whole_path(scope).encode(), depth)


def _target(scope: Scope) -> bytes | None:
    raw: bytes | None = scope.get("raw_path")
    root = scope.get("root_path") or ""
    # A root path that the server was told of is in `path` but not in what was sent.
    if raw is None or not raw.startswith(root.encode()):
        return None
    return raw


def _address(pair: Any) -> tuple[str, int | None] | None:
    if not pair or not pair[0]:
        return None
    port = str(pair[1] if pair[1] is not None else "")
    return pair[0], int(port) if port.isdigit() else None


async def send_response(response: RawResponse, raw: ASGIRequest, send: Send) -> None:
    """Write a response as ASGI messages, and close it."""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
    ]
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    body: Any = response.body
    if isinstance(body, bytes):
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    sender = asyncio.ensure_future(_send_stream(start, body, send))
    tasks = [sender]
    if not raw.reading:
        # While the request's body is still read, its own reader learns of a client that is gone.
        tasks.append(asyncio.ensure_future(_until_gone(raw.receive)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if sender.done():
            sender.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await response.aclose()


async def _send_stream(start: Message, body: AsyncIterator[bytes], send: Send) -> None:
    await send(start)
    async for chunk in body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Lifespan:
    """Answers ASGI's lifespan messages with a service's hooks.

    Args:
        hooks: the service's.
    """

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Run start-up, wait for the end, run shutdown."""
        await receive()
        try:
            await self._hooks.start_or_raise()
        except Exception as exc:
            await send(
                {"type": "lifespan.startup.failed", "message": f"{type(exc).__name__}: {exc}"}
            )
            raise
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            await asyncio.shield(self._hooks.astop())
        await send({"type": "lifespan.shutdown.complete"})
