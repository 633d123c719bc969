"""What answers at one path alone, for those who watch the service: health and metrics."""

from utilmeta.core.request import RawRequest
from utilmeta.core.request.socket import RawSocket
from utilmeta.core.response import RawResponse
from utilmeta.core.response.finish import whole
from utilmeta.core.server.mount import refuse_socket


class Probe:
    """What such handlers have in common.

    Attributes:
        is_exact: that it answers at its own path alone, and is nothing a client asks for.
    """

    is_exact = True

    def refusal(self, raw: RawRequest) -> RawResponse | None:
        """Return the answer to what asks below its path, or not by GET or HEAD; else None."""
        if raw.path:
            return unknown()
        if raw.method not in ("GET", "HEAD"):
            return RawResponse(405, [("allow", "GET, HEAD"), ("content-length", "0")])
        return None

    async def asocket(self, _raw: RawRequest, socket: RawSocket) -> None:
        """Refuse a WebSocket."""
        await refuse_socket(socket)


def unknown() -> RawResponse:
    """Return the answer where nothing is."""
    return RawResponse(404, [("content-length", "0")])


def tell(raw: RawRequest, body: bytes, media_type: str, status: int = 200) -> RawResponse:
    """Return an answer that nobody keeps.

    Args:
        raw: the request, a GET or a HEAD.
        body: what is told.
        media_type: of the body.
        status: the answer's.
    """
    response = whole(body, media_type)
    response.status = status
    response.headers.append(("cache-control", "no-store"))
    if raw.method == "HEAD":
        response.body = b""
    return response
