"""daphne with a life cycle: `python -m utilmeta.deploy.daphne --fd 3 server:app`.

daphne sends no lifespan messages, and when it is told to end it cancels the requests in flight.
Here start-up is over before it listens, requests in flight are answered, and then comes the
shutdown.
"""

import asyncio
import logging
import signal
import sys
import time
from typing import Any

try:
    # It has to be imported before anything of Twisted.
    from daphne.server import Server, twisted_loop
except ModuleNotFoundError as exc:
    from utilmeta.utils.exceptions import DependencyNotInstalled

    raise DependencyNotInstalled(
        "daphne", requirement="daphne", purpose="python -m utilmeta.deploy.daphne"
    ) from exc
from daphne.utils import import_by_path
from twisted.internet.defer import Deferred

from utilmeta.core.server.contract import SETTLE
from utilmeta.core.server.lifecycle import FAILED
from utilmeta.core.server.lifespan import Lifespan
from utilmeta.deploy.launching import make_parser, parse

# Seconds between looks at what is in flight.
_LOOK = 0.02


class DrainingServer(Server):  # type: ignore[misc]
    """daphne's server, which starts and ends as others do.

    Args:
        application: the ASGI application.
        endpoints: where to listen, as Twisted spells it.
        timeout: seconds that requests in flight are given at the end.
        options: daphne's own.
    """

    def __init__(
        self, application: Any, endpoints: list[str], *, timeout: float, **options: Any
    ) -> None:
        super().__init__(application, endpoints, **options)
        self._timeout = timeout

    def run(self) -> None:
        """Start the application, serve, and shut it down."""
        self._ports: list[Any] = []
        self._lifespan = Lifespan(self.application)
        asyncio.set_event_loop(twisted_loop)
        if not twisted_loop.run_until_complete(self._lifespan.start()):
            sys.exit(FAILED)
        super().run()

    def listen_success(self, port: Any) -> None:
        """Take in a port that is listened on."""
        self._ports.append(port)
        super().listen_success(port)

    def kill_all_applications(self) -> Any:
        """Return what the end waits for: the requests in flight, then the shutdown."""
        return Deferred.fromFuture(asyncio.ensure_future(self._drain(), loop=twisted_loop))

    async def _drain(self) -> None:
        # A second signal ends the process at once.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for port in self._ports:
            port.stopListening()
        await asyncio.sleep(SETTLE)
        late = time.monotonic() + self._timeout
        # Nothing tells when daphne's applications end.
        while self._is_busy() and time.monotonic() < late:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK)
        try:
            await self._lifespan.stop()
        except Exception:
            # Nobody else would tell of it.
            logging.getLogger("utilmeta.lifespan").exception("the application did not shut down")

    def _is_busy(self) -> bool:
        found = (details.get("application_instance") for details in self.connections.values())
        return any(task is not None and not task.done() for task in found)


def main() -> None:
    """Serve until the process is told to end."""
    launch, _ = parse(make_parser("daphne"))
    DrainingServer(
        import_by_path(launch.application),
        endpoints=[f"fd:fileno={launch.fd}"],
        timeout=launch.timeout,
        verbosity=0,
    ).run()


if __name__ == "__main__":
    main()
