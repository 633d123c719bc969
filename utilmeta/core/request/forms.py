"""Form bodies: urlencoded and multipart, as names with lists of values."""

import io
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters

from utilmeta.core.file import File
from utilmeta.core.request.query import parse_query
from utilmeta.core.request.raw import check_complete, check_length
from utilmeta.core.request.request import MULTIPART
from utilmeta.core.request.shapes import Fields
from utilmeta.utils.exceptions import BadRequest, RequestEntityTooLarge

__all__ = ["agather", "gather", "parse_multipart", "parse_urlencoded"]


# What a boundary may be (RFC 2046 section 5.1.1), the space that may stand inside left out.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
# Bytes at the end of a body in which its closing boundary has to stand.
_EPILOGUE = 64 * 1024

# Bytes of a body, and of a file in it, that are kept in memory; what is longer goes to disk.
IN_MEMORY = 1024 * 1024


def parse_urlencoded(body: bytes, *, max_fields: int) -> dict[str, list[str]]:
    """Return each name's values, still encoded.

    Raises:
        BadRequest: there are too many fields, or a name is not UTF-8.
    """
    return parse_query(body.decode("latin-1").strip(), max_fields=max_fields, what="form")


def spool() -> "IO[bytes]":
    """Return a file that is in memory until it is long."""
    # Closed by whoever takes it over.
    made: Any = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    return cast("IO[bytes]", made)


def gather(source: Iterator[bytes], limit: int | None, announced: int | None) -> "IO[bytes]":
    """Return a body, read to its end, as a file positioned at its start.

    Args:
        source: its chunks.
        limit: bytes it may have; None for any.
        announced: bytes the client said it has; None when it did not say.

    Raises:
        RequestEntityTooLarge: the body is longer than the limit.
        BadRequest: it ended before all was there.
    """
    target = spool()
    try:
        for chunk in source:
            target.write(chunk)
            check_length(target.tell(), limit)
        check_complete(target.tell(), announced)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


async def agather(
    source: AsyncIterator[bytes], limit: int | None, announced: int | None
) -> "IO[bytes]":
    """Return a body, read to its end, as a file; the async twin of `gather`."""
    target = spool()
    try:
        async for chunk in source:
            target.write(chunk)
            check_length(target.tell(), limit)
        check_complete(target.tell(), announced)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def parse_multipart(body: "IO[bytes]", content_type: str, *, max_fields: int) -> Fields:
    """Return each name's values: texts, and files for parts that have a file name.

    Args:
        body: the whole body, closed here.
        content_type: the header, boundary included.
        max_fields: parts the body may have.

    Raises:
        BadRequest: the body is malformed or has too many parts, or a text is not UTF-8.
        RequestEntityTooLarge: its texts are longer than Django's DATA_UPLOAD_MAX_MEMORY_SIZE.

    Source: RFC 7578, by way of django.http.multipartparser.
    """
    with body:
        length = body.seek(0, io.SEEK_END)
        boundary = _boundary(content_type)
        _check_closed(body, length, boundary)
        body.seek(0)
        # As Django's parser wants it: media types and names of parameters have no letter case.
        header = f'{MULTIPART}; boundary="{boundary}"'
        meta = {"CONTENT_TYPE": header, "CONTENT_LENGTH": length}
        handler = _Spooled()
        try:
            # Latin-1 keeps every byte, so that broken UTF-8 is found below.
            parser: Any = _Parser(meta, cast("Any", body), [handler], "latin-1")
            texts, files = parser.parse()
        except MultiPartParserError as exc:
            handler.new_file_failed()
            raise BadRequest(f"The multipart body is malformed: {exc}") from exc
        except RequestDataTooBig as exc:
            raise RequestEntityTooLarge(
                f"The form's texts are longer than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes"
            ) from exc
        except (SuspiciousOperation, ValueError) as exc:
            # Django has a class for each limit, all of which say that there is too much.
            raise BadRequest(f"The multipart body is refused: {exc}") from exc
    return _fields(texts, files, max_fields)


def _boundary(content_type: str) -> str:
    """Return the boundary that a header names.

    Raises:
        BadRequest: it names none that may be one (RFC 2046 section 5.1.1).
    """
    found = parse_header_parameters(content_type)[1].get("boundary", "")
    if not _BOUNDARY.fullmatch(found):
        raise BadRequest("The Content-Type of the multipart body names no boundary")
    return found


def _check_closed(body: "IO[bytes]", length: int, boundary: str) -> None:
    """Refuse a body whose closing boundary is missing, as one that was cut is.

    Raises:
        BadRequest: it is not among the last bytes.
    """
    body.seek(max(0, length - _EPILOGUE))
    tail = b"\r\n" + body.read() if length <= _EPILOGUE else body.read()
    if b"\r\n--" + boundary.encode() + b"--" not in tail:
        raise BadRequest("The multipart body has no closing boundary")


def _fields(texts: Any, files: Any, max_fields: int) -> Fields:
    fields: dict[str, list[Any]] = {}
    uploaded = [(name, file) for name, found in files.lists() for file in found]
    with ExitStack() as stack:
        for name, file in uploaded:
            stack.callback(file.close)
            fields.setdefault(_as_utf8(name), []).append(file)
        for encoded, values in texts.lists():
            name = _as_utf8(encoded)
            fields[name] = [*fields.get(name, ()), *map(_decode, values)]
        if sum(map(len, fields.values())) > max_fields:
            raise BadRequest(f"The form has more than {max_fields} fields")
        # Nothing is wrong, so the request closes them.
        stack.pop_all()
    return fields


def _as_utf8(name: str) -> str:
    try:
        return name.encode("latin-1").decode()
    except UnicodeError:
        # Encoded in another way, as RFC 5987 has it, and decoded already.
        return name


def _decode(value: str) -> str:
    try:
        text = value.encode("latin-1").decode()
    except UnicodeError as exc:
        raise BadRequest("A form field is not UTF-8") from exc
    if "\x00" in text:
        raise BadRequest("A form field holds a NUL character")
    return text


class _Parser(MultiPartParser):
    """Django's parser, which leaves file names as they were sent; `File` looks after them."""

    def sanitize_file_name(self, file_name: str) -> str:
        """Return the name as UTF-8, which Latin-1 has kept."""
        return _as_utf8(file_name)


class _Spooled(FileUploadHandler):
    """Django's upload handler that makes a `File` of each uploaded part."""

    _target: Any = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._target = spool()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a chunk."""
        self._target.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        """Return the file."""
        self._target.seek(0)
        return File(
            cast("Any", self._target),
            filename=self.file_name,
            content_type=self.content_type or "application/octet-stream",
        )

    def new_file_failed(self) -> None:
        """Give up a file whose content is malformed."""
        if self._target is not None:
            self._target.close()

    def upload_interrupted(self) -> None:
        """Give up a file that did not end."""
        self._target.close()
