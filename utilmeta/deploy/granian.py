"""granian for a service: `python -m utilmeta.deploy.granian --port 8000 --workers 2 server:app`.

WSGI has no start-up, so that granian alone would run a sync service's start-up hooks at the first
request of a process, and never its shutdown hooks. Here both have their time.
"""

import argparse
import os
import sys
from multiprocessing.util import Finalize
from typing import Any

try:
    from granian import Granian
    from granian._internal import load_target
    from granian.constants import Interfaces
except ModuleNotFoundError as exc:
    from utilmeta.utils.exceptions import DependencyNotInstalled

    raise DependencyNotInstalled(
        "granian", requirement="granian", purpose="python -m utilmeta.deploy.granian"
    ) from exc

from utilmeta.conf import current


def load(target: str) -> Any:
    """Return the application, in a serving process, with a sync service started.

    Args:
        target: `module:attribute`.
    """
    application = load_target(target)
    service = current.get()
    if service is not None and not service.asynchronous:
        service.start()
        # The processes leave without atexit.
        Finalize(None, service.lifecycle.stop, exitpriority=0)
    return application


def main() -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(
        prog="python -m utilmeta.deploy.granian", description="Serves an application with granian."
    )
    parser.add_argument("application", help="module:attribute")
    parser.add_argument("--interface", choices=("asgi", "wsgi"), required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of each process (wsgi)")
    parser.add_argument("--timeout", type=int, default=30, help="seconds to end in")
    given = parser.parse_args()
    sys.path.insert(0, os.getcwd())
    Granian(
        given.application,
        address=given.host,
        port=given.port,
        interface=Interfaces(given.interface),
        workers=given.workers,
        blocking_threads=given.threads,
        websockets=given.interface == "asgi",
        respawn_failed_workers=True,
        workers_kill_timeout=given.timeout,
    ).serve(target_loader=load)


if __name__ == "__main__":
    main()
