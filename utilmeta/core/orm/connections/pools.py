"""Pools that notice at once that their database was away."""

from typing import Any

from django.db import connections


def watch_pool(alias: str) -> None:
    """Make a pool drop all its dead connections as soon as it finds one.

    psycopg's pool finds them one at a time and waits longer before each next one, so that a
    request after a restart of the database might wait for as long as it may and then fail.

    Args:
        alias: a connection; one without a pool is left alone.

    Source: psycopg_pool 3.2 and 3.3, `ConnectionPool._check`: Django makes the pool and gives it a
    check of its own, for which there is no public place to give another.
    """
    connection: Any = connections[alias]
    pool: Any = getattr(connection, "pool", None)
    if pool is None or not connection.settings_dict["CONN_HEALTH_CHECKS"]:
        return

    def check(one: Any) -> None:
        try:
            pool.check_connection(one)
        except connection.Database.Error:
            pool.check()
            raise

    pool._check = check
