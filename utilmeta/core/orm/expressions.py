"""Django's expressions in schemas: each computed for its own row, wherever its schema is nested."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Aggregate, Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.expressions import Combinable, OrderBy

from utilmeta.utils.exceptions import ConfigError


def parts_of(expression: Any) -> Iterator[Any]:
    """Yield an expression and what it is made of; what is inside of subqueries is theirs."""
    yield expression
    if isinstance(expression, Subquery | Exists):
        return
    for part in getattr(expression, "get_source_expressions", list)():
        if part is not None:
            yield from parts_of(part)


def is_constant(expression: Any) -> bool:
    """Return whether an expression names no column, so that it is the same for every row."""
    return not any(
        isinstance(part, F | Q | str | Subquery | Exists | QuerySet | OuterRef | Aggregate | Window)
        or not (isinstance(part, Combinable) or hasattr(part, "resolve_expression"))
        for part in parts_of(expression)
    )


def may_be_none(expression: Any) -> bool:
    """Return whether an expression is known to have no value where there are no rows."""
    if isinstance(expression, Aggregate):
        no_value: Any = expression.empty_result_set_value
        return no_value is None and getattr(expression, "default", None) is None
    return False


def first_of(queryset: "QuerySet[Any]", column: str | None) -> Subquery:
    """Return the value of a correlated queryset's first row.

    Args:
        queryset: with `OuterRef`; one value of it when it selects one, else `column`.
        column: what is selected; None when the queryset selects itself.
    """
    rows = queryset if queryset.query.is_sliced else queryset[:1]
    return Subquery(rows if column is None else rows.values(column))


def prefixed(item: Any, prefix: str, where: str) -> Any:
    """Return a name, an order or an expression over a model as one over a statement joining it.

    Raises:
        ConfigError: it holds a subquery, whose references cannot be told.
    """
    if isinstance(item, str):
        if item == "?":
            return item
        return f"-{prefix}{item[1:]}" if item.startswith("-") else f"{prefix}{item}"
    if isinstance(item, Q):
        children = [
            (f"{prefix}{child[0]}", prefixed(child[1], prefix, where))
            if isinstance(child, tuple) and not isinstance(child[1], str)
            else (f"{prefix}{child[0]}", child[1])
            if isinstance(child, tuple)
            else prefixed(child, prefix, where)
            for child in item.children
        ]
        return Q(*children, _connector=item.connector, _negated=item.negated)
    if isinstance(item, OuterRef | Subquery | Exists):
        raise ConfigError(f"{where}: {item!r} cannot order a many-to-many list; order by columns")
    if isinstance(item, F):
        name: Any = getattr(item, "name")  # noqa: B009 - stubs do not know it
        return F(f"{prefix}{name}")
    if not hasattr(item, "get_source_expressions"):
        return item
    copied = item.copy()
    copied.set_source_expressions(
        [
            None if part is None else prefixed(part, prefix, where)
            for part in item.get_source_expressions()
        ]
    )
    return copied


def ordering_of(item: Any) -> OrderBy:
    """Return a name such as `-views`, or an expression, as an order."""
    if isinstance(item, OrderBy):
        return item
    if isinstance(item, str):
        return OrderBy(F(item.removeprefix("-")), descending=item.startswith("-"))
    return OrderBy(item)
