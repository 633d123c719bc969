"""Reads from replicas, writes to primaries."""

import asyncio
import logging
import random
import time
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db import router as routers
from django.db.models import Model

from utilmeta.core.orm.connections.availability import is_away

logger = logging.getLogger("utilmeta.databases")

# Seconds a replica that was away is left alone.
AWAY_SECONDS = 10.0


class ReplicaRouter:
    """A Django database router: reads go to a replica, writes to its primary.

    Which primary a model lives on is for the project's other routers to say, without one for its
    row, else it is `default`. Inside a transaction on the primary reads stay on it, so that they
    see what was written; what belongs to a row is read where the row was read. A replica that
    cannot be reached is passed over for a while: another one is read, in the end the primary.
    """

    def __init__(self) -> None:
        self._away: dict[str, float] = {}

    def _primaries(self) -> dict[str, str]:
        declared = {
            alias: entry.get("TEST", {}).get("MIRROR")
            for alias, entry in settings.DATABASES.items()
        }
        return {alias: primary for alias, primary in declared.items() if primary}

    def _told(self, action: str, model: type[Model], hints: dict[str, object]) -> str | None:
        """Return what the project's other routers say."""
        for other in routers.routers:
            method = None if isinstance(other, ReplicaRouter) else getattr(other, action, None)
            alias: str | None = method(model, **hints) if method is not None else None
            if alias:
                return alias
        return None

    def db_for_read(self, model: type[Model], **hints: object) -> str | None:
        """Return where to read: a replica that answers, or the primary."""
        home = _home_of(hints.get("instance"))
        alias = self._told("db_for_read", model, hints) or home or DEFAULT_DB_ALIAS
        primaries = self._primaries()
        primary = primaries.get(alias, alias)
        if connections[primary].in_atomic_block:
            return primary
        if alias in {home, *primaries}:
            return alias
        replicas = [name for name, of in primaries.items() if of == primary]
        random.shuffle(replicas)
        return next((name for name in replicas if self._answers(name)), primary)

    def db_for_write(self, model: type[Model], **hints: object) -> str | None:
        """Return the primary, of the row's replica too; None leaves it to Django."""
        alias = self._told("db_for_write", model, hints) or _home_of(hints.get("instance"))
        return None if alias is None else self._primaries().get(alias, alias)

    def allow_relation(self, first: Model, second: Model, **_hints: object) -> bool | None:
        """Return True when both rows come from one primary or its replicas."""
        primaries = self._primaries()
        homes = {primaries.get(str(row._state.db), row._state.db) for row in (first, second)}
        return True if len(homes) == 1 else None

    def allow_migrate(self, db: str, _label: str, **_hints: object) -> bool | None:
        """Return False for replicas: their primary migrates them."""
        return False if db in self._primaries() else None

    def _answers(self, alias: str) -> bool:
        """Return whether a replica can be reached, with the connection the read then uses."""
        now = time.monotonic()
        if self._away.get(alias, now) > now:
            return False
        if _is_on_event_loop():
            # The connection is made on a lane, later.
            return True
        connection: Any = connections[alias]
        try:
            connection.close_if_health_check_failed()
            connection.ensure_connection()
        except Error as exc:
            if not is_away(exc):
                raise
            self._away[alias] = now + AWAY_SECONDS
            logger.warning(
                "replica %r is away, others are read for %d s", alias, AWAY_SECONDS, exc_info=exc
            )
            return False
        return True


def _home_of(row: object) -> str | None:
    """Return the alias a row was read from or written to."""
    return row._state.db if isinstance(row, Model) else None


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
