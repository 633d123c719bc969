"""Files that come with a request."""

from utilmeta.core.file.file import File

__all__ = ["File"]
