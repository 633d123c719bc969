"""How many processes and threads serve, so that databases have connections for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# During a reload the old processes and the new ones serve together.
ROWS = 2
# Connections that a server allows unless it is told otherwise (PostgreSQL 100, of which 3 are
# kept for its administrators, MySQL and MariaDB 151), less a tenth for other programs.
LIMITS = {"postgresql": 90, "mysql": 136}
# Connections of a psycopg pool that is told no number.
POOL = 4


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
    *,
    pool: int | None = POOL,
) -> list[Budget]:
    """Return what a service may take of its databases.

    Aliases on one server share what that server allows.

    Args:
        databases: Django's `DATABASES`.
        given: connections of each database, or by alias; None takes what is usual.
        pool: connections of a pool that is told no number; None for as many as there are threads.
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
            most = told.get("max_size") or told.get("min_size") or pool
        else:
            most = None
        found.append(Budget(alias=alias, limit=None if _is_file(server) else limit, pool=most))
    return found


def _server(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    engine = str(entry.get("ENGINE", "")).rpartition(".")[2]
    kind = {"postgis": "postgresql", "spatialite": "sqlite3"}.get(engine, engine)
    return kind, str(entry.get("HOST", "")), str(entry.get("PORT", ""))


def _is_file(server: tuple[str, str, str]) -> bool:
    return server[0] == "sqlite3"
