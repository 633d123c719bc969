"""uvicorn under a supervisor: `python -m utilmeta.deploy.uvicorn --fd 3 server:app`."""

import sys

from utilmeta.deploy.launching import add_recycling, make_parser, parse, take

try:
    from utilmeta.core.server.gateways.uvicorn_server import (
        STARTUP_FAILURE,
        DrainingServer,
        make_config,
    )
except ModuleNotFoundError as exc:
    from utilmeta.utils.exceptions import DependencyNotInstalled

    raise DependencyNotInstalled(
        "uvicorn", requirement="uvicorn", purpose="python -m utilmeta.deploy.uvicorn"
    ) from exc


def main() -> int:
    """Serve until the process is told to end; returns the status to exit with."""
    parser = make_parser("uvicorn")
    add_recycling(parser)
    launch, _ = parse(parser)
    server = DrainingServer(
        make_config(
            launch.application,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=launch.timeout,
            limit_max_requests=launch.max_requests,
            limit_max_requests_jitter=launch.jitter,
        )
    )
    server.run([take(launch.fd)])
    return 0 if server.started else STARTUP_FAILURE


if __name__ == "__main__":
    sys.exit(main())
