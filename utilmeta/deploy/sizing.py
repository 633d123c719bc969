"""How many processes and threads a service is served by, within what its databases allow."""

import os
from collections.abc import Mapping
from typing import Any

from utilmeta.conf.serving import LANES
from utilmeta.conf.sizing import ROWS, Budget, Sizing, compute, find_budgets
from utilmeta.deploy.facts import Facts, gather
from utilmeta.utils.exceptions import ConfigError

__all__ = ["ROWS", "Budget", "Sizing", "problems", "processors", "size", "size_of"]

WORKERS = "WEB_CONCURRENCY"
# Requests that a process answers at once where threads do it, and where greenlets do.
_THREADS = 8
_GREENLETS = 100


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def size(service: Any, *, count: int | None = None) -> Sizing:
    """Return how many processes and threads a service is to be served by.

    Args:
        service: the service; it is set up.
        count: processors; None for those of this machine.

    Raises:
        ConfigError: its application cannot be imported, or `WEB_CONCURRENCY` is no number.
    """
    return size_of(gather(service), count=count)


def size_of(
    facts: Facts, *, count: int | None = None, environ: Mapping[str, str] | None = None
) -> Sizing:
    """Return how many processes and threads a service of these facts is to be served by.

    Args:
        facts: what is known of it.
        count: processors; None for those of this machine.
        environ: environment; None takes the process's own.

    Raises:
        ConfigError: `WEB_CONCURRENCY` is no number.
    """
    number = processors() if count is None else count
    deployment = facts.deployment
    workers = deployment.workers
    if workers is None:
        workers = told_workers(os.environ if environ is None else environ)
    if facts.asynchronous:
        threads, wanted = facts.lanes, LANES
    elif facts.worker == "sync":
        threads, wanted = 1, 1
    else:
        threads = deployment.threads
        wanted = _GREENLETS if facts.worker == "gevent" else _THREADS
    return compute(
        workers=workers,
        threads=threads,
        # Processes that answer one request at a time wait more than they work.
        wanted_workers=2 * number + 1 if facts.worker == "sync" else max(2, number),
        wanted_threads=wanted,
        budgets=find_budgets(facts.databases, deployment.connections),
    )


def told_workers(environ: Mapping[str, str]) -> int | None:
    """Return how many processes `WEB_CONCURRENCY` asks for; None when it is not set.

    Raises:
        ConfigError: it is no positive number.
    """
    text = environ.get(WORKERS, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(f"{WORKERS}={text!r}: expected a number from 1")
    return int(text)


def problems(service: Any) -> list[str]:
    """Return what is wrong with how many processes and threads serve, in words.

    Args:
        service: the service; it is set up.
    """
    return explain(size(service))


def explain(sizing: Sizing) -> list[str]:
    """Return in words which databases have too few connections."""
    return [
        f"database {item.alias!r} allows {item.limit} connections, and {needed} may be held: "
        f"{sizing.workers} processes with "
        + (f"{sizing.threads} threads" if item.pool is None else f"a pool of {item.pool}")
        + f", {ROWS} times as many during a reload; give fewer workers or threads, or tell the "
        f"server's limit in Deployment(connections=...)"
        for item, needed in sizing.exceeded()
    ]
