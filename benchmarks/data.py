"""The database: 1,000 articles of 50 authors with tags and comments, made once, then copied.

    python -m benchmarks.data sqlite:////tmp/bench.sqlite3

The rows are those of `manage.py conduit_sample_data`. On SQLite each process that is measured has
a file of its own, in WAL mode; on PostgreSQL all of them share one database, and only one of them
is at work at a time.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmarks.workloads import MADE_PREFIX, SLOW_SECONDS

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
SLEEP_FUNCTION = "bench_sleep"


def database_url() -> str:
    """Return the URL of this process's database."""
    return os.environ["BENCHMARKS_DATABASE"]


def is_postgres() -> bool:
    """Return whether this process's database is PostgreSQL."""
    return database_url().startswith("postgresql")


def sqlite_path() -> str:
    """Return the path of this process's SQLite file."""
    return urlsplit(database_url()).path[1:]


def slow_sql() -> str:
    """Return the query that takes 20 ms."""
    name = "pg_sleep" if is_postgres() else SLEEP_FUNCTION
    return f"SELECT {name}({SLOW_SECONDS})"


def add_sleep(connection: Any) -> None:
    """Teach a connection of the sqlite3 module the function of the slow query."""

    def sleep(seconds: float) -> int:
        # It lets other threads run, as waiting for a server does.
        time.sleep(seconds)
        return 1

    connection.create_function(SLEEP_FUNCTION, 1, sleep)


def add_sleep_to_django() -> None:
    """Teach every connection that Django opens on SQLite the same."""
    from django.db.backends.signals import connection_created

    def receive(connection: Any, **_: Any) -> None:
        if connection.vendor == "sqlite":
            add_sleep(connection.connection)

    connection_created.connect(receive, weak=False)


class Cleaner:
    """Deletes what was created, on a connection of its own that no implementation sees."""

    def __init__(self) -> None:
        self._connection: Any
        if is_postgres():
            import psycopg

            self._connection = psycopg.connect(database_url(), autocommit=True)
        else:
            import sqlite3

            self._connection = sqlite3.connect(sqlite_path(), isolation_level=None)

    def clean(self) -> None:
        """Delete the articles that were made by requests."""
        sql = f"DELETE FROM conduit_article WHERE slug LIKE '{MADE_PREFIX}%'"
        self._connection.execute(sql)


def fill() -> None:
    """Make the tables and the rows in this process's database."""
    import io

    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode=WAL")
    call_command("migrate", verbosity=0)
    call_command("conduit_sample_data", verbosity=0, stdout=io.StringIO())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()


@contextmanager
def databases(postgres: str | None, folder: Path) -> Iterator["Databases"]:
    """Make the database, yield what hands out copies, and drop what was made.

    Args:
        postgres: URL of a PostgreSQL server's maintenance database; None for SQLite.
        folder: where the files of SQLite are.
    """
    if postgres is None:
        url = f"sqlite:///{folder / 'rows.sqlite3'}"
        _fill_elsewhere(url)
        yield Databases(url=url, folder=folder)
        return
    import psycopg

    name = f"benchmarks_{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            url = urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
            _fill_elsewhere(url)
            yield Databases(url=url, folder=folder)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _fill_elsewhere(url: str) -> None:
    # Django is not set up in the process that compares.
    command = [sys.executable, "-m", "benchmarks.data", url]
    subprocess.run(command, check=True)


class Databases:
    """Hands out databases with the rows.

    Args:
        url: of the one that was filled.
        folder: where copies of files go.
    """

    def __init__(self, *, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._copies = 0

    def copy(self) -> str:
        """Return the URL of a copy, or of the shared database of PostgreSQL."""
        if not self.url.startswith("sqlite"):
            return self.url
        self._copies += 1
        path = self._folder / f"rows-{self._copies}.sqlite3"
        shutil.copyfile(urlsplit(self.url).path, path)
        return f"sqlite:///{path}"

    def discard(self, url: str) -> None:
        """Delete a copy."""
        if url != self.url:
            for suffix in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    Path(urlsplit(url).path + suffix).unlink()


if __name__ == "__main__":
    os.environ["BENCHMARKS_DATABASE"] = sys.argv[1]
    fill()
