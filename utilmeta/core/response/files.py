"""Files as bodies: media type, ranges, and requests on conditions."""

import io
import mimetypes
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from utilmeta.core.file import File
from utilmeta.core.file.file import CHUNK
from utilmeta.core.request import Request
from utilmeta.core.request.conditions import http_date, is_unmodified
from utilmeta.core.response.raw import RawResponse, close_source
from utilmeta.utils.exceptions import NotFound, RangeNotSatisfiable

BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An open file and what is known of it.

    Attributes:
        handle: gives the bytes; closed with the response.
        content_type: its media type.
        filename: its name, when it has one.
        size: bytes; None for a stream that tells no size.
        modified: when it was last changed, in whole seconds.
        etag: a strong validator, with its quotes.
    """

    handle: Any
    content_type: str
    filename: str | None = None
    size: int | None = None
    modified: datetime | None = None
    etag: str | None = None


def open_source(file: Any) -> Source:
    """Return the source for a path, a `File` or an open binary file.

    Raises:
        NotFound: no file is at the path.
    """
    if isinstance(file, Path):
        return _open_path(file)
    if isinstance(file, File):
        return Source(
            handle=file, content_type=file.content_type, filename=file.filename, size=file.size
        )
    size = None
    if isinstance(file, io.IOBase) and file.seekable() and not isinstance(file, io.TextIOBase):
        here = file.tell()
        size = file.seek(0, io.SEEK_END) - here
        file.seek(here)
    return Source(handle=file, content_type=BINARY, size=size)


def _open_path(path: Path) -> Source:
    try:
        # Opening what is no file, such as a named pipe, could wait for ever.
        is_regular = stat.S_ISREG(path.stat().st_mode)
        handle = path.open("rb") if is_regular else None
    except PermissionError:
        raise
    except (OSError, ValueError) as exc:
        # Not there, or no name that a file could have.
        raise NotFound from exc
    if handle is None:
        raise NotFound
    # The open file is asked, so that one that is replaced meanwhile is described as it is sent.
    status = os.fstat(handle.fileno())
    guessed = mimetypes.guess_type(path.name)[0] or BINARY
    if guessed.startswith("text/"):
        guessed += "; charset=utf-8"
    return Source(
        handle=handle,
        content_type=guessed,
        filename=path.name,
        size=status.st_size,
        modified=datetime.fromtimestamp(int(status.st_mtime), UTC),
        etag=f'"{status.st_mtime_ns:x}-{status.st_size:x}"',
    )


def respond(source: Source, request: Request | None) -> RawResponse:
    """Return the answer whose body is a file: whole, one range of it, or 304.

    Source: RFC 9110 sections 13 and 14.
    """
    headers = [("content-type", source.content_type)]
    if source.etag is not None:
        headers.append(("etag", source.etag))
    if source.modified is not None:
        headers.append(("last-modified", http_date(source.modified)))
    if source.size is None:
        return RawResponse(200, headers, Chunks(source.handle))
    headers.append(("accept-ranges", "bytes"))
    if request is not None and is_unmodified(request, source.etag, source.modified):
        close_source(source.handle)
        return RawResponse(304, headers[1:])
    span = None
    if request is not None and request.method == "GET":
        try:
            span = _range(request, source)
        except RangeNotSatisfiable:
            close_source(source.handle)
            raise
    if span is None:
        headers.append(("content-length", str(source.size)))
        # A file that grows meanwhile is sent as long as it was.
        return RawResponse(200, headers, Chunks(source.handle, source.size))
    first, last = span
    headers.append(("content-range", f"bytes {first}-{last}/{source.size}"))
    headers.append(("content-length", str(last - first + 1)))
    source.handle.seek(first, io.SEEK_CUR)
    return RawResponse(206, headers, Chunks(source.handle, last - first + 1))


def _range(request: Request, source: Source) -> tuple[int, int] | None:
    """Return first and last byte of the range asked for; None for the whole.

    Several ranges in one request are answered with the whole, as a server may.
    """
    header = request.raw.header("range")
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    condition = request.raw.header("if-range")
    if condition is not None and condition not in {source.etag, _date_of(source)}:
        return None
    start, dash, end = header[6:].strip().partition("-")
    digits = start + end
    if not dash or not digits.isascii() or not digits.isdigit() or len(digits) > 36:
        return None
    size = source.size or 0
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    if start and end and int(end) < int(start):
        return None
    if first >= size or (not start and int(end) == 0):
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return first, last


def _date_of(source: Source) -> str | None:
    return None if source.modified is None else http_date(source.modified)


class Chunks:
    """The content of a file in chunks; closes the file even when none was asked for.

    Args:
        file: positioned at the first byte to send.
        length: bytes to send; None for all that follow.
    """

    def __init__(self, file: Any, length: int | None = None) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        size = CHUNK if self._left is None else min(CHUNK, self._left)
        chunk: bytes | str = self._file.read(size) if size else b""
        if not chunk:
            self.close()
            raise StopIteration
        data = chunk.encode() if isinstance(chunk, str) else chunk
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        close_source(self._file)
