"""Care for Django's database connections around each piece of work."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.signals import connection_created

logger = logging.getLogger("utilmeta.lanes")

NO_BLOCKS: dict[str, int] = {}


class _Opened(threading.local):
    """The connections that this thread has opened; None before they were first looked for."""

    found: list[Any] | None = None


_opened = _Opened()


def _mine() -> list[Any]:
    """Return the connections that this thread has opened, without a look at all the others."""
    found = _opened.found
    if found is None:
        initialized: Any = connections.all(initialized_only=True)
        found = _opened.found = list(initialized)
    return found


def _remember(connection: Any, **_told: Any) -> None:
    """Take in a connection that was opened; Django tells of each, on the thread that opens it."""
    mine = _mine()
    if not any(known is connection for known in mine):
        mine.append(connection)


connection_created.connect(_remember, weak=False, dispatch_uid="utilmeta.hygiene")


def tidy_connections() -> None:
    """Close this thread's connections that are broken or too old, and forget logged queries.

    Source: django.db.close_old_connections and reset_queries, which Django itself runs at the
    start and the end of each request; here without its signals, for every backend, and without a
    look at connections that cannot need it (BaseDatabaseWrapper.close_if_unusable_or_obsolete, of
    Django 5.2 and 6.1).
    """
    for connection in _mine():
        # A capture of statements, in tests, reads the log across requests.
        if connection.queries_log and not connection.force_debug_cursor:
            connection.queries_log.clear()
        # Inside a transaction, such as Django's ATOMIC_REQUESTS or a test's, nothing may be closed.
        if connection.connection is None or connection.in_atomic_block:
            continue
        if connection.close_at is not None and time.monotonic() >= connection.close_at:
            # Closed without being looked at, which costs a call and is forbidden in some tests.
            connection.close()
            _restore(connection)
        elif (
            connection.errors_occurred
            or connection.health_check_enabled
            or connection.autocommit != connection.settings_dict["AUTOCOMMIT"]
        ):
            connection.close_if_unusable_or_obsolete()
            _restore(connection)


def _restore(connection: Any) -> None:
    """Let a connection commit as it is told to, where closing it has done nothing.

    Source: django.db.backends.sqlite3.base.DatabaseWrapper.close, which leaves databases in memory
    as they are.
    """
    usual = connection.settings_dict["AUTOCOMMIT"]
    if connection.connection is not None and connection.autocommit != usual:
        connection.rollback()
        connection.set_autocommit(usual)


def opened_here() -> list[Any]:
    """Return the connections that this thread opens, a list that grows with them."""
    return _mine()


def is_tidy(opened: list[Any]) -> bool:
    """Return whether nothing has to be done to a thread's connections; asked of any thread.

    Args:
        opened: what `opened_here` gives on that thread, on which nothing runs now.
    """
    for connection in opened:
        if connection.queries_log:
            return False
        if connection.connection is None:
            continue
        is_old = connection.close_at is not None and time.monotonic() >= connection.close_at
        if is_old or connection.errors_occurred or connection.atomic_blocks:
            return False
        if connection.autocommit != connection.settings_dict["AUTOCOMMIT"]:
            return False
    return True


def open_blocks() -> dict[str, int]:
    """Return how many transactions are open on this thread's connections, by alias."""
    for connection in _mine():
        if connection.in_atomic_block:
            return {item.alias: len(item.atomic_blocks) for item in _mine() if item.in_atomic_block}
    return NO_BLOCKS


def end_left_blocks(before: Mapping[str, int]) -> None:
    """Undo transactions that a request has left open, so that the next one is not a part of them.

    Args:
        before: those that were open when it began, of tests.

    Source: django.db.backends.base.base.BaseDatabaseWrapper.connect, of Django 5.2 and 6.1.
    """
    for connection in _mine():
        blocks = connection.atomic_blocks
        if blocks and len(blocks) > before.get(connection.alias, 0):
            logger.error("a request left a transaction of %r open; it is undone", connection.alias)
            # One that is broken, or closed, has nothing to undo.
            if connection.connection is not None:
                with contextlib.suppress(DatabaseError), connection.wrap_database_errors:
                    connection.connection.rollback()
            # It begins anew, outside of any transaction, when it is asked for.
            connection.in_atomic_block = False
            connection.atomic_blocks.clear()
            connection.savepoint_ids.clear()
            connection.run_on_commit.clear()
            connection.needs_rollback = False
            connection.closed_in_transaction = False
            connection.close()
            _restore(connection)


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
