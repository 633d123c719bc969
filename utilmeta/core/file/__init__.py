"""Files that come with a request."""

from utilmeta.core.file.file import Audio, File, FileType, Image, Video

__all__ = ["Audio", "File", "FileType", "Image", "Video"]
