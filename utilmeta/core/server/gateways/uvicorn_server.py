"""uvicorn's server, which loses no request when it ends."""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from utilmeta.core.server.contract import SETTLE

__all__ = ["OPTIONS", "STARTUP_FAILURE", "DrainingServer", "make_config"]


class DrainingServer(uvicorn.Server):
    """Ends in steps: readiness turns false, a grace period, no new connections, the last answers.

    uvicorn's own server closes connections that were accepted a moment ago and whose request has
    not arrived yet; this one waits for it.

    Args:
        config: uvicorn's.
        drain: turns readiness false.
        grace: seconds between that and the end of new connections.
    """

    def __init__(
        self, config: uvicorn.Config, *, drain: Callable[[], None] | None = None, grace: float = 0.0
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._grace = grace

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end; the second signal ends the process at once."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, after the grace period when a signal asked for the end."""
        if self._drain is not None and self._captured_signals:
            self._drain()
            await asyncio.sleep(self._grace)
        for server in self.servers:
            server.close()
        await asyncio.sleep(SETTLE)
        await super().shutdown(sockets)


def make_config(app: Any, **options: Any) -> uvicorn.Config:
    """Return uvicorn's settings as they suit a service.

    Args:
        app: the application, or where it is: `module:attribute`.
        options: uvicorn's own, which win.
    """
    return uvicorn.Config(app, **{**OPTIONS, **options})


# Forwarding headers are judged by Preference(trusted_proxies=...), not by the server. A few
# compressed bytes could stand for messages that fill the memory before any is read.
OPTIONS: dict[str, Any] = {
    "proxy_headers": False,
    "log_level": "info",
    "ws_per_message_deflate": False,
}
