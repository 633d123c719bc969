"""How many processes and threads serve, so that databases have connections for all of them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utilmeta.conf.deployment import Deployment, WorkerName
from utilmeta.conf.serving import LANES
from utilmeta.utils.exceptions import ConfigError

# During a reload the old processes and the new ones serve together.
ROWS = 2
# Connections that a server allows unless it is told otherwise (PostgreSQL 100, of which 3 are
# kept for its administrators, MySQL and MariaDB 151), less a tenth for other programs.
LIMITS = {"postgresql": 90, "mysql": 136}
# Connections of a psycopg pool that is told no number.
POOL = 4
# Requests that a process answers at once where threads do it, and where greenlets do.
THREADS = 8
GREENLETS = 100
# The environment variable that says how many processes serve.
WORKERS = "WEB_CONCURRENCY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a service may take of a database.

    Attributes:
        alias: the database's.
        limit: connections that all processes together may hold; None for any number.
        pool: connections of the pool of one process; None when each thread has its own.
    """

    alias: str
    limit: int | None
    pool: int | None = None

    def needed(self, *, workers: int, threads: int) -> int:
        """Return how many connections so many processes hold at most, in a reload as well.

        Args:
            workers: processes.
            threads: threads of each that work at once.
        """
        return ROWS * workers * (threads if self.pool is None else self.pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How many processes and threads serve.

    Attributes:
        workers: serving processes.
        threads: threads of each that may hold connections: those of the server under a sync
            service, lanes under an async one.
        budgets: what of each database there is.
    """

    workers: int
    threads: int
    budgets: tuple[Budget, ...] = ()

    def exceeded(self) -> list[tuple[Budget, int]]:
        """Return the budgets that do not suffice, and what would be needed of each."""
        found = []
        for item in self.budgets:
            needed = item.needed(workers=self.workers, threads=self.threads)
            if item.limit is not None and needed > item.limit:
                found.append((item, needed))
        return found


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


def decide(
    deployment: Deployment,
    databases: Mapping[str, Mapping[str, Any]],
    *,
    asynchronous: bool,
    worker: WorkerName | None,
    lanes: int | None,
    count: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> Sizing:
    """Return how many processes and threads serve.

    Args:
        deployment: what was decided.
        databases: Django's `DATABASES`.
        asynchronous: whether the application answers on an event loop.
        worker: kind of gunicorn's workers.
        lanes: worker threads of an async service, where they were decided.
        count: processors; None for those of this machine.
        environ: environment; None takes the process's own.

    Raises:
        ConfigError: `WEB_CONCURRENCY` is no number.
    """
    number = processors() if count is None else count
    workers = deployment.workers
    if workers is None:
        workers = told_workers(os.environ if environ is None else environ)
    if asynchronous:
        threads, wanted = lanes, LANES
    elif worker == "sync":
        threads, wanted = 1, 1
    else:
        threads, wanted = deployment.threads, GREENLETS if worker == "gevent" else THREADS
    return compute(
        workers=workers,
        threads=threads,
        # Processes that answer one request at a time wait more than they work.
        wanted_workers=2 * number + 1 if worker == "sync" else max(2, number),
        wanted_threads=wanted,
        budgets=find_budgets(databases, deployment.connections),
    )


def compute(
    *,
    workers: int | None,
    threads: int | None,
    wanted_workers: int,
    wanted_threads: int,
    budgets: Sequence[Budget],
) -> Sizing:
    """Return as many processes and threads as are wanted and as databases allow.

    Args:
        workers: processes, where the user has decided.
        threads: threads of each process, where the user has decided.
        wanted_workers: processes that suit the processors.
        wanted_threads: threads that suit the server.
        budgets: what of each database there is.
    """
    limited = [(item, item.limit) for item in budgets if item.limit is not None]
    if workers is None:
        allowed = [limit // (ROWS * (item.pool or threads or 1)) for item, limit in limited]
        workers = max(1, min([wanted_workers, *allowed]))
    if threads is None:
        allowed = [limit // (ROWS * workers) for item, limit in limited if item.pool is None]
        threads = max(1, min([wanted_threads, *allowed]))
    return Sizing(workers=workers, threads=threads, budgets=tuple(budgets))


def find_budgets(
    databases: Mapping[str, Mapping[str, Any]],
    given: int | Mapping[str, int] | None,
) -> list[Budget]:
    """Return what a service may take of its databases.

    Aliases on one server share what that server allows.

    Args:
        databases: Django's `DATABASES`.
        given: connections of each database, or by alias; None takes what is usual.
    """
    servers = [_server(entry) for entry in databases.values()]
    found = []
    for (alias, entry), server in zip(databases.items(), servers, strict=True):
        limit = given.get(alias) if isinstance(given, Mapping) else given
        if limit is None and (usual := LIMITS.get(server[0])) is not None:
            limit = max(1, usual // servers.count(server))
        sizes = entry.get("OPTIONS", {}).get("pool")
        if sizes:
            told = sizes if isinstance(sizes, Mapping) else {}
            most = told.get("max_size") or told.get("min_size") or POOL
        else:
            most = None
        found.append(Budget(alias=alias, limit=None if _is_file(server) else limit, pool=most))
    return found


def is_open(entry: Mapping[str, Any]) -> bool:
    """Return whether a database has a pool of which nobody has said how large it is."""
    pool = entry.get("OPTIONS", {}).get("pool")
    return isinstance(pool, dict) and not {"min_size", "max_size"} & set(pool)


def without_pool(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a database whose threads have a connection each, as with a pool of their number."""
    return {**entry, "OPTIONS": {**entry.get("OPTIONS", {}), "pool": None}}


def _server(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    engine = str(entry.get("ENGINE", "")).rpartition(".")[2]
    kind = {"postgis": "postgresql", "spatialite": "sqlite3"}.get(engine, engine)
    return kind, str(entry.get("HOST", "")), str(entry.get("PORT", ""))


def _is_file(server: tuple[str, str, str]) -> bool:
    return server[0] == "sqlite3"
