"""From what an endpoint returned to a response that is ready to be written."""

from collections.abc import AsyncIterator, Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from utilmeta.core.file import File
from utilmeta.core.request import Request
from utilmeta.core.response.encode import Encoder, make_encoder
from utilmeta.core.response.events import SSEResponse, encode_records
from utilmeta.core.response.files import BINARY, open_source, respond
from utilmeta.core.response.headers import check_header, cookie_line, disposition
from utilmeta.core.response.raw import RawResponse, aclose_source, close_source
from utilmeta.core.response.response import Response, make_checker, result_type

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

# Statuses that have no body (RFC 9110 sections 6.4.1, 15.3.5, 15.4.5).
_BODILESS = frozenset({204, 304})

# Types of results that are JSON whatever the request.
_PLAIN_JSON = frozenset({dict, list, tuple, int, float, bool})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finisher:
    """How an operation's results become responses; made once at set-up.

    Attributes:
        encode: makes JSON.
        template: what plain results are put into.
        check: converts the results of a strict template; None for others.
        null_is_json: whether None is JSON `null`, because the endpoint's annotation admits None.
        status: status of plain results; None follows their kind.
        secure: whether cookies go over https only unless they say otherwise.
        errors: what errors are put into; None for problem details.
    """

    encode: Encoder = field(default_factory=make_encoder)
    template: type[Response[Any]] = Response
    check: Callable[[Any], Any] | None = None
    null_is_json: bool = False
    status: int | None = None
    secure: bool = False
    errors: type[Response[Any]] | None = None

    def wrap(self, result: object) -> Response[Any]:
        """Return what an endpoint returned as a response.

        One that the endpoint made keeps its status, and takes the operation's where it has none.
        """
        if isinstance(result, Response):
            if self.status is None or result.status is not None:
                return result
            # The endpoint may keep the response and return it elsewhere.
            response = copy(result)
            response.status = self.status
            return response
        response = self.template(result)
        if self.status is not None:
            response.status = self.status
        return response

    def __call__(self, result: object, request: Request | None = None) -> RawResponse:
        """Return the finished response for what an endpoint returned.

        Args:
            result: a `Response`, or a value: `str` is text, `bytes`, a `File` and open binary files
                are binary, generators stream, None is 204, everything else is JSON.
            request: the request, whose ranges and conditions are honoured.
        """
        kind = result.__class__
        if self.template is Response and (kind in _PLAIN_JSON or issubclass(kind, BaseModel)):
            raw = whole(self.encode(result), JSON)
            if self.status is not None:
                raw.status = self.status
            return raw if self.status not in _BODILESS else bodiless(raw)
        if isinstance(result, Response):
            return self._respond(self.wrap(result), request)
        if self.template is not Response:
            return self._respond(self.wrap(result), request)
        raw = plain(result, self.encode, request, null_is_json=self.null_is_json)
        if self.status is not None:
            if raw.status == 204 and self.status != 204:
                raw.headers.append(("content-length", "0"))
            raw.status = self.status
        return raw

    def _respond(self, response: Response[Any], request: Request | None) -> RawResponse:
        raw = self._body(response, request)
        if response.status is not None and raw.status not in {206, 304}:
            raw.status = response.status
        given = {name.lower(): value for name, value in response.headers.items()}
        if response.content_type is not None and raw.body != b"":
            given["content-type"] = response.content_type
        if response.attachment and "content-disposition" not in given:
            name = response.attachment if isinstance(response.attachment, str) else None
            given["content-disposition"] = disposition("attachment", name or _name_of(response))
        raw.headers = [pair for pair in raw.headers if pair[0] not in given]
        raw.headers += [(name, check_header(name, value)) for name, value in given.items()]
        for name, value, options in response.cookies:
            secure = options.get("secure")
            known: Any = {**options, "secure": self.secure if secure is None else secure}
            raw.headers.append(("set-cookie", cookie_line(name, value, **known)))
        return bodiless(raw)

    def _body(self, response: Response[Any], request: Request | None) -> RawResponse:
        kind: Any = type(response)
        source = response.event_stream
        is_records = hasattr(kind, "encode_item")
        if source is None and is_records and response.result is not None:
            source = response.result
        if source is not None:
            kind = kind if is_records else SSEResponse
            raw = RawResponse(200, [("content-type", kind.content_type)])
            raw.headers.append(("cache-control", "no-cache"))
            # nginx would hold events back (its documentation, proxy_buffering).
            raw.headers.append(("x-accel-buffering", "no"))
            raw.body = encode_records(source, kind, self.encode)
            raw.keep_alive = kind.keep_alive
            return raw
        # Another status than 200 is no answer to a request for a range.
        asked = request if response.status in (None, 200) else None
        if response.file is not None:
            return respond(open_source(response.file), asked)
        self._check(response)
        if kind.keys and not is_binary(response.result):
            return whole(self.encode(response.members()), JSON)
        null_is_json = self.null_is_json and response.status is None
        return plain(response.result, self.encode, asked, null_is_json=null_is_json)

    def _check(self, response: Response[Any]) -> None:
        kind = type(response)
        if not kind.strict or response.error is not None:
            return
        known: Any = checker_of
        check = self.check if kind is self.template and self.check else known(kind)
        response.result = check(response.result)


