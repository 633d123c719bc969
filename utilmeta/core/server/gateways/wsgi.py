"""WSGI: environments in, start_response and iterables out."""

from collections.abc import Iterator
from typing import Any

from utilmeta.core.file.file import CHUNK
from utilmeta.core.request.raw import HeaderPairs, RawRequest, locate_decoded, locate_encoded
from utilmeta.utils.exceptions import LengthRequired

Environ = dict[str, Any]


class WSGIRequest(RawRequest):
    """A raw request over a WSGI environment.

    Args:
        environ: the environment.
        prefix: where the handler answers, the script name included.
        path: the whole path, percent-decoded, as bytes.
        native: the framework's own request.
    """

    __slots__ = ("environ",)

    def __init__(self, environ: Environ, prefix: str, path: bytes, native: object) -> None:
        self.environ = environ
        self.native = native
        self.method = environ["REQUEST_METHOD"].upper()
        self.prefix = prefix
        depth = prefix.count("/")
        target = _target(environ)
        # What was sent tells encoded slashes and broken UTF-8, which decoding has hidden.
        if target is not None and b"%" in target:
            location = locate_encoded(target, depth)
        else:
            location = locate_decoded(path, depth)
        self.path, self.segments, self.fault = location
        self.query = environ.get("QUERY_STRING", "")
        self.scheme = environ.get("wsgi.url_scheme", "http")
        name, port = environ.get("SERVER_NAME"), str(environ.get("SERVER_PORT") or "")
        self.server = (name, int(port) if port.isdigit() else None) if name else None
        address = environ.get("REMOTE_ADDR")
        peer_port = str(environ.get("REMOTE_PORT") or "")
        self.client = (address, int(peer_port) if peer_port.isdigit() else 0) if address else None

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
        key = name.upper().replace("-", "_")
        if key in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            return self.environ.get(key) or None
        return self.environ.get(f"HTTP_{key}")

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


def _target(environ: Environ) -> bytes | None:
    """Return the path as sent: gunicorn's RAW_URI, uWSGI's and werkzeug's REQUEST_URI."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    return raw.encode("latin-1").partition(b"?")[0] if raw else None


def script_of(environ: Environ) -> str:
    """Return the script name as text."""
    name: str = environ.get("SCRIPT_NAME", "")
    return name.encode("latin-1").decode(errors="replace")


def path_of(environ: Environ) -> bytes:
    """Return the whole path, script name included, percent-decoded."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path.encode("latin-1")
