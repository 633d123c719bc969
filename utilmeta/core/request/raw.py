"""What an adapter hands in: a request before anything is made of it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote_to_bytes

from utilmeta.utils.exceptions import BadRequest, RequestEntityTooLarge

HeaderPairs = list[tuple[str, str]]

# More digits than any length in bytes has.
_LENGTH_DIGITS = 18


class RawRequest(ABC):
    """A request as a server gave it; each gateway has a subclass that reads its own kind.

    Attributes:
        method: upper case.
        prefix: where the service is mounted, `''` or `/api`.
        path: what follows the prefix, percent-decoded, `''` or starting with `/`.
        segments: the decoded parts of `path` when one of them holds an encoded slash, else None.
        fault: why the request must be refused before it is looked at; None for a sound one.
        query: the query string as sent, without `?`.
        scheme: `http` or `https`, as the server saw it.
        server: host and port of the server; None when the server does not tell.
        client: address and port of the socket's peer; None for unix sockets.
        native: the framework's own request.
    """

    __slots__ = (
        "client",
        "fault",
        "method",
        "native",
        "path",
        "prefix",
        "query",
        "scheme",
        "segments",
        "server",
    )

    asynchronous: ClassVar[bool] = False

    method: str
    prefix: str
    path: str
    segments: tuple[str, ...] | None
    fault: str | None
    query: str
    scheme: str
    server: tuple[str, int | None] | None
    client: tuple[str, int] | None
    native: Any

    def __getattr__(self, name: str) -> Any:
        """Return a fact of the connection that few ask for, worked out the first time.

        Raises:
            AttributeError: there is no such fact.
        """
        make = getattr(type(self), f"_late_{name}", None)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = make(self)
        setattr(self, name, value)
        return value

    @abstractmethod
    def headers(self) -> HeaderPairs:
        """Return the header fields in order, names in lower case, repeats kept."""

    def header(self, name: str) -> str | None:
        """Return the value of a header given in lower case, repeats joined by `, `."""
        found = [value for key, value in self.headers() if key == name]
        return ", ".join(found) if found else None

    @abstractmethod
    def stream(self) -> Iterator[bytes]:
        """Yield the body as it arrives; for requests of sync servers."""

    def astream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; for requests of async servers."""
        raise TypeError(f"{type(self).__name__} belongs to a sync server; use stream()")

    def content_length(self) -> int | None:
        """Return the announced length of the body in bytes, None when it is not announced.

        Raises:
            BadRequest: the header is no number.
        """
        text = self.header("content-length")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _LENGTH_DIGITS):
            raise BadRequest(f"Content-Length is {text[:40]!r}, expected a number of bytes")
        return int(text)

    def read(self, limit: int | None) -> bytes:
        """Return the whole body.

        Args:
            limit: bytes after which reading stops; None means no limit.

        Raises:
            RequestEntityTooLarge: the body is longer than the limit.
            BadRequest: the client sent less than it announced.
        """
        announced = self.content_length()
        check_length(announced, limit)
        collected = bytearray()
        for chunk in self.stream():
            collected += chunk
            check_length(len(collected), limit)
        check_complete(len(collected), announced)
        return bytes(collected)

    async def aread(self, limit: int | None) -> bytes:
        """Return the whole body; the async twin of `read`."""
        announced = self.content_length()
        check_length(announced, limit)
        collected = bytearray()
        async for chunk in self.astream():
            collected += chunk
            check_length(len(collected), limit)
        check_complete(len(collected), announced)
        return bytes(collected)


def check_length(length: int | None, limit: int | None) -> None:
    """Raise RequestEntityTooLarge when a length is known and over the limit."""
    if length is not None and limit is not None and length > limit:
        raise RequestEntityTooLarge(f"The request body is larger than {limit} bytes")


def check_complete(length: int, announced: int | None) -> None:
    """Raise BadRequest when a body is shorter than the client said."""
    if announced is not None and length < announced:
        raise BadRequest(f"The request body ended after {length} of {announced} announced bytes")


class Location(NamedTuple):
    """Where a request points below a mount point.

    Attributes:
        path: decoded, `''` or starting with `/`.
        segments: its parts when one of them holds an encoded slash, else None.
        fault: why the request must be refused; None when the path is sound.
    """

    path: str
    segments: tuple[str, ...] | None = None
    fault: str | None = None


def locate_decoded(path: bytes, depth: int) -> Location:
    """Return the location of a path that a server has percent-decoded.

    Args:
        path: the whole path.
        depth: number of segments of the mount point.
    """
    if b"\x00" in path:
        return Location("/", None, _HOLDS_NUL)
    try:
        return Location(drop_segments(path.decode(), depth))
    except UnicodeDecodeError:
        return Location("/", None, _NOT_UTF8)


def locate_encoded(target: bytes, depth: int) -> Location:
    """Return the location of a path as it was sent.

    Decoding happens once, and `%2F` never divides segments.

    Args:
        target: the request target; an authority before the path and a query behind it are dropped.
        depth: number of segments of the mount point.
    """
    raw = target.partition(b"?")[0]
    if not raw.startswith(b"/"):
        raw = b"/" + raw.partition(b"://")[2].partition(b"/")[2]
    if b"%" not in raw or b"%2f" not in raw.lower():
        return locate_decoded(unquote_to_bytes(raw), depth)
    parts = [unquote_to_bytes(part) for part in raw.split(b"/")[1 + depth :]]
    if any(b"\x00" in part for part in parts):
        return Location("/", None, _HOLDS_NUL)
    try:
        segments = tuple(part.decode() for part in parts)
    except UnicodeDecodeError:
        return Location("/", None, _NOT_UTF8)
    return Location("".join("/" + part for part in segments), segments)


def locate_plain(path: str, prefix: str) -> tuple[str, None, None] | None:
    """Return the location of a path that stands for itself, as nearly all do.

    Args:
        path: the whole path, as sent or decoded, where that is the same: it holds no `%`.
        prefix: where the service is mounted.

    Returns:
        What a `Location` holds; None for a path that has to be looked at.
    """
    if path.isascii() and "\x00" not in path and path.startswith(prefix):
        below = path[len(prefix) :]
        if not below or below[0] == "/":
            return below, None, None
    return None


def drop_segments(path: str, depth: int) -> str:
    """Return the path without its first `depth` segments, `''` when nothing follows them."""
    position = 0
    for _ in range(depth):
        position = path.find("/", position + 1)
        if position < 0:
            return ""
    return path[position:]


_NOT_UTF8 = "The path is not UTF-8"
# No file system and hardly a database can hold it, and no honest client sends it.
_HOLDS_NUL = "The path holds a NUL character"
