"""Care for Django's database connections around each piece of work."""

import contextlib
import logging
import os
import time
from typing import Any

from django.db import DatabaseError, connections

logger = logging.getLogger("utilmeta.lanes")


def tidy_connections() -> None:
    """Close this thread's connections that are broken or too old, and forget logged queries.

    Source: django.db.close_old_connections and reset_queries, which Django itself runs at the
    start and the end of each request; here without its signals, for every backend.
    """
    opened: Any = connections.all(initialized_only=True)
    for connection in opened:
        # A capture of statements, in tests, reads the log across requests.
        if connection.queries_log and not connection.force_debug_cursor:
            connection.queries_log.clear()
        # Inside a transaction, such as Django's ATOMIC_REQUESTS or a test's, nothing may be closed.
        if connection.connection is None or connection.in_atomic_block:
            continue
        if connection.close_at is not None and time.monotonic() >= connection.close_at:
            # Closed without being looked at, which costs a call and is forbidden in some tests.
            connection.close()
        else:
            connection.close_if_unusable_or_obsolete()


def open_blocks() -> dict[str, int]:
    """Return how many transactions are open on this thread's connections, by alias."""
    opened: Any = connections.all(initialized_only=True)
    return {item.alias: len(item.atomic_blocks) for item in opened if item.in_atomic_block}


def end_left_blocks(before: dict[str, int]) -> None:
    """Undo transactions that a request has left open, so that the next one is not a part of them.

    Args:
        before: those that were open when it began, of tests.

    Source: django.db.backends.base.base.BaseDatabaseWrapper.connect, of Django 5.2 and 6.1.
    """
    opened: Any = connections.all(initialized_only=True)
    for connection in opened:
        if len(connection.atomic_blocks) > before.get(connection.alias, 0):
            logger.error("a request left a transaction of %r open; it is undone", connection.alias)
            # One that is broken has nothing to undo.
            with contextlib.suppress(DatabaseError), connection.wrap_database_errors:
                connection.connection.rollback()
            # It begins anew, outside of any transaction, when it is asked for.
            connection.in_atomic_block = False
            connection.atomic_blocks.clear()
            connection.savepoint_ids.clear()
            connection.run_on_commit.clear()
            connection.needs_rollback = False
            connection.close()


def close_connections() -> None:
    """Close all connections of this thread, before it ends."""
    opened: Any = connections.all(initialized_only=True)
    for connection in opened:
        connection.close()


def forget_in_children() -> None:
    """Make processes that are forked from this one open connections of their own.

    A connection that was opened before, while modules were imported under `gunicorn --preload`,
    would be shared by all of them. It is neither used nor closed there, as closing it would end
    the parent's.
    """
    inherited: list[Any] = []

    def forget() -> None:
        opened: Any = connections.all(initialized_only=True)
        for connection in opened:
            is_memory = getattr(connection, "is_in_memory_db", bool)()
            if connection.connection is not None and not is_memory:
                inherited.append(connection.connection)
                connection.connection = None

    os.register_at_fork(after_in_child=forget)
