"""What is known to go wrong with database connections, by how the service runs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from utilmeta.conf.serving import Serving

Entry = Mapping[str, Any]
# Connections a psycopg pool keeps when it is told no number.
_POOL_SIZE = 4


def check_databases(
    databases: Mapping[str, Entry], serving: Serving, backend: str
) -> list[CheckMessage]:
    """Return what is known to go wrong with the connections of a service.

    Args:
        databases: Django's `DATABASES`.
        serving: how the service runs.
        backend: name of the framework that serves it.
    """
    looks: tuple[Callable[[str, Entry, Serving], Iterator[CheckMessage]], ...] = (
        _threads,
        _pool,
        _lanes,
        _memory,
        _health,
    )
    found = [
        message
        for alias, entry in databases.items()
        for look in looks
        for message in look(alias, entry, serving)
    ]
    atomic = [alias for alias, entry in databases.items() if entry.get("ATOMIC_REQUESTS")]
    if atomic:
        found.extend(_atomic(", ".join(map(repr, atomic)), serving, backend))
    return found


def _is_sqlite(entry: Entry) -> bool:
    return str(entry.get("ENGINE", "")).endswith("sqlite3")


def _is_kept(entry: Entry) -> bool:
    return bool(entry.get("CONN_MAX_AGE", 0) != 0)


def _pool_of(entry: Entry) -> Any:
    return entry.get("OPTIONS", {}).get("pool")


def _threads(alias: str, entry: Entry, serving: Serving) -> Iterator[CheckMessage]:
    if serving.makes_threads and _is_kept(entry) and not _is_sqlite(entry):
        yield Warning(
            f"Database {alias!r} keeps connections, but this server makes a thread for each "
            "request, so that none is used again and each waits to be closed.",
            hint="Leave max_age out (Django: CONN_MAX_AGE = 0 under a development server).",
            id="utilmeta.W006",
        )


def _pool(alias: str, entry: Entry, _serving: Serving) -> Iterator[CheckMessage]:
    if _pool_of(entry) and _is_kept(entry):
        yield Error(
            f"Database {alias!r} has a pool and CONN_MAX_AGE, which Django refuses at the first "
            "query.",
            hint="Leave CONN_MAX_AGE out: the pool keeps the connections.",
            id="utilmeta.E001",
        )


def _lanes(alias: str, entry: Entry, serving: Serving) -> Iterator[CheckMessage]:
    pool = _pool_of(entry)
    if not pool or not serving.asynchronous:
        return
    sizes = pool if isinstance(pool, Mapping) else {}
    size = sizes.get("max_size") or sizes.get("min_size") or _POOL_SIZE
    if size < serving.lanes:
        yield Warning(
            f"The pool of database {alias!r} has {size} connections for {serving.lanes} lanes, so "
            "that requests wait for one, and fail when none is free in time.",
            hint=f"Give the pool max_size={serving.lanes}, or Preference(lanes={size}).",
            id="utilmeta.W007",
        )


def _memory(alias: str, entry: Entry, serving: Serving) -> Iterator[CheckMessage]:
    name = str(entry.get("NAME", ""))
    is_memory = ":memory:" in name or ("mode=memory" in name and "cache=shared" not in name)
    if _is_sqlite(entry) and is_memory and (serving.asynchronous or serving.makes_threads):
        yield Warning(
            f"Database {alias!r} is in memory, so that each thread has a database of its own.",
            hint="Use a file.",
            id="utilmeta.W008",
        )


def _health(alias: str, entry: Entry, _serving: Serving) -> Iterator[CheckMessage]:
    if _is_kept(entry) and not entry.get("CONN_HEALTH_CHECKS") and not _is_sqlite(entry):
        yield Warning(
            f"Database {alias!r} keeps connections without checking them, so that the first "
            "request of each thread fails after the database was restarted.",
            hint="Set CONN_HEALTH_CHECKS = True.",
            id="utilmeta.W009",
        )


def _atomic(aliases: str, serving: Serving, backend: str) -> Iterator[CheckMessage]:
    if backend == "django" and serving.asynchronous:
        yield Error(
            f"ATOMIC_REQUESTS of {aliases}: Django refuses it for async views, so that every "
            "request to the API is answered with 500.",
            hint="Leave it out and use transaction.atomic() where it is needed.",
            id="utilmeta.E002",
        )
    elif backend != "django":
        yield Warning(
            f"ATOMIC_REQUESTS of {aliases} has no effect on {backend}: only Django's own handler "
            "knows it.",
            hint="Use transaction.atomic() where it is needed.",
            id="utilmeta.W010",
        )
