"""Whether databases have the connections that the processes take, and drivers suit the server."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from utilmeta.conf import Deployment
from utilmeta.deploy.combinations import check, waiting_driver
from utilmeta.deploy.facts import gather
from utilmeta.deploy.sizing import explain, size_of
from utilmeta.utils.exceptions import ConfigError


def find_database_faults(service: Any) -> Iterator[CheckMessage]:
    """Yield what is wrong between processes and databases.

    Args:
        service: the service; it is set up.
    """
    yield from _connections(service)
    uses_gevent = (service.get_config(Deployment) or Deployment()).worker == "gevent"
    for alias, entry in settings.DATABASES.items():
        engine = str(entry.get("ENGINE", ""))
        if engine.endswith(("sqlite3", "dummy")) or entry.get("TEST", {}).get("MIRROR"):
            continue
        if not uses_gevent and not keeps_connections(entry):
            yield Warning(
                f"Database {alias!r} has neither a pool nor connections that are kept: every "
                "request connects anew.",
                hint=f"Database(...) of {alias!r}: leave max_age out, or give pooled=True.",
                id="utilmeta.W125",
            )
        yield from _driver(alias, engine, service, uses_gevent=uses_gevent)


def keeps_connections(entry: dict[str, Any]) -> bool:
    """Return whether a database's connections outlive a request."""
    return entry.get("CONN_MAX_AGE", 0) != 0 or bool(entry.get("OPTIONS", {}).get("pool"))


def _connections(service: Any) -> Iterator[CheckMessage]:
    try:
        facts = gather(service)
        check(facts)
        found = explain(size_of(facts))
    except ConfigError as exc:
        yield Warning(
            f"It cannot be served as it is: {exc}.",
            hint="`manage.py deploy` says the same until it is mended.",
            id="utilmeta.W127",
        )
        return
    for text in found:
        yield Warning(
            f"{text[:1].upper()}{text[1:]}.",
            hint="Leave workers, threads and lanes out, and they are chosen by the connections.",
            id="utilmeta.W124",
        )


def _driver(alias: str, engine: str, service: Any, *, uses_gevent: bool) -> Iterator[CheckMessage]:
    driver = waiting_driver(engine)
    if driver == "mysqlclient" and uses_gevent:
        told = "mysqlclient waits in C: one query stops all greenlets of a process"
        hint = "Deployment(worker='gthread')"
    elif driver == "psycopg2" and (uses_gevent or service.asynchronous):
        told = "psycopg2 waits in C, and has no pool"
        hint = "pip install 'psycopg[binary,pool]' in its place"
    else:
        return
    yield Warning(
        f"The driver of database {alias!r} does not suit what serves: {told}.",
        hint=f"{hint}.",
        id="utilmeta.W126",
    )
