"""hypercorn under a supervisor: `python -m utilmeta.deploy.hypercorn --fd 3 server:app`.

hypercorn's own processes lose the requests in flight when they are told to end. Here one process
serves, stops accepting connections, waits for the requests of those it has accepted, and answers.
"""

import asyncio
import signal

try:
    from hypercorn.asyncio.run import worker_serve
    from hypercorn.config import Config
    from hypercorn.utils import load_application
except ModuleNotFoundError as exc:
    from utilmeta.utils.exceptions import DependencyNotInstalled

    raise DependencyNotInstalled(
        "hypercorn", requirement="hypercorn", purpose="python -m utilmeta.deploy.hypercorn"
    ) from exc

from utilmeta.core.server.contract import SETTLE
from utilmeta.deploy.launching import Launch, make_parser, parse


async def run(launch: Launch) -> None:
    """Serve until the process is told to end."""
    config = Config()
    config.application_path = launch.application
    config.bind = [f"fd://{launch.fd}"]
    config.graceful_timeout = launch.timeout
    config.accesslog = None
    config.loglevel = "WARNING"
    application = load_application(launch.application, config.wsgi_max_body_size)
    trigger = Trigger(launch.fd)
    await worker_serve(
        application, config, sockets=config.create_sockets(), shutdown_trigger=trigger
    )


class Trigger:
    """Waits for a signal, and for the requests of the last connections.

    Args:
        fd: number of the listening socket.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._end, number)

    async def __call__(self) -> None:
        """Return when hypercorn is to end."""
        await self._ended.wait()
        asyncio.get_running_loop().remove_reader(self._fd)
        await asyncio.sleep(SETTLE)

    def _end(self, number: int) -> None:
        # A second signal ends the process at once.
        asyncio.get_running_loop().remove_signal_handler(number)
        self._ended.set()


def main() -> None:
    """Serve until the process is told to end."""
    asyncio.run(run(parse(make_parser("hypercorn"))[0]))


if __name__ == "__main__":
    main()
