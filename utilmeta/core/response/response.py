"""Responses as endpoints make them, and how values become one."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from utilmeta.core.file import File
from utilmeta.core.file.file import CHUNK
from utilmeta.core.response.encode import Encoder
from utilmeta.core.response.raw import RawResponse, aclose_source, close_source

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"

# Statuses that have no body (RFC 9110 sections 6.4.1, 15.3.5, 15.4.5).
_BODILESS = frozenset({204, 304})


class Response:
    """An answer with a status, headers and cookies of its own.

    Args:
        result: the value to send.
        status: the status; None means 200, or 204 without a result.
        headers: further header fields.
        content_type: media type of the body; None follows the kind of the result.
    """

    status: int | None = None
    content_type: str | None = None

    def __init__(
        self,
        result: object = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        content_type: str | None = None,
    ) -> None:
        self.result = result
        if status is not None:
            self.status = status
        if content_type is not None:
            self.content_type = content_type
        self.headers = dict(headers or {})
        self.cookie_lines: list[str] = []

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        http_only: bool = True,
        same_site: str | None = "Lax",
    ) -> None:
        """Add a `Set-Cookie` line.

        Args:
            name: letters, digits and other token characters.
            value: percent-encoded where a cookie value may not hold a character.
            max_age: seconds; None until the browser closes.
            path: where the cookie is sent back.
            domain: hosts it is sent back to; None only the one that set it.
            secure: over https only.
            http_only: hidden from scripts.
            same_site: `Lax`, `Strict` or `None` as text; None leaves it out.

        Raises:
            ValueError: the name, path or domain cannot stand in a cookie.
        """
        for part in (name, path, domain or "", same_site or ""):
            if not part.isascii() or not part.isprintable() or ";" in part:
                raise ValueError(f"set_cookie: {part!r} cannot stand in a cookie")
        if not name or any(char in name for char in "=, "):
            raise ValueError(f"set_cookie: {name!r} is no cookie name")
        attributes = [f"{name}={quote(value, safe=_COOKIE_SAFE)}"]
        if max_age is not None:
            attributes.append(f"Max-Age={max_age}")
        if domain:
            attributes.append(f"Domain={domain}")
        attributes.append(f"Path={path}")
        if secure:
            attributes.append("Secure")
        if http_only:
            attributes.append("HttpOnly")
        if same_site:
            attributes.append(f"SameSite={same_site}")
        self.cookie_lines.append("; ".join(attributes))

    def delete_cookie(self, name: str, *, path: str = "/", domain: str | None = None) -> None:
        """Add a `Set-Cookie` line that makes the browser forget a cookie."""
        self.set_cookie(name, "", max_age=0, path=path, domain=domain)


# Characters of a cookie value (RFC 6265 section 4.1.1, cookie-octet) that quote() would encode.
_COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"


def finish(result: object, encode: Encoder, *, null_is_json: bool = False) -> RawResponse:
    """Return the finished response for what an endpoint returned.

    Args:
        result: a `Response`, or a value: `str` is text, `bytes`, a `File` and open binary files
            are binary, generators stream, None is 204, everything else is JSON.
        encode: makes JSON.
        null_is_json: whether None is JSON `null`, because the endpoint's annotation admits None.
    """
    if not isinstance(result, Response):
        return _plain(result, encode, null_is_json=null_is_json)
    raw = _plain(result.result, encode, null_is_json=null_is_json and result.status is None)
    if result.status is not None:
        raw.status = result.status
    given = {name.lower(): value for name, value in result.headers.items()}
    if result.content_type is not None and raw.body != b"":
        given["content-type"] = result.content_type
    raw.headers = [pair for pair in raw.headers if pair[0] not in given]
    raw.headers += [(name, check_header(name, value)) for name, value in given.items()]
    raw.headers += [("set-cookie", line) for line in result.cookie_lines]
    if raw.status in _BODILESS:
        raw.close()
        raw.body = b""
        raw.headers = [
            pair for pair in raw.headers if pair[0] not in {"content-length", "content-type"}
        ]
    elif raw.body == b"" and "content-length" not in dict(raw.headers):
        raw.headers.append(("content-length", "0"))
    return raw


def _plain(result: Any, encode: Encoder, *, null_is_json: bool) -> RawResponse:
    if result is None and not null_is_json:
        return RawResponse(204, [])
    if isinstance(result, str):
        return _whole(result.encode(), TEXT)
    if isinstance(result, bytes | bytearray | memoryview):
        return _whole(bytes(result), BINARY)
    if isinstance(result, File):
        return RawResponse(200, [("content-type", result.content_type)], _Chunks(result))
    if hasattr(result, "read") and hasattr(result, "close"):
        return RawResponse(200, [("content-type", BINARY)], _Chunks(result))
    if isinstance(result, Iterator | AsyncIterator):
        return RawResponse(200, [("content-type", BINARY)], _encoded_chunks(result))
    return _whole(encode(result), JSON)


def _whole(body: bytes, content_type: str) -> RawResponse:
    return RawResponse(
        200, [("content-type", content_type), ("content-length", str(len(body)))], body
    )


class _Chunks:
    """The content of a file in chunks; closes the file even when none was asked for."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | str = self._file.read(CHUNK)
        if not chunk:
            self.close()
            raise StopIteration
        return chunk.encode() if isinstance(chunk, str) else chunk

    def close(self) -> None:
        """Close the file."""
        close_source(self._file)


def _encoded_chunks(source: Any) -> Iterator[bytes] | AsyncIterator[bytes]:
    return _aencode(source) if isinstance(source, AsyncIterator) else _encode(source)


def _encode(source: Any) -> Iterator[bytes]:
    try:
        for chunk in source:
            yield chunk.encode() if isinstance(chunk, str) else bytes(chunk)
    finally:
        close_source(source)


async def _aencode(source: Any) -> AsyncIterator[bytes]:
    try:
        async for chunk in source:
            yield chunk.encode() if isinstance(chunk, str) else bytes(chunk)
    finally:
        await aclose_source(source)


def check_header(name: str, value: str) -> str:
    """Return the header's value when it can be sent.

    Raises:
        ValueError: name or value hold a line break or another character they may not hold.
    """
    text = str(value)
    if any(
        (ord(char) < 32 and char != "\t") or ord(char) == 127 or ord(char) > 255 for char in text
    ):
        raise ValueError(f"header {name!r}: {text!r} holds a character that no header may hold")
    if (
        not name
        or not name.isascii()
        or not all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in name)
    ):
        raise ValueError(f"{name!r} is no header name")
    return text
