"""Reads from replicas, writes to primaries."""

import random

from django.conf import settings
from django.db.models import Model


class ReplicaRouter:
    """A Django database router: reads go to a replica of `default`, writes to `default`.

    Inside a transaction on the primary reads stay on it, so that they see what was written.
    Replicas of other primaries are used by name, with `using`.
    """

    def _primaries(self) -> dict[str, str]:
        declared = {
            alias: entry.get("TEST", {}).get("MIRROR")
            for alias, entry in settings.DATABASES.items()
        }
        return {alias: primary for alias, primary in declared.items() if primary}

    def db_for_read(self, _model: type[Model], **_hints: object) -> str | None:
        """Return one of the replicas, None when there is none."""
        from django.db import transaction

        if transaction.get_connection("default").in_atomic_block:
            return "default"
        replicas = [name for name, primary in self._primaries().items() if primary == "default"]
        return random.choice(replicas) if replicas else None  # noqa: S311 - spreads load only

    def allow_relation(self, first: Model, second: Model, **_hints: object) -> bool | None:
        """Return True when both rows come from one primary or its replicas."""
        primaries = self._primaries()
        homes = {primaries.get(str(row._state.db), row._state.db) for row in (first, second)}
        return True if len(homes) == 1 else None

    def allow_migrate(self, db: str, _label: str, **_hints: object) -> bool | None:
        """Return False for replicas: their primary migrates them."""
        return False if db in self._primaries() else None
