"""granian for a service: `python -m utilmeta.deploy.granian --fd 3 --interface wsgi server:app`.

WSGI has no start-up, so that granian alone would run a sync service's start-up hooks at the first
request of a process. Here they run before it, and all processes answer on the supervisor's socket.
"""

import os
from typing import Any

try:
    from granian import Granian
    from granian._granian import SocketHolder
    from granian._internal import load_target
    from granian.constants import Interfaces
except ModuleNotFoundError as exc:
    from utilmeta.utils.exceptions import DependencyNotInstalled

    raise DependencyNotInstalled(
        "granian", requirement="granian", purpose="python -m utilmeta.deploy.granian"
    ) from exc

from utilmeta.conf import current
from utilmeta.deploy.launching import make_parser, parse


def load(target: str) -> Any:
    """Return the application, in a serving process, with a sync service started.

    Args:
        target: `module:attribute`.
    """
    application = load_target(target)
    service = current.get()
    if service is not None and not service.asynchronous:
        service.start()
    return application


class Listening(Granian):  # type: ignore[valid-type,misc]
    """granian on a socket that listens already.

    Attributes:
        descriptor: its number.
    """

    descriptor: int

    def _init_shared_socket(self) -> None:
        # What granian does by itself where processes cannot share a port.
        os.set_blocking(self.descriptor, False)
        self._shd = SocketHolder(self.descriptor, False, self.backlog)  # type: ignore[call-arg]
        self._sfd = self.descriptor
        self._sso = None


def main() -> None:
    """Serve until the process is told to end."""
    parser = make_parser("granian")
    parser.add_argument("--interface", choices=("asgi", "wsgi"), required=True)
    parser.add_argument("--workers", type=int, default=1, help="serving processes (1)")
    parser.add_argument("--threads", type=int, help="of each process (wsgi)")
    launch, given = parse(parser)
    server = Listening(
        launch.application,
        interface=Interfaces(given.interface),
        workers=given.workers,
        blocking_threads=given.threads,
        websockets=given.interface == "asgi",
        respawn_failed_workers=True,
        workers_kill_timeout=launch.timeout,
    )
    server.descriptor = launch.fd
    server.serve(target_loader=load)


if __name__ == "__main__":
    main()
