"""What an adapter hands in for a WebSocket, besides its opening request."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

Pairs = Sequence[tuple[str, str]]

# Close codes (RFC 6455 section 7.4.1).
NORMAL, GOING_AWAY, INVALID, POLICY, FAILED = 1000, 1001, 1007, 1008, 1011
RESTART = 1012
NO_CODE, GONE = 1005, 1006

# Bytes of a close frame's reason.
MAX_REASON = 123


class WebSocketDisconnect(Exception):  # noqa: N818 - no error: how a conversation ends
    """The other side has closed the connection, or it is lost.

    Args:
        code: the close code; 1005 without one, 1006 when the connection was lost.
        reason: what the other side said.
    """

    def __init__(self, code: int = GONE, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}".strip())


class RawSocket(ABC):
    """A WebSocket as a server gave it; each gateway has a subclass.

    Attributes:
        subprotocols: those the client offers, in its order.
        state: `connecting`, `open`, `closed` (by us, or refused) or `gone` (by the client).
    """

    subprotocols: list[str]
    state: str = "connecting"

    @abstractmethod
    async def accept(self, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake.

        Raises:
            WebSocketDisconnect: the client is gone.
        """

    @abstractmethod
    async def receive(self) -> str | bytes:
        """Return the next message, text or binary.

        Raises:
            WebSocketDisconnect: there will be none.
        """

    @abstractmethod
    async def wait_gone(self) -> None:
        """Return when the client is known to be gone, or to have closed an open connection."""

    @abstractmethod
    async def send(self, message: str | bytes) -> None:
        """Send a message, waiting while the client takes none.

        Raises:
            WebSocketDisconnect: the client is gone.
        """

    @abstractmethod
    async def close(self, code: int, reason: str) -> None:
        """Close an open connection; harmless when it is closed."""

    @abstractmethod
    async def reject(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer the handshake with an HTTP status in place of a connection."""


async def first_message(messages: "asyncio.Queue[str | bytes]", gone: asyncio.Event) -> str | bytes:
    """Return the next message of a queue; those that are there come before the end.

    Raises:
        WebSocketDisconnect: there is none, and the other side is gone.
    """
    if messages.empty() and gone.is_set():
        raise WebSocketDisconnect
    getting = asyncio.ensure_future(messages.get())
    going = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({getting, going}, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
    finally:
        going.cancel()
        getting.cancel()
    if not messages.empty():
        return messages.get_nowait()
    raise WebSocketDisconnect


def short_reason(text: str) -> str:
    """Return a close reason that fits into its frame."""
    return text.encode()[:MAX_REASON].decode(errors="ignore")


def is_upgrade(method: str, headers: Pairs) -> bool:
    """Return whether a request opens a WebSocket, by what every such request has to hold.

    Source: RFC 6455 section 4.2.1.
    """

    def values(name: str) -> list[str]:
        found = [value for key, value in headers if key.lower() == name]
        return [part.strip().lower() for value in found for part in value.split(",")]

    return (
        method == "GET"
        and "websocket" in values("upgrade")
        and "upgrade" in values("connection")
        and values("sec-websocket-version") == ["13"]
        and len(values("sec-websocket-key")) == 1
        and len(values("host")) == 1
    )
