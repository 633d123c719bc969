"""The endpoint where Prometheus reads what a service counts."""

import asyncio
import ipaddress
from collections.abc import Sequence

from utilmeta.core.request import RawRequest, Request, RequestRules
from utilmeta.core.request.proxies import parse_address
from utilmeta.core.request.socket import RawSocket
from utilmeta.core.response import RawResponse
from utilmeta.core.response.finish import whole
from utilmeta.core.server.mount import refuse_socket
from utilmeta.core.server.observe.metrics import CONTENT_TYPE, Numbers

# What only proxies send.
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class Scrape:
    """Answers with the numbers, to those who may read them.

    Args:
        numbers: what was counted.
        allow: addresses and networks that may read them besides this machine.
        rules: limits and trusted proxies of the service.

    Attributes:
        is_exact: that it answers at its own path alone, and is nothing a client asks for.
    """

    is_exact = True

    def __init__(self, numbers: Numbers, allow: Sequence[str], rules: RequestRules) -> None:
        self._numbers = numbers
        self._networks = [ipaddress.ip_network(item, strict=False) for item in allow]
        self._rules = rules

    def _refusal(self, raw: RawRequest) -> RawResponse | None:
        """Return the answer to who may not read, or asks for something else."""
        # Who may not read them need not know that they are here.
        if raw.path or not self._may_read(raw):
            return RawResponse(404, [("content-length", "0")])
        if raw.method not in ("GET", "HEAD"):
            return RawResponse(405, [("allow", "GET, HEAD"), ("content-length", "0")])
        return None

    def _may_read(self, raw: RawRequest) -> bool:
        request = Request(raw, self._rules)
        # Through a proxy that nobody has named, anybody would seem to be this machine.
        if not request.is_from_proxy and any(raw.header(name) for name in _FORWARDED):
            return False
        address = parse_address(request.ip_address or "")
        if address is None:
            return False
        return address.is_loopback or any(address in network for network in self._networks)

    def _answer(self, raw: RawRequest, text: bytes) -> RawResponse:
        response = whole(text, CONTENT_TYPE)
        response.headers.append(("cache-control", "no-store"))
        if raw.method == "HEAD":
            response.body = b""
        return response

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer."""
        refusal = self._refusal(raw)
        return self._answer(raw, self._numbers.text()) if refusal is None else refusal

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the async twin of `handle`."""
        refusal = self._refusal(raw)
        if refusal is not None:
            return refusal
        # It reads files of all processes.
        loop = asyncio.get_running_loop()
        return self._answer(raw, await loop.run_in_executor(None, self._numbers.text))

    async def asocket(self, _raw: RawRequest, socket: RawSocket) -> None:
        """Refuse a WebSocket."""
        await refuse_socket(socket)
