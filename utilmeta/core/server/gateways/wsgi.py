"""WSGI: environments in, start_response and iterables out."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from utilmeta.core.file.file import CHUNK
from utilmeta.core.request.raw import (
    HeaderPairs,
    RawRequest,
    check_complete,
    check_length,
    locate_decoded,
    locate_encoded,
    locate_plain,
)
from utilmeta.core.response import RawResponse
from utilmeta.utils.exceptions import LengthRequired
from utilmeta.utils.exceptions.http import phrase_of

Environ = dict[str, Any]


class WSGIRequest(RawRequest):
    """A raw request over a WSGI environment.

    Args:
        environ: the environment.
        prefix: where the handler answers, the script name included.
        path: the whole path, percent-decoded, one character for each byte.
        native: the framework's own request; None makes it when it is asked for.
    """

    __slots__ = ("environ",)

    def __init__(self, environ: Environ, prefix: str, path: str, native: object) -> None:
        self.environ = environ
        if native is not None:
            self.native = native
        self.method = environ["REQUEST_METHOD"].upper()
        self.prefix = prefix
        # What was sent tells encoded slashes and broken UTF-8, which decoding has hidden.
        sent: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        if "%" in sent and "%" in sent.partition("?")[0]:
            location = locate_encoded(sent.encode("latin-1"), prefix.count("/"))
            self.path, self.segments, self.fault = location
            return
        plain = locate_plain(path, prefix)
        self.path, self.segments, self.fault = plain or locate_decoded(
            path.encode("latin-1"), prefix.count("/")
        )

    def _late_query(self) -> str:
        query: str = self.environ.get("QUERY_STRING", "")
        return query

    def _late_scheme(self) -> str:
        scheme: str = self.environ.get("wsgi.url_scheme", "http")
        return scheme

    def _late_server(self) -> tuple[str, int | None] | None:
        name, port = self.environ.get("SERVER_NAME"), str(self.environ.get("SERVER_PORT") or "")
        return (name, int(port) if port.isdigit() else None) if name else None

    def _late_client(self) -> tuple[str, int] | None:
        address = self.environ.get("REMOTE_ADDR")
        port = str(self.environ.get("REMOTE_PORT") or "")
        return (address, int(port) if port.isdigit() else 0) if address else None

    def headers(self) -> HeaderPairs:
        """Return the header fields; a WSGI server has joined repeats already."""
        pairs = []
        for key, value in self.environ.items():
            if key.startswith("HTTP_"):
                pairs.append((key[5:].replace("_", "-").lower(), value))
            elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
                pairs.append((key.replace("_", "-").lower(), value))
        return pairs

    def header(self, name: str) -> str | None:
        """Return the value of a header given in lower case."""
        value: str | None = self.environ.get(key_of(name))
        # An empty length or type is as good as none; servers differ in giving them.
        return None if value == "" and name in _BARE else value

    def read(self, limit: int | None) -> bytes:
        """Return the whole body."""
        length = self.content_length()
        if length is None or length > CHUNK:
            return super().read(limit)
        check_length(length, limit)
        source = self.environ["wsgi.input"]
        body: bytes = source.read(length)
        while len(body) < length and (chunk := source.read(length - len(body))):
            body += chunk
        check_complete(len(body), length)
        return body

    def stream(self) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            LengthRequired: the body is chunked and the server does not take chunks apart.
        """
        source = self.environ["wsgi.input"]
        remaining = self.content_length()
        if remaining is None:
            if not self.environ.get("HTTP_TRANSFER_ENCODING"):
                return
            if not self.environ.get("wsgi.input_terminated"):
                raise LengthRequired("This server takes no chunked bodies; send Content-Length")
            while chunk := source.read(CHUNK):
                yield chunk
            return
        while remaining > 0 and (chunk := source.read(min(CHUNK, remaining))):
            remaining -= len(chunk)
            yield chunk


_BARE = frozenset({"content-type", "content-length"})


@lru_cache(256)
def key_of(name: str) -> str:
    """Return the key in environments of a header given in lower case."""
    key = name.upper().replace("-", "_")
    return key if name in _BARE else f"HTTP_{key}"


def script_of(environ: Environ) -> str:
    """Return the script name as text."""
    name: str = environ.get("SCRIPT_NAME", "")
    return name.encode("latin-1").decode(errors="replace")


def path_of(environ: Environ) -> str:
    """Return the whole path, script name included, percent-decoded, a character for each byte."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path


_STATUS_LINES: dict[int, str] = {}


def status_line(status: int) -> str:
    """Return a status as WSGI wants it, such as `200 OK`."""
    line = _STATUS_LINES.get(status)
    if line is None:
        line = _STATUS_LINES[status] = f"{status} {phrase_of(status)}"
    return line


class Chunks:
    """A streamed body that is closed with its response, by whoever sends it."""

    def __init__(self, response: RawResponse) -> None:
        self._chunks: Any = response.body
        self.close = response.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def written(response: RawResponse, start_response: Callable[..., Any]) -> Any:
    """Begin to answer a WSGI server; returns the body's iterable."""
    start_response(status_line(response.status), response.headers)
    body: Any = response.body
    if body.__class__ is not bytes:
        return Chunks(response)
    # Where there is no body, servers must not take its length for that of one.
    return (body,) if body else iter((body,))
