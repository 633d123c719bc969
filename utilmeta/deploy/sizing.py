"""How many processes and threads a service is served by, within what its databases allow."""

from typing import Any

from utilmeta.conf.sizing import ROWS, Budget, Sizing, decide
from utilmeta.deploy.facts import Facts, gather

__all__ = ["ROWS", "Budget", "Sizing", "explain", "problems", "size", "size_of"]


def size(service: Any, *, count: int | None = None) -> Sizing:
    """Return how many processes and threads a service is to be served by.

    Args:
        service: the service; it is set up.
        count: processors; None for those of this machine.

    Raises:
        ConfigError: its application cannot be imported, or `WEB_CONCURRENCY` is no number.
    """
    return size_of(gather(service), count=count)


def size_of(facts: Facts, *, count: int | None = None) -> Sizing:
    """Return how many processes and threads a service of these facts is to be served by.

    Args:
        facts: what is known of it.
        count: processors; None for those of this machine.

    Raises:
        ConfigError: `WEB_CONCURRENCY` is no number.
    """
    return decide(
        facts.deployment,
        facts.databases,
        asynchronous=facts.asynchronous,
        worker=facts.worker,
        lanes=facts.lanes,
        count=count,
    )


def problems(service: Any) -> list[str]:
    """Return what is wrong with how many processes and threads serve, in words.

    Args:
        service: the service; it is set up.

    Raises:
        ConfigError: as `size`.
    """
    return explain(size(service))


def explain(sizing: Sizing) -> list[str]:
    """Return in words which databases have too few connections."""
    return [
        f"database {item.alias!r} allows {item.limit} connections, and {needed} may be held: "
        f"{sizing.workers} processes with "
        + (f"{sizing.threads} threads" if item.pool is None else f"a pool of {item.pool}")
        + f", {ROWS} times as many during a reload; give fewer workers or threads, or tell the "
        "server's limit in Deployment(connections=...)"
        for item, needed in sizing.exceeded()
    ]
