"""How often somebody may fail to log in."""

import hashlib
import ipaddress
import logging
import time
import unicodedata
from collections.abc import Iterator

from utilmeta.core.api.plugins.rate_limit import parse_rates
from utilmeta.core.api.plugins.stores import CacheCounters, Counters, MemoryCounters
from utilmeta.core.auth.caches import needing_cache
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import TooManyRequests

logger = logging.getLogger("utilmeta.auth")

# An address may stand for many people, so it may fail this many times as often as one name.
_ADDRESS = 10


class Throttle:
    """Counts attempts to log in that fail, for each name at each address, and for each address.

    An attempt is counted before the password is looked at, so that many at once count too, and
    taken back when the password is right.

    Args:
        rate: such as `'10/minute'`.
        cache: alias of the cache that counts for all processes; None counts in this one.

    Raises:
        ConfigError: the rate cannot be read.
    """

    def __init__(self, rate: str, cache: str | None = None) -> None:
        self._rates = parse_rates(rate)
        self._counters: Counters = MemoryCounters() if cache is None else CacheCounters(cache)

    @property
    def counters(self) -> Counters:
        """Where attempts are counted."""
        return self._counters

    def enter(self, request: Request, name: str, *, counts: bool = True) -> None:
        """Count an attempt.

        Args:
            request: whose address it is.
            name: the name.
            counts: whether it counts as failed until `forgive`; else `fail` counts it, so that many
                right ones at once are let in.

        Raises:
            TooManyRequests: there were too many that failed; the password must not be looked at.
            ServiceUnavailable: the cache is down, and nobody may guess meanwhile.
        """
        with needing_cache():
            self._enter(request, name, counts=counts)

    def _enter(self, request: Request, name: str, *, counts: bool) -> None:
        now = time.time()
        for key, limit, window in self._keys(request, name, now):
            count = self._counters.add(key, window) if counts else self._counters.get(key) + 1
            if count > limit:
                if counts:
                    self._counters.take_back(key)
                wait = int(window - now % window) + 1
                raise TooManyRequests(
                    "Too many attempts to log in", headers={"Retry-After": str(wait)}
                )

    def fail(self, request: Request, name: str) -> None:
        """Count an attempt that was not counted before, and has failed.

        Raises:
            ServiceUnavailable: the cache is down.
        """
        with needing_cache():
            for key, _, window in self._keys(request, name, time.time()):
                self._counters.add(key, window)

    def forgive(self, request: Request, name: str) -> None:
        """Take an attempt back, as it did not fail."""
        try:
            for key, _, _ in self._keys(request, name, time.time()):
                self._counters.take_back(key)
        except Exception:
            # Who has shown the right password is let in, and counted once too often.
            logger.exception("an attempt to log in could not be taken back")

    def _keys(self, request: Request, name: str, now: float) -> Iterator[tuple[str, int, int]]:
        """Yield each counter's key, its limit, and how many seconds it counts for."""
        address = _network(request.ip_address or "unix")
        # Names that the database may take for the same are counted as one.
        folded = unicodedata.normalize("NFKC", name).casefold().strip()
        digest = hashlib.sha256(f"{address}\n{folded}".encode(errors="replace")).hexdigest()
        for rate in self._rates:
            window = f"{rate.limit}/{rate.window}:{int(now // rate.window)}"
            yield f"utilmeta:login:{window}:{digest}", rate.limit, rate.window
            yield f"utilmeta:login:{window}:at:{address}", rate.limit * _ADDRESS, rate.window


def _network(address: str) -> str:
    """Return what an address is counted as: of IPv6 the network that one subscriber has."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address
