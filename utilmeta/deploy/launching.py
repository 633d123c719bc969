"""What the launchers of servers have in common."""

import argparse
import os
import socket
import sys
from dataclasses import dataclass

from utilmeta.supervisor.variables import DESCRIPTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a launcher is told.

    Attributes:
        application: where the application is: `module:attribute`.
        fd: number of the listening socket.
        timeout: seconds that requests in flight are given at the end.
        max_requests: answers after which the process ends, and about a tenth more; None for never.
    """

    application: str
    fd: int
    timeout: int
    max_requests: int | None = None

    @property
    def jitter(self) -> int:
        """How many more answers at most, so that not all processes end together."""
        return (self.max_requests or 0) // 10


def make_parser(server: str) -> argparse.ArgumentParser:
    """Return what reads a launcher's command line.

    Args:
        server: name of the server, which is that of the launcher's module.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m utilmeta.deploy.{server}",
        description=f"Serves an application with {server} on a socket that listens already.",
    )
    parser.add_argument("application", help="module:attribute")
    parser.add_argument(
        "--fd",
        type=int,
        default=os.environ.get(DESCRIPTOR),
        help=f"number of the listening socket (that of {DESCRIPTOR})",
    )
    parser.add_argument("--timeout", type=int, default=30, help="seconds to end in (30)")
    return parser


def add_recycling(parser: argparse.ArgumentParser) -> None:
    """Take `--max-requests`, for servers that count answers."""
    parser.add_argument("--max-requests", type=int, help="answers after which the process ends")


def parse(parser: argparse.ArgumentParser) -> tuple[Launch, argparse.Namespace]:
    """Return what the command line says; exits when it is wrong.

    Args:
        parser: of `make_parser`, perhaps with more.
    """
    given = parser.parse_args()
    if given.fd is None:
        parser.error(
            f"no socket: give --fd, or start it with python -m utilmeta.supervisor --bind ... -- "
            f"{parser.prog} {given.application}"
        )
    # As servers' own commands do.
    sys.path.insert(0, os.getcwd())
    launch = Launch(
        application=given.application,
        fd=given.fd,
        timeout=given.timeout,
        max_requests=getattr(given, "max_requests", None),
    )
    return launch, given


def take(number: int) -> socket.socket:
    """Return the listening socket of a number, for use on an event loop.

    Raises:
        OSError: there is none of that number.
    """
    found = socket.socket(fileno=number)
    found.setblocking(False)
    return found
