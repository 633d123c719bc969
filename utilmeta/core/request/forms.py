"""Form bodies: urlencoded and multipart, as names with lists of values."""

import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from utilmeta.core.file import File
from utilmeta.core.request.query import parse_query
from utilmeta.core.request.raw import check_length
from utilmeta.core.request.request import URLENCODED
from utilmeta.core.request.shapes import Fields
from utilmeta.utils.exceptions import BadRequest, RequestEntityTooLarge

__all__ = ["MULTIPART", "URLENCODED", "agather", "gather", "parse_multipart", "parse_urlencoded"]

MULTIPART = "multipart/form-data"

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


def gather(source: Iterator[bytes], limit: int | None) -> "IO[bytes]":
    """Return a body, read to its end, as a file positioned at its start.

    Raises:
        RequestEntityTooLarge: the body is longer than the limit.
    """
    target = spool()
    try:
        for chunk in source:
            target.write(chunk)
            check_length(target.tell(), limit)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


async def agather(source: AsyncIterator[bytes], limit: int | None) -> "IO[bytes]":
    """Return a body, read to its end, as a file; the async twin of `gather`."""
    target = spool()
    try:
        async for chunk in source:
            target.write(chunk)
            check_length(target.tell(), limit)
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
        body.seek(max(0, length - 200))
        if not body.read().rstrip().endswith(b"--"):
            raise BadRequest("The multipart body has no closing boundary")
        body.seek(0)
        meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": length}
        try:
            # Latin-1 keeps every byte, so that broken UTF-8 is found below.
            parser: Any = _Parser(meta, cast("Any", body), [_Spooled()], "latin-1")
            texts, files = parser.parse()
        except MultiPartParserError as exc:
            raise BadRequest(f"The multipart body is malformed: {exc}") from exc
        except RequestDataTooBig as exc:
            raise RequestEntityTooLarge(
                f"The form's texts are longer than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes"
            ) from exc
        except (SuspiciousOperation, ValueError) as exc:
            # Django has a class for each limit, all of which say that there is too much.
            raise BadRequest(f"The multipart body is refused: {exc}") from exc
    return _fields(texts, files, max_fields)


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

    def upload_interrupted(self) -> None:
        """Give up a file that did not end."""
        self._target.close()
