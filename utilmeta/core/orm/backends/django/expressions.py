"""Django's expressions in one place, and aggregates over a correlated queryset.

`SubqueryCount(Favorite.objects.filter(article=OuterRef("pk")))` counts rows of another query for
each row, whatever else the statement joins.
"""

from typing import Any

from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Field,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce

from utilmeta.utils.exceptions import ConfigError

__all__ = [
    "Avg",
    "Case",
    "Coalesce",
    "Count",
    "Exists",
    "ExpressionWrapper",
    "F",
    "Func",
    "Max",
    "Min",
    "OuterRef",
    "Q",
    "Subquery",
    "SubqueryCount",
    "SubquerySum",
    "Sum",
    "Value",
    "When",
    "Window",
]

_ONE, _RESULT = "utilmeta_one", "utilmeta_result"


def _aggregate(queryset: "QuerySet[Any]", aggregate: Any, name: str) -> "QuerySet[Any]":
    """Return a queryset of one row, the aggregate of all rows of another."""
    if queryset.query.is_sliced:
        raise ConfigError(f"{name}: a slice cannot be counted in a subquery; filter in its place")
    # Grouped by a constant, all rows are one group.
    whole = queryset.order_by().annotate(**{_ONE: Value(1)}).values(_ONE)
    grouped: QuerySet[Any] = whole.annotate(**{_RESULT: aggregate}).values(_RESULT)
    return grouped


def SubqueryCount(queryset: "QuerySet[Any]") -> Coalesce:  # noqa: N802 - named as an expression
    """Return how many rows a correlated queryset has, 0 for none.

    Args:
        queryset: with `OuterRef`.

    Raises:
        ConfigError: it is sliced.
    """
    counted = Count("pk", distinct=queryset.query.distinct)
    inner = _aggregate(queryset, counted, "SubqueryCount")
    return Coalesce(Subquery(inner, output_field=IntegerField()), 0)


def SubquerySum(  # noqa: N802 - named as an expression
    queryset: "QuerySet[Any]", field: str, output_field: "Field[Any, Any] | None" = None
) -> Subquery:
    """Return the sum of one column over a correlated queryset, None for no rows.

    Args:
        queryset: with `OuterRef`.
        field: the column, or a path to it.
        output_field: type of the sum; None takes the column's.

    Raises:
        ConfigError: it is sliced.
    """
    inner = _aggregate(queryset, Sum(field), "SubquerySum")
    return Subquery(inner, output_field=output_field)
