"""What one statement selects, and its text, which is kept."""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import QuerySet

from utilmeta.core.orm.read.keylists import KeyList
from utilmeta.core.orm.read.statements import Kept, keep, types_of
from utilmeta.core.orm.read.structure import Structure, structure_of
from utilmeta.core.orm.relations import RowMaker

Row = Sequence[Any]

# Texts that one selection keeps; querysets of one place in a program have few structures.
MAX_KEPT = 256


_changing = threading.Lock()


@dataclass(slots=True)
class _Entry:
    """What is kept of one structure.

    Attributes:
        variables: context variables whose values are parameters.
        by_types: texts by the types of their values; None where none can be kept.
    """

    variables: tuple[Any, ...] = ()
    by_types: dict[tuple[type, ...], Kept | None] = field(default_factory=dict)


@dataclass(slots=True)
class Selection:
    """The columns and annotations of one statement, each once.

    Attributes:
        names: ORM names, in order.
        annotations: expressions by the name they are selected as.
        kept: texts by database and structure.
    """

    names: list[str] = field(default_factory=list)
    annotations: dict[str, Any] = field(default_factory=dict)
    kept: dict[Hashable, _Entry] = field(default_factory=dict)

    def column(self, name: str) -> int:
        """Return the place of a column, which is added when it is new."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def expression(self, label: str, expression: Any) -> int:
        """Return the place of an expression."""
        name = f"_utilmeta_{label}"
        while name in self.annotations:
            # Two schemas of one relation may each have an expression of this name.
            name = f"{name}_also"
        self.annotations[name] = expression
        return self.column(name)

    def select(self, queryset: "QuerySet[Any]", extra: Sequence[str] = ()) -> "QuerySet[Any]":
        """Return the queryset that selects what is wanted, further names, and no more."""
        if self.annotations:
            queryset = queryset.annotate(**self.annotations)
        return queryset.values_list(*self.names, *extra)

    def rows(self, queryset: "QuerySet[Any]") -> list[Row]:
        """Return the rows of a queryset."""
        connection = connections[queryset.db]
        structure = structure_of(queryset, connection)
        if structure is None:
            return list(self.select(queryset))
        kept = self._keep(lambda: self.select(queryset), connection, structure)
        return list(self.select(queryset)) if kept is None else kept.rows(connection, structure)

    def rows_of(self, make: RowMaker, column: Any, keys: Sequence[Any], using: str) -> list[Row]:
        """Return the rows of some keys, of a queryset that is the same but for them.

        Args:
            make: makes the queryset, given keys, or what stands for them, and a database.
            column: the field that the keys are of.
            keys: at least one.
            using: alias of the database.
        """
        connection = connections[using]

        def select() -> "QuerySet[Any]":
            return self.select(make(KeyList(column), using))

        kept = self._keep(select, connection, None)
        if kept is None:
            return list(self.select(make(keys, using)))
        return kept.rows(connection, keys=keys)

    def _keep(
        self,
        select: Callable[[], "QuerySet[Any]"],
        connection: Any,
        structure: Structure | None,
    ) -> Kept | None:
        """Return the kept text of a structure, which is made when it is new."""
        own = None if structure is None else structure.key
        key = (connection.alias, connection.vendor, settings.USE_TZ, own)
        entry = self.kept.get(key)
        if entry is None:
            entry = _Entry()
            with _changing:
                if len(self.kept) >= MAX_KEPT:
                    del self.kept[next(iter(self.kept))]
                self.kept[key] = entry
        types = types_of(entry.variables)
        if types not in entry.by_types:
            kept, variables = keep(select(), connection, structure)
            if variables:
                entry.variables = variables
            entry.by_types[types_of(entry.variables)] = kept
            return kept
        return entry.by_types[types]
