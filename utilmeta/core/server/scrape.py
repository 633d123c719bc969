"""The endpoint where Prometheus reads what a service counts."""

import asyncio
import ipaddress
from collections.abc import Sequence

from utilmeta.core.request import RawRequest, Request, RequestRules
from utilmeta.core.request.proxies import parse_address
from utilmeta.core.response import RawResponse
from utilmeta.core.server.observe.metrics import CONTENT_TYPE, Numbers
from utilmeta.core.server.probe import Probe, tell, unknown

# What only proxies send.
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class Scrape(Probe):
    """Answers with the numbers, to those who may read them.

    Args:
        numbers: what was counted.
        allow: addresses and networks that may read them besides this machine.
        rules: limits and trusted proxies of the service.
    """

    def __init__(self, numbers: Numbers, allow: Sequence[str], rules: RequestRules) -> None:
        self._numbers = numbers
        self._networks = [ipaddress.ip_network(item, strict=False) for item in allow]
        self._rules = rules

    def refusal(self, raw: RawRequest) -> RawResponse | None:
        """Return the answer to who may not read, or asks for something else; else None."""
        # Who may not read them need not know that they are here.
        return super().refusal(raw) if self._may_read(raw) else unknown()

    def _may_read(self, raw: RawRequest) -> bool:
        request = Request(raw, self._rules)
        # Through a proxy that nobody has named, anybody would seem to be this machine.
        if not request.is_from_proxy and any(raw.header(name) for name in _FORWARDED):
            return False
        address = parse_address(request.ip_address or "")
        if address is None:
            return False
        return address.is_loopback or any(address in network for network in self._networks)

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer."""
        refusal = self.refusal(raw)
        return tell(raw, self._numbers.text(), CONTENT_TYPE) if refusal is None else refusal

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the async twin of `handle`."""
        refusal = self.refusal(raw)
        if refusal is not None:
            return refusal
        # It reads files of all processes.
        loop = asyncio.get_running_loop()
        return tell(raw, await loop.run_in_executor(None, self._numbers.text), CONTENT_TYPE)
