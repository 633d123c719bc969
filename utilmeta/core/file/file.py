"""A file received from a client."""

import io
from pathlib import Path, PurePosixPath

CHUNK = 64 * 1024


class File:
    """A file as a client sent it.

    Args:
        content: the bytes, or an open binary file positioned at their start.
        filename: the name the client gave; only its last part is kept.
        content_type: the media type the client gave.
    """

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

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from where the last read ended; all of them by default."""
        return self._file.read(size)

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


def safe_name(name: str | None) -> str | None:
    """Return the last part of a client's file name, None when nothing usable is left."""
    if not name:
        return None
    last = PurePosixPath(name.replace("\\", "/")).name
    clean = "".join(char for char in last if char.isprintable() and char not in '<>:"|?*').strip()
    return clean if clean.strip(". ") else None
