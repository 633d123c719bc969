"""A file received from a client."""

import io
import mimetypes
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, cast

from asgiref.sync import sync_to_async
from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from utilmeta.utils.exceptions import ConfigError

CHUNK = 64 * 1024


class File:
    """A file as a client sent it.

    As the type of an argument it takes an uploaded part, or a whole body. The media type is the
    one the client declared: check the content itself where it matters.

    Args:
        content: the bytes, or an open binary file positioned at their start.
        filename: the name the client gave; only its last part is kept.
        content_type: the media type the client gave.

    Attributes:
        size: bytes of the content.
    """

    # Media types that are taken, such as `image/*`; none takes all.
    accepts: ClassVar[tuple[str, ...]] = ()
    max_size: ClassVar[int | None] = None

    def __init__(
        self,
        content: bytes | io.BufferedIOBase,
        *,
        filename: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self._file = io.BytesIO(content) if isinstance(content, bytes) else content
        self.filename = safe_name(filename)
        self.content_type = content_type
        self.size = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename!r} {self.content_type} {self.size} bytes>"

    def __deepcopy__(self, _memo: Any) -> "File":
        """Return the file itself: a copy of the values around it shares its content."""
        return self

    def __len__(self) -> int:
        """Return the size, so that `max_length` bounds the bytes of a file."""
        return self.size

    def __bool__(self) -> bool:
        """Return True: an empty file is a file."""
        return True

    @property
    def format(self) -> str:
        """The usual ending for its media type, without a dot; `''` for an unknown one."""
        return (mimetypes.guess_extension(self.content_type) or "").removeprefix(".")

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from where the last read ended; all of them by default."""
        return self._file.read(size)

    async def aread(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; the async twin of `read`."""
        return await sync_to_async(self.read)(size)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Move to where the next read begins, and return that position."""
        return self._file.seek(position, whence)

    def save(self, path: str | Path, name: str | None = None) -> Path:
        """Write the content into a folder and return the path of the new file.

        Args:
            path: the folder, made when it is not there.
            name: name of the new file; None takes the client's.

        Raises:
            ValueError: there is no name, or the name would leave the folder.
            FileExistsError: there is such a file already.
        """
        chosen = self.filename if name is None else name
        if not chosen or safe_name(chosen) != chosen:
            raise ValueError(f"File.save: {chosen!r} is no plain file name")
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / chosen
        self._file.seek(0)
        with target.open("xb") as out:
            while chunk := self._file.read(CHUNK):
                out.write(chunk)
        return target

    async def asave(self, path: str | Path, name: str | None = None) -> Path:
        """Write the content into a folder; the async twin of `save`."""
        return await sync_to_async(self.save)(path, name)

    def close(self) -> None:
        """Give the content back; what came with a request is closed with its response."""
        self._file.close()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        """Accept an uploaded file whose declared type and size fit."""
        return core_schema.no_info_plain_validator_function(
            cast("Callable[[Any], Any]", cls._accept),
            serialization=core_schema.plain_serializer_function_ser_schema(repr),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe binary content, as OpenAPI 3.1 does."""
        accepted = cls.accepts[0] if len(cls.accepts) == 1 else "application/octet-stream"
        return {"type": "string", "format": "binary", "contentMediaType": accepted}

    @classmethod
    def _accept(cls, value: object) -> "File":
        if not isinstance(value, File):
            raise PydanticCustomError("file_type", "Input should be an uploaded file")
        if cls.accepts and not _is_among(value.content_type, cls.accepts):
            raise PydanticCustomError(
                "file_content_type",
                "Input should be a file of type {accepted}",
                {"accepted": " or ".join(cls.accepts)},
            )
        if cls.max_size is not None and value.size > cls.max_size:
            raise PydanticCustomError(
                "file_too_large",
                "Input should be a file of at most {size} bytes",
                {"size": cls.max_size},
            )
        if not isinstance(value, cls):
            made = cls.__new__(cls)
            made.__dict__.update(value.__dict__)
            return made
        return value


class Image(File):
    """A file whose media type is that of an image."""

    accepts = ("image/*",)


class Audio(File):
    """A file whose media type is that of sound."""

    accepts = ("audio/*",)


class Video(File):
    """A file whose media type is that of moving images."""

    accepts = ("video/*",)


def FileType(  # noqa: N802 - public name; it makes a type
    *accepts: str, max_size: int | None = None
) -> Any:
    """Return a type of files, for an annotation.

    `avatar: FileType('image/png', 'image/jpeg', max_size=2**20)` takes such images only.

    Args:
        *accepts: media types, `image/*` for all images; none takes all.
        max_size: bytes a file may have.

    Raises:
        ConfigError: a media type is malformed, or the size is not positive.
    """
    for item in accepts:
        if item.count("/") != 1 or item != item.lower():
            raise ConfigError(f"FileType({item!r}): expected a media type, such as 'image/png'")
    if max_size is not None and max_size < 1:
        raise ConfigError(f"FileType(max_size={max_size}): expected a positive number of bytes")
    return type("File", (File,), {"accepts": accepts, "max_size": max_size})


def _is_among(content_type: str, accepts: tuple[str, ...]) -> bool:
    bare = content_type.partition(";")[0].strip().lower()
    return any(
        bare == item or (item.endswith("/*") and bare.startswith(item[:-1])) for item in accepts
    )


def safe_name(name: str | None) -> str | None:
    """Return the last part of a client's file name, None when nothing usable is left."""
    if not name:
        return None
    last = PurePosixPath(name.replace("\\", "/")).name
    clean = "".join(char for char in last if char.isprintable() and char not in '<>:"|?*').strip()
    return clean if clean.strip(". ") else None
