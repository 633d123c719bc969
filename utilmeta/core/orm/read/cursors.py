"""Execution of kept statements through Django's cursors.

SQLite's driver takes other placeholders than Django writes, so Django rewrites the text of each
statement when it is executed. Those of kept ones are rewritten once.

Source: django.db.backends.utils.CursorWrapper._execute and
django.db.backends.sqlite3.base.SQLiteCursorWrapper, of Django 5.2 and 6.1.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.utils import CursorWrapper

# Longer texts, with lists of thousands of keys, are not kept here.
_LONGEST = 10_000


@lru_cache(512)
def _rewritten(kind: Any, text: str) -> str:
    """Return a text as a cursor of SQLite's driver takes it."""
    rewritten: str = kind.convert_query(None, text)
    return rewritten


def fetch(connection: Any, text: str, params: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the rows of a statement.

    Args:
        connection: Django's connection.
        text: the statement, with Django's placeholders.
        params: its parameters.
    """
    rows: list[Sequence[Any]]
    with connection.cursor() as cursor:
        inner = cursor.cursor
        # Wrappers of execution, query logs and cursors of other packages are left what they expect.
        is_plain = cursor.__class__ is CursorWrapper and not connection.execute_wrappers
        is_plain = is_plain and connection.vendor == "sqlite" and len(text) <= _LONGEST
        if not (is_plain and _is_djangos(inner.__class__)):
            cursor.execute(text, params)
            rows = cursor.fetchall()
            return rows
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors:
            driver = inner.__class__.__base__
            driver.execute(inner, _rewritten(inner.__class__, text), params)
            rows = inner.fetchall()
        return rows


@lru_cache(16)
def _is_djangos(kind: Any) -> bool:
    """Return whether a cursor class is Django's own for SQLite."""
    from django.db.backends.sqlite3.base import SQLiteCursorWrapper

    return kind is SQLiteCursorWrapper
