"""SQL that is watched: whatever goes through Django's cursors, on every thread."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created

slow = logging.getLogger("utilmeta.slow")

# Takes what Django's execute_wrappers take: execute, sql, params, many, context.
Wrapper = Callable[[Any, Any, Any, bool, dict[str, Any]], Any]

_ID = "utilmeta.observe"
# Characters of a statement that are written.
_LONGEST = 4000


class Statements:
    """Puts wrappers around the statements of each connection, from when it is opened.

    Async methods of Django's ORM run on lanes and so through the same cursors.

    Args:
        wrappers: those for every statement; the first is the outermost.

    Source: django.db.backends.base.base.BaseDatabaseWrapper.execute_wrapper, which does so for the
    length of a block.
    """

    def __init__(self, wrappers: Sequence[Wrapper]) -> None:
        self._wrappers = tuple(wrappers)

    def watch(self) -> None:
        """Begin; what watched before does so no more."""
        connection_created.disconnect(dispatch_uid=_ID)
        if self._wrappers:
            connection_created.connect(self._join, weak=False, dispatch_uid=_ID)
        opened: Any = connections.all(initialized_only=True)
        for connection in opened:
            self._join(connection)

    def _join(self, connection: Any, **_told: Any) -> None:
        # A connection that is opened again has its wrappers still.
        others = [item for item in connection.execute_wrappers if not _is_ours(item)]
        connection.execute_wrappers[:] = [*self._wrappers, *others]


def _is_ours(wrapper: object) -> bool:
    return isinstance(wrapper, StatementWatcher)


class StatementWatcher:
    """A wrapper of statements that is ours."""

    def __call__(
        self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """Execute a statement."""
        raise NotImplementedError


class SlowStatements(StatementWatcher):
    """Writes a line for each statement that takes long; its parameters are never shown.

    Args:
        seconds: from which on it is slow.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(
        self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """Execute a statement."""
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken = time.perf_counter() - started
            if taken >= self._seconds:
                alias, text = context["connection"].alias, shown_sql(sql)
                shown = round(taken * 1000, 3)
                fields = {"database": alias, "duration_ms": shown, "sql": text}
                slow.warning(
                    "slow SQL on %s: %.1f ms: %s",
                    alias,
                    shown,
                    text,
                    extra={**fields, "_told": tuple(fields)},
                )


def shown_sql(sql: object) -> str:
    """Return a statement for people, on one line, its placeholders as they are."""
    return " ".join(str(sql).split())[:_LONGEST]
