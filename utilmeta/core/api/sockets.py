"""WebSockets as endpoints see them: typed messages in both directions."""

import typing
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Generic, TypeVar

import pydantic

from utilmeta.core.api.arguments import adapter_of, explain
from utilmeta.core.request import Request
from utilmeta.core.request.socket import (
    NORMAL,
    Pairs,
    RawSocket,
    WebSocketDisconnect,
    short_reason,
)
from utilmeta.core.response.encode import Encoder
from utilmeta.core.response.headers import check_header
from utilmeta.utils.exceptions import BadRequest, ConfigError

# Codes that a side may send (RFC 6455 section 7.4.1, and IANA's registry).
_CODES = frozenset({*range(1000, 1004), *range(1007, 1015)})

In = TypeVar("In")
Out = TypeVar("Out")


class WebSocket(Generic[In, Out]):
    """A WebSocket connection: the first argument of an `@api.ws` endpoint.

    `WebSocket[In, Out]` types its messages: what comes in is validated, what goes out is JSON;
    `str` and `bytes` are sent and received as they are. Without types, texts and bytes come in as
    they are. The handshake is completed by the first `send` or `receive` unless `accept` is called.

    Attributes:
        request: the request that opened it.
    """

    def __init__(
        self,
        raw: RawSocket,
        request: Request,
        encode: Encoder,
        read: Callable[[str | bytes], Any] | None = None,
    ) -> None:
        self.request = request
        self._raw = raw
        self._encode = encode
        self._read = read

    @property
    def subprotocols(self) -> list[str]:
        """Subprotocols the client offers, in its order."""
        return self._raw.subprotocols

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._raw.state == "open"

    async def accept(
        self, subprotocol: str | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Complete the handshake.

        Args:
            subprotocol: one of those offered.
            headers: further header fields of the answer.

        Raises:
            ValueError: the subprotocol was not offered, or a header cannot be sent.
            WebSocketDisconnect: the client is gone.
        """
        if subprotocol is not None and subprotocol not in self._raw.subprotocols:
            raise ValueError(
                f"WebSocket.accept({subprotocol!r}): the client offers {self._raw.subprotocols}"
            )
        if self._raw.state == "connecting":
            checked = [(name, check_header(name, value)) for name, value in headers]
            await self._raw.accept(subprotocol, checked)

    async def receive(self) -> In:
        """Return the next message.

        Raises:
            BadRequest: it does not fit its type; caught, the conversation may go on, else it is
                closed with 1007.
            WebSocketDisconnect: the connection is closed.
        """
        await self.accept()
        message = await self._raw.receive()
        if self._read is None:
            return message  # type: ignore[return-value]
        try:
            value: In = self._read(message)
        except pydantic.ValidationError as exc:
            faults = [explain(error, root="message") for error in exc.errors(include_url=False)]
            raise BadRequest("The message is invalid", errors=faults) from exc
        return value

    async def send(self, message: Out) -> None:
        """Send a message: text and bytes as they are, anything else as JSON.

        Raises:
            WebSocketDisconnect: the connection is closed.
        """
        await self.accept()
        if isinstance(message, str | bytes):
            await self._raw.send(message)
        else:
            await self._raw.send(self._encode(message).decode())

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the connection; before the handshake it is refused with 403.

        Args:
            code: 1000 for a usual end, 3000 to 4999 for a project's own.
            reason: up to 123 bytes of text; the rest is left out.

        Raises:
            ValueError: the code is none that may be sent.
        """
        if code not in _CODES and not 3000 <= code <= 4999:
            raise ValueError(
                f"WebSocket.close({code}): expected 1000 to 1003, 1007 to 1014, or 3000 to 4999"
            )
        if self._raw.state == "connecting":
            await self._raw.reject(403, [("content-length", "0")], b"")
        else:
            await self._raw.close(code, short_reason(reason))

    def __aiter__(self) -> AsyncIterator[In]:
        return self._messages()

    async def _messages(self) -> AsyncIterator[In]:
        """Yield messages until the connection is closed."""
        while True:
            try:
                message = await self.receive()
            except WebSocketDisconnect:
                return
            yield message


def make_reader(annotation: Any, where: str) -> Callable[[str | bytes], Any] | None:
    """Return what turns a message into the `In` of `WebSocket[In, Out]`; None for messages as are.

    Raises:
        ConfigError: the annotation is no WebSocket, or its type cannot be validated.
    """
    origin = typing.get_origin(annotation) or annotation
    if annotation is not Any and annotation is not None and origin is not WebSocket:
        raise ConfigError(
            f"{where}: the first argument of a WebSocket endpoint is the socket; annotate it "
            "api.WebSocket, or api.WebSocket[In, Out]"
        )
    arguments = typing.get_args(annotation)
    if not arguments or arguments[0] in (Any, str, bytes, str | bytes):
        return None
    validate: Callable[[str | bytes], Any] = adapter_of(arguments[0], where).validate_json
    return validate


__all__ = ["Pairs", "WebSocket", "WebSocketDisconnect", "make_reader"]
