"""How a service runs, as far as its database connections care."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

LANES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How a service runs.

    Attributes:
        asynchronous: whether it answers on an event loop.
        makes_threads: whether its server makes a thread for each request or connection, as
            development servers do, or a greenlet.
        lanes: worker threads for sync code of an async service.
        threads: threads of a sync service's process; None when it is not known.
    """

    asynchronous: bool = False
    makes_threads: bool = False
    lanes: int = LANES
    threads: int | None = None

    @property
    def reason(self) -> str:
        """Why connections are kept, or not, for people."""
        if self.makes_threads:
            return "the server makes a thread for each request"
        return "its lanes outlive requests" if self.asynchronous else "threads outlive requests"


def find_serving(
    *,
    asynchronous: bool,
    lanes: int = LANES,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Serving:
    """Return how this process serves.

    Args:
        asynchronous: whether the service answers on an event loop.
        lanes: worker threads of an async service.
        argv: command line; None takes the process's own.
        environ: environment; None takes the process's own.
    """
    given = sys.argv if argv is None else argv
    variables = os.environ if environ is None else environ
    command = PurePath(given[0]).name if given else ""
    is_django = "runserver" in given[1:2] or (command == "utilmeta" and "runserver" in given)
    is_flask = variables.get("FLASK_RUN_FROM_CLI") == "true"
    makes_threads = not asynchronous and (is_django or is_flask)
    return Serving(asynchronous=asynchronous, makes_threads=makes_threads, lanes=lanes)
