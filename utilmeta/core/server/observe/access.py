"""Lines of the log about requests: one for each, and one more for slow ones."""

import logging
from urllib.parse import quote

from utilmeta.conf.logs import Logging
from utilmeta.core.server.observe.observer import Seen, Watcher

access = logging.getLogger("utilmeta.access")
slow = logging.getLogger("utilmeta.slow")

# Characters of what clients send that are kept.
_LONGEST = 512

_LINE = "%s %s %d %.1f ms"
_IN_MESSAGE = ("method", "path", "status", "duration_ms")


class AccessLog(Watcher):
    """Writes a line for each request that has ended.

    Args:
        config: what is written.
    """

    def __init__(self, config: Logging) -> None:
        self._slow = config.slow_request
        self._has_access = config.access

    def end(self, seen: Seen, seconds: float) -> None:
        """Write the lines of a request."""
        level = logging.DEBUG if seen.is_probe else logging.INFO
        is_slow = self._slow is not None and seconds >= self._slow and not seen.is_socket
        has_access = self._has_access and access.isEnabledFor(level)
        if not (is_slow or has_access):
            return
        method = "WS" if seen.is_socket else seen.raw.method
        path = quote(seen.target)[:_LONGEST]
        shown = round(seconds * 1000, 3)
        fields: dict[str, object] = {
            "method": method[:_LONGEST],
            "path": path,
            "status": seen.status,
            "duration_ms": shown,
            "route": seen.route,
            "_told": _IN_MESSAGE,
        }
        if is_slow:
            slow.warning(f"slow request: {_LINE}", method, path, seen.status, shown, extra=fields)
        if has_access:
            fields |= self._further(seen)
            args = (method, path, seen.status, shown)
            # As `access.log` does it, without a search for who has called it.
            access.handle(
                access.makeRecord(access.name, level, __file__, 0, _LINE, args, None, "end", fields)
            )

    def _further(self, seen: Seen) -> dict[str, object]:
        agent = seen.raw.header("user-agent")
        further: dict[str, object] = {
            "bytes": seen.size,
            "client": self.observer.client_of(seen),
            "user_agent": None if agent is None else agent[:_LONGEST],
        }
        if seen.code is not None:
            further["code"] = seen.code
        if seen.error is not None and seen.has_failed:
            # The exception itself has been logged where it was raised.
            further["error"] = type(seen.error).__name__
        return further
