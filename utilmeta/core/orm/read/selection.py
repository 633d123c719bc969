"""What one statement selects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

Row = Sequence[Any]


@dataclass(slots=True)
class Selection:
    """The columns and annotations of one statement, each once.

    Attributes:
        names: ORM names, in order.
        annotations: expressions by the name they are selected as.
    """

    names: list[str] = field(default_factory=list)
    annotations: dict[str, Any] = field(default_factory=dict)

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
        rows: list[Row] = list(self.select(queryset))
        return rows
