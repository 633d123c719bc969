"""WebSockets of a service, without a network between the two sides."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, Self

from utilmeta.core.request.raw import HeaderPairs, RawRequest, locate_encoded
from utilmeta.core.request.socket import NO_CODE, Pairs, RawSocket, WebSocketDisconnect
from utilmeta.core.server.service import UtilMeta


class _Opening(RawRequest):
    """The request that opens a WebSocket."""

    asynchronous: ClassVar[bool] = True

    def __init__(self, target: str, prefix: str, headers: HeaderPairs) -> None:
        path, _, self.query = target.partition("?")
        self.method = "GET"
        self.prefix = prefix
        location = locate_encoded(path.encode(), prefix.count("/"))
        self.path, self.segments, self.fault = location
        self.scheme = "http"
        self.server = ("localhost", 80)
        self.client = ("127.0.0.1", 50000)
        self.native = self
        self._headers = headers

    def headers(self) -> HeaderPairs:
        """Return the header fields."""
        return self._headers

    def stream(self) -> Iterator[bytes]:
        """Yield nothing: there is no body."""
        return iter(())

    async def astream(self) -> AsyncIterator[bytes]:
        """Yield nothing: there is no body."""
        return
        yield


class _Pair(RawSocket):
    """The server's side of a WebSocket whose other side is a session."""

    def __init__(self, subprotocols: list[str]) -> None:
        self.subprotocols = subprotocols
        self.incoming: asyncio.Queue[str | bytes | WebSocketDisconnect] = asyncio.Queue()
        self.outgoing: asyncio.Queue[str | bytes | WebSocketDisconnect] = asyncio.Queue()
        self.decided: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        self.state = "open"
        self.decided.set_result((101, [*headers], subprotocol))

    async def receive(self) -> str | bytes:
        """Return the next message."""
        if self.state != "open":
            raise WebSocketDisconnect
        message = await self.incoming.get()
        if isinstance(message, WebSocketDisconnect):
            self.state = "gone"
            raise message
        return message

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        if self.state != "open":
            raise WebSocketDisconnect
        await self.outgoing.put(message)

    async def close(self, code: int, reason: str) -> None:
        """Close an open connection."""
        if self.state == "open":
            self.state = "closed"
            await self.outgoing.put(WebSocketDisconnect(code, reason))

    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status."""
        self.state = "closed"
        self.decided.set_result((status, [*headers], body))


class WebSocketRefused(Exception):  # noqa: N818 - an answer in place of a connection
    """The service answered the handshake with an HTTP status.

    Args:
        status: the status.
        headers: the header fields by name.
        body: the body.
    """

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        super().__init__(f"the WebSocket was refused with {status}")


class WebSocketSession:
    """The client's side of a WebSocket, in a `with` block; see `Client.websocket`.

    Attributes:
        subprotocol: the one that was chosen; None without one.
        headers: those of the handshake's answer, by name.
    """

    def __init__(
        self,
        service: UtilMeta,
        path: str,
        *,
        run: Callable[[Any], Any],
        headers: dict[str, str],
        subprotocols: tuple[str, ...],
    ) -> None:
        self._service = service
        self._run = run
        pairs = [("host", "localhost"), *((name.lower(), value) for name, value in headers.items())]
        self._opening = _Opening(path, service.route, pairs)
        self._offered = list(subprotocols)
        self._pair: _Pair
        self._task: asyncio.Task[None]
        self.subprotocol: str | None = None
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Open the connection.

        Raises:
            WebSocketRefused: the service answers with an HTTP status.
        """
        self._run(self._open())
        return self

    async def _open(self) -> None:
        pair = self._pair = _Pair(self._offered)
        conversation = self._service.engine.asocket(self._opening, pair)
        self._task = asyncio.ensure_future(conversation)
        await asyncio.wait({self._task, pair.decided}, return_when=asyncio.FIRST_COMPLETED)
        status, headers, rest = pair.decided.result()
        if status != 101:
            await self._task
            raise WebSocketRefused(status, dict(headers), rest)
        self.subprotocol, self.headers = rest, dict(headers)

    def __exit__(self, *_exc: object) -> None:
        """Close the connection, and wait until the endpoint has ended."""
        self.close()
        self._run(self._settle())

    async def _settle(self) -> None:
        await self._task

    def send(self, message: str | bytes) -> None:
        """Send a message as it is."""
        self._run(self._pair.incoming.put(message))

    def send_json(self, value: object) -> None:
        """Send a value as JSON."""
        self.send(json.dumps(value))

    def receive(self, timeout: float = 10.0) -> str | bytes:
        """Return the next message.

        Args:
            timeout: seconds to wait for it.

        Raises:
            WebSocketDisconnect: the service has closed.
            TimeoutError: none came in time.
        """
        message: str | bytes | WebSocketDisconnect = self._run(
            asyncio.wait_for(self._pair.outgoing.get(), timeout)
        )
        if isinstance(message, WebSocketDisconnect):
            raise message
        return message

    def receive_json(self, timeout: float = 10.0) -> Any:
        """Return the value of the next message; see `receive`."""
        return json.loads(self.receive(timeout))

    def close(self, code: int = NO_CODE, reason: str = "") -> None:
        """Close the connection."""
        self._run(self._pair.incoming.put(WebSocketDisconnect(code, reason)))
