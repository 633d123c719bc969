"""WebSockets of a service, without a network between the two sides."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, Self

from utilmeta.core.request.headers import Headers
from utilmeta.core.request.raw import HeaderPairs, RawRequest, locate_encoded
from utilmeta.core.request.socket import (
    NO_CODE,
    Pairs,
    RawSocket,
    WebSocketDisconnect,
    first_message,
)
from utilmeta.core.server.inprocess import Sent
from utilmeta.core.server.service import UtilMeta

# Seconds that an endpoint has to end once the session has.
SETTLE = 12.0


class _Opening(RawRequest):
    """The request that opens a WebSocket."""

    asynchronous: ClassVar[bool] = True

    def __init__(self, sent: Sent, prefix: str) -> None:
        path, _, self.query = sent.target.partition("?")
        self.method = "GET"
        self.prefix = prefix
        location = locate_encoded(path.encode(), prefix.count("/"))
        self.path, self.segments, self.fault = location
        self.scheme = sent.scheme
        self.server = sent.host
        self.client = sent.client
        self.native = self
        self._headers = sent.headers

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
        self.incoming: asyncio.Queue[str | bytes] = asyncio.Queue()
        # A client that takes nothing makes the endpoint wait, as a network would.
        self.outgoing: asyncio.Queue[str | bytes] = asyncio.Queue(64)
        self.gone = asyncio.Event()
        self.over = asyncio.Event()
        self.end = WebSocketDisconnect(NO_CODE)
        self.decided: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        self.state = "open"
        self.decided.set_result((101, [*headers], subprotocol))

    async def receive(self) -> str | bytes:
        """Return the next message."""
        if self.state != "open":
            raise WebSocketDisconnect
        try:
            return await first_message(self.incoming, self.gone)
        except WebSocketDisconnect:
            self.state = "gone"
            raise self.end from None

    async def wait_gone(self) -> None:
        """Return when the session has closed."""
        await self.gone.wait()

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        putting = asyncio.ensure_future(self.outgoing.put(message))
        going = asyncio.ensure_future(self.gone.wait())
        await asyncio.wait({putting, going}, return_when=asyncio.FIRST_COMPLETED)
        going.cancel()
        # Lets the other side run, whatever the endpoint does.
        await asyncio.sleep(0)
        if self.state != "open" or self.gone.is_set():
            putting.cancel()
            self.state = "gone"
            raise self.end

    async def close(self, code: int, reason: str) -> None:
        """Close an open connection."""
        if self.state == "open":
            self.state = "closed"
            self.end = WebSocketDisconnect(code, reason)
            self.over.set()

    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status."""
        self.state = "closed"
        self.decided.set_result((status, [*headers], body))


class WebSocketRefused(Exception):  # noqa: N818 - an answer in place of a connection
    """The service answered the handshake with an HTTP status.

    Args:
        status: the status.
        headers: the header fields.
        body: the body.
    """

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        super().__init__(f"the WebSocket was refused with {status}")


class WebSocketSession:
    """The client's side of a WebSocket, in a `with` block; see `Client.websocket`.

    Attributes:
        subprotocol: the one that was chosen; None without one.
        headers: those of the handshake's answer.
    """

    def __init__(
        self,
        service: UtilMeta,
        sent: Sent,
        *,
        run: Callable[[Any], Any],
        subprotocols: tuple[str, ...],
    ) -> None:
        self._service = service
        self._run = run
        self._opening = _Opening(sent, service.route)
        self._offered = list(subprotocols)
        self._pair: _Pair
        self._task: asyncio.Task[None]
        self.subprotocol: str | None = None
        self.headers = Headers(())

    def __enter__(self) -> Self:
        """Open the connection.

        Raises:
            WebSocketRefused: the service answers with an HTTP status.
        """
        self._run(self._open())
        return self

    async def _open(self) -> None:
        pair = self._pair = _Pair(self._offered)
        conversation = self._service.handler.asocket(self._opening, pair)
        self._task = asyncio.ensure_future(conversation)
        await asyncio.wait({self._task, pair.decided}, return_when=asyncio.FIRST_COMPLETED)
        status, headers, rest = pair.decided.result()
        if status != 101:
            await self._task
            raise WebSocketRefused(status, _lowered(headers), rest)
        self.subprotocol, self.headers = rest, _lowered(headers)

    def __exit__(self, *_exc: object) -> None:
        """Close the connection, and wait until the endpoint has ended.

        Raises:
            TimeoutError: it goes on; it has been cancelled.
        """
        self.close()
        self._run(self._settle())

    async def _settle(self) -> None:
        done, _ = await asyncio.wait({self._task}, timeout=SETTLE)
        if not done:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise TimeoutError(f"the endpoint has not ended {SETTLE} seconds after the client")
        self._task.result()

    def send(self, message: str | bytes) -> None:
        """Send a message as it is.

        Raises:
            TypeError: it is neither text nor bytes; values are sent by `send_json`.
        """
        if not isinstance(message, str | bytes):
            raise TypeError(f"send({message!r}): expected text or bytes; use send_json for values")
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
        message: str | bytes = self._run(self._receive(timeout))
        return message

    async def _receive(self, timeout: float) -> str | bytes:  # noqa: ASYNC109 - the caller's
        pair = self._pair
        try:
            return await asyncio.wait_for(first_message(pair.outgoing, pair.over), timeout)
        except WebSocketDisconnect:
            raise pair.end from None

    def receive_json(self, timeout: float = 10.0) -> Any:
        """Return the value of the next message; see `receive`."""
        return json.loads(self.receive(timeout))

    def close(self, code: int = NO_CODE, reason: str = "") -> None:
        """Close the connection."""
        self._run(self._leave(code, reason))

    async def _leave(self, code: int, reason: str) -> None:
        if self._pair.state == "open":
            self._pair.end = WebSocketDisconnect(code, reason)
        self._pair.gone.set()


def _lowered(headers: HeaderPairs) -> Headers:
    return Headers((name.lower(), value) for name, value in headers)