@cache
def checker_of(kind: type[Response[Any]]) -> Callable[[Any], Any]:
    """Return the function that converts results of a strict template."""
    made: Callable[[Any], Any] = make_checker(result_type(kind), kind.__qualname__)
    return made


def bodiless(raw: RawResponse) -> RawResponse:
    """Return the response without a body where its status has none, with a length where it has."""
    if raw.status in _BODILESS:
        raw.close()
        raw.body = b""
        raw.headers = [
            pair for pair in raw.headers if pair[0] not in {"content-length", "content-type"}
        ]
    elif raw.body == b"" and "content-length" not in dict(raw.headers):
        raw.headers.append(("content-length", "0"))
    return raw


def is_file(result: object) -> bool:
    """Return whether a response is made of a file that has to be opened."""
    return isinstance(result, Response) and isinstance(result.file, Path)


def discard(response: Response[Any]) -> None:
    """Close what a response would have sent: a file, or a sync generator."""
    for source in (response.file, response.event_stream, response.result):
        if source is not None and (is_binary(source) and not isinstance(source, bytes)):
            close_source(source)


def replaced(old: Response[Any], new: Response[Any]) -> Response[Any]:
    """Return the new response; what only the old one would have sent is closed."""
    kept = [new.file, new.event_stream, new.result]
    if not any(
        source is other and source is not None
        for source in (old.file, old.event_stream, old.result)
        for other in kept
    ):
        discard(old)
    return new


def is_binary(result: object) -> bool:
    """Return whether a value is sent as it is, template or not."""
    return isinstance(
        result, bytes | bytearray | memoryview | File | Iterator | AsyncIterator
    ) or _is_open_file(result)


def _is_open_file(result: object) -> bool:
    return hasattr(result, "read") and hasattr(result, "close")


def _name_of(response: Response[Any]) -> str | None:
    file: Any = response.file if response.file is not None else response.result
    name = getattr(file, "filename", None) or getattr(file, "name", None)
    return name if isinstance(name, str) and "/" not in name else None


def plain(
    result: Any, encode: Encoder, request: Request | None = None, *, null_is_json: bool = False
) -> RawResponse:
    """Return the response for a value that is no `Response`."""
    if result is None and not null_is_json:
        return RawResponse(204, [])
    if isinstance(result, str):
        return whole(result.encode(), TEXT)
    if isinstance(result, bytes | bytearray | memoryview):
        return whole(bytes(result), BINARY)
    if isinstance(result, File) or _is_open_file(result):
        return respond(open_source(result), request)
    if isinstance(result, Iterator | AsyncIterator):
        return RawResponse(200, [("content-type", BINARY)], _encoded_chunks(result))
    return whole(encode(result), JSON)


def whole(body: bytes, content_type: str) -> RawResponse:
    """Return a response whose body is these bytes."""
    return RawResponse(
        200, [("content-type", content_type), ("content-length", str(len(body)))], body
    )


def _encoded_chunks(source: Any) -> Iterator[bytes] | AsyncIterator[bytes]:
    return _aencode(source) if isinstance(source, AsyncIterator) else _encode(source)


def _encode(source: Any) -> Iterator[bytes]:
    try:
        for chunk in source:
            yield _chunk(chunk)
    finally:
        close_source(source)


async def _aencode(source: Any) -> AsyncIterator[bytes]:
    try:
        async for chunk in source:
            yield _chunk(chunk)
    finally:
        await aclose_source(source)


def _chunk(chunk: object) -> bytes:
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    raise TypeError(
        f"a streamed body is made of text or bytes, not {type(chunk).__name__}; for values use "
        "response.JSONLinesResponse or response.SSEResponse"
    )
