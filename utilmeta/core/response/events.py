"""Streams of records: server-sent events and JSON lines."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, TypeVar

from utilmeta.core.response.raw import aclose_source, close_source
from utilmeta.core.response.response import Response
from utilmeta.utils.exceptions import HttpError

R = TypeVar("R")
Encode = Callable[[object], bytes]

EVENTS = "text/event-stream"
LINES = "application/jsonl"
# A comment, which keeps proxies from closing a silent stream and clients from waiting in vain.
KEEP_ALIVE = b": keep-alive\n\n"

logger = logging.getLogger("utilmeta.errors")


class ServerSentEvent:
    """One event of a stream.

    A subclass may set `event` and annotate `data`, which names and types it.

    Args:
        event: its name; None is a `message`.
        data: text as it is, anything else as JSON.
        id: what a client that comes back sends as `Last-Event-ID`.
        retry: milliseconds a client waits before it comes back.
        comment: a line that clients ignore.

    Source: HTML Living Standard, section 9.2.6.
    """

    event: str | None = None
    data: Any = None

    def __init__(
        self,
        event: str | None = None,
        data: object = None,
        id: str | int | None = None,  # noqa: A002 - the field's own name
        retry: int | None = None,
        comment: str | None = None,
    ) -> None:
        if event is not None:
            self.event = event
        if data is not None:
            self.data = data
        self.id = id
        self.retry = retry
        self.comment = comment

    def encode(self, encode: Encode) -> bytes:
        """Return the event as it is sent.

        Raises:
            ValueError: its name or id holds a line break, which would begin another event.
        """
        lines: list[str] = []
        if self.comment is not None:
            lines += [f": {line}" for line in self.comment.splitlines()]
        for name, value in (("event", self.event), ("id", self.id), ("retry", self.retry)):
            if value is None:
                continue
            text = str(value)
            if "\n" in text or "\r" in text or "\x00" in text:
                raise ValueError(f"server-sent event: {name} {text!r} holds a line break")
            lines.append(f"{name}: {text}")
        if self.data is not None or self.comment is None:
            text = self.data if isinstance(self.data, str) else encode(self.data).decode()
            parts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            lines += [f"data: {part}" for part in parts]
        return ("\n".join(lines) + "\n\n").encode()


class SSEResponse(Response[R]):
    """A stream of server-sent events: return it, or annotate a generator with it.

    The generator yields `ServerSentEvent`s, or values that become the data of one. One that fails
    after it began ends with an event named `error`.

    Attributes:
        keep_alive: seconds of silence after which a comment is sent, on async services; None never.
    """

    content_type = EVENTS
    keep_alive: ClassVar[float | None] = 15.0

    @classmethod
    def encode_item(cls, item: object, encode: Encode) -> bytes:
        """Return one item of the stream as it is sent."""
        event = item if isinstance(item, ServerSentEvent) else ServerSentEvent(data=item)
        return event.encode(encode)

    @classmethod
    def encode_error(cls, error: Exception, encode: Encode) -> bytes:
        """Return the last event of a stream that failed; unexpected errors keep their text."""
        text = error.message if isinstance(error, HttpError) else "Internal Server Error"
        return ServerSentEvent("error", {"message": text}).encode(encode)


class JSONLinesResponse(Response[R]):
    """A stream of JSON values, one a line: return it, or annotate a generator with it."""

    content_type = LINES
    keep_alive: ClassVar[float | None] = None

    @classmethod
    def encode_item(cls, item: object, encode: Encode) -> bytes:
        """Return one item of the stream as it is sent."""
        return encode(item) + b"\n"

    @classmethod
    def encode_error(cls, error: Exception, encode: Encode) -> bytes:
        """Let the error end the stream: half a body must not look whole."""
        raise error


RecordStream = type[SSEResponse[Any]] | type[JSONLinesResponse[Any]]


def encode_records(
    source: Any, kind: RecordStream, encode: Encode
) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Return the bytes of a stream of records.

    Args:
        source: a sync or async iterable.
        kind: how each is written.
        encode: makes JSON.
    """
    if hasattr(source, "__aiter__"):
        return _aencode(source.__aiter__(), kind, encode)
    return _encode(iter(source), kind, encode)


def _encode(source: Iterator[Any], kind: RecordStream, encode: Encode) -> Iterator[bytes]:
    sent = False
    try:
        for item in source:
            yield kind.encode_item(item, encode)
            sent = True
    except Exception as exc:
        if not sent:
            raise
        logger.exception("a stream failed: %s", type(exc).__name__)
        yield kind.encode_error(exc, encode)
    finally:
        close_source(source)


async def _aencode(
    source: AsyncIterator[Any], kind: RecordStream, encode: Encode
) -> AsyncIterator[bytes]:
    sent = False
    try:
        async for item in source:
            yield kind.encode_item(item, encode)
            sent = True
    except Exception as exc:
        if not sent:
            raise
        logger.exception("a stream failed: %s", type(exc).__name__)
        yield kind.encode_error(exc, encode)
    finally:
        await aclose_source(source)
