"""What the text of a queryset's statement depends on, told without making it.

Two querysets of one structure differ in values only, so that the text of the one serves the other.
A structure is told for the plain ones, nearly all in practice: filters by columns with values,
joins, orders by name, slices. Anything else has none, and Django makes its statement anew each
time.

Source: django.db.models.sql.query.Query and django.db.models.lookups, of Django 5.2 and 6.1.
"""

import copy
from collections.abc import Hashable
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import F, ForeignObject, ForeignObjectRel, QuerySet, lookups
from django.db.models.expressions import Col, OrderBy
from django.db.models.fields import related_lookups
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.query import Query
from django.db.models.sql.where import WhereNode

from utilmeta.core.orm.stock import is_same
from utilmeta.core.request.current import value_of
from utilmeta.core.request.expressions import ContextValue

Values = tuple[list[Any], ...]

# Values of a condition whose text is kept; longer lists would take much memory for each length.
MAX_LIST = 100

# Lookups whose text depends on their column, and on nothing of their value but what is told here.
_PLAIN = frozenset(
    {
        lookups.Exact,
        lookups.IExact,
        lookups.GreaterThan,
        lookups.GreaterThanOrEqual,
        lookups.LessThan,
        lookups.LessThanOrEqual,
        lookups.IntegerFieldExact,
        lookups.IntegerGreaterThan,
        lookups.IntegerGreaterThanOrEqual,
        lookups.IntegerLessThan,
        lookups.IntegerLessThanOrEqual,
        lookups.In,
        lookups.Contains,
        lookups.IContains,
        lookups.StartsWith,
        lookups.IStartsWith,
        lookups.EndsWith,
        lookups.IEndsWith,
        related_lookups.RelatedExact,
        related_lookups.RelatedIn,
        related_lookups.RelatedGreaterThan,
        related_lookups.RelatedGreaterThanOrEqual,
        related_lookups.RelatedLessThan,
        related_lookups.RelatedLessThanOrEqual,
    }
)
_NULLS = frozenset({lookups.IsNull, related_lookups.RelatedIsNull})

# What a queryset of the project's must not have changed.
_STOCK = (
    "__iter__",
    "_fetch_all",
    "_iterator",
    "_clone",
    "_chain",
    "_values",
    "annotate",
    "iterator",
    "using",
    "values_list",
)


class Structure(NamedTuple):
    """What the text of a statement depends on, and the values that are filled in.

    Attributes:
        key: equal for querysets whose statements have one text, but for the slice.
        values: parameters of each condition, in order, as the driver takes them.
        low: rows that are left out at the beginning.
        high: number of the row after the last one; None without an end.
    """

    key: Hashable
    values: Values
    low: int
    high: int | None


class _UnknownError(Exception):
    """A part of a queryset whose text could depend on anything."""


def structure_of(queryset: "QuerySet[Any]", connection: Any) -> Structure | None:
    """Return the structure of a queryset; None when it has something that is not known.

    Args:
        queryset: the rows, with nothing selected yet.
        connection: the one it is to be read by, which prepares the values.
    """
    query: Any = queryset.query
    is_plain: bool = query.__class__ is Query and is_stock(queryset.__class__)
    if not is_plain or _has_more(query):
        return None
    values: list[list[Any]] = []
    try:
        where = _condition(query.where, values, connection)
        order = tuple(map(_order, query.order_by))
    except (_UnknownError, EmptyResultSet, FullResultSet):
        return None
    joins: tuple[Any, ...] = ()
    if len(query.alias_map) > 1 or query.base_table not in (None, query.model._meta.db_table):
        used = query.alias_refcount
        joins = tuple(_join(table, used.get(name)) for name, table in query.alias_map.items())
        if None in joins:
            return None
    flags = (query.default_ordering, query.standard_ordering, query.distinct)
    is_sliced = query.high_mark is not None or query.low_mark != 0
    key = (query.model, flags, is_sliced, joins, where, order)
    return Structure(key, tuple(values), query.low_mark, query.high_mark)


@cache
def is_stock(kind: type) -> bool:
    """Return whether a class of querysets reads rows as Django's own does."""
    return is_same(kind, QuerySet, _STOCK)


def _has_more(query: Any) -> bool:
    """Return whether a query has parts that structures do not tell."""
    return bool(
        query.annotations
        or query.extra
        or query.extra_tables
        or query.extra_order_by
        or query.combinator
        or query.distinct_fields
        or query.select_for_update
        or query.group_by
        or query.select
        or query.explain_info
        or query.subquery
        or query._filtered_relations
        or query.external_aliases
        or query.filter_is_sticky
    )


def _condition(node: Any, values: list[list[Any]], connection: Any) -> Hashable:
    """Return what the text of a condition depends on; its values are added in order."""
    if node.__class__ is WhereNode:
        inner = tuple([_condition(child, values, connection) for child in node.children])
        return (node.connector, node.negated, inner)
    kind, lhs = node.__class__, getattr(node, "lhs", None)
    if lhs.__class__ is not Col:
        raise _UnknownError
    column: Any = (kind, lhs.alias, id(lhs.target), id(lhs.output_field))
    rhs = node.rhs
    if kind in _NULLS and rhs.__class__ is bool:
        values.append([])
        return (column, rhs)
    if (
        kind not in _PLAIN
        or node.bilateral_transforms
        or hasattr(lhs.output_field, "get_placeholder")
    ):
        raise _UnknownError
    if rhs.__class__ is ContextValue:
        values.append([])
        return (column, rhs.variable, type(value_of(rhs.variable)))
    if hasattr(rhs, "as_sql") or hasattr(rhs, "resolve_expression"):
        raise _UnknownError
    text, params = node.process_rhs(None, connection)
    if len(params) > MAX_LIST:
        raise _UnknownError
    values.append(list(params))
    # Of truth values Django leaves out the comparison; of texts some engines write another one.
    return (column, text, rhs if rhs.__class__ is bool or rhs is None else None)


def _order(item: Any) -> Hashable:
    if isinstance(item, str):
        return item
    if item.__class__ is OrderBy and item.expression.__class__ is F:
        named: Any = item.expression
        return (named.name, item.descending, item.nulls_first, item.nulls_last)
    raise _UnknownError


def joins_alike(table: Any) -> bool:
    """Return whether a table is joined by columns alone, at any time by the same."""
    field = getattr(table, "join_field", None)
    # A relation seen from its other side asks its field.
    sides = () if field is None else (field, getattr(field, "field", None) or field)
    return all(type(side).get_extra_restriction in _NO_RESTRICTIONS for side in sides)


_NO_RESTRICTIONS = (ForeignObject.get_extra_restriction, ForeignObjectRel.get_extra_restriction)


def _join(table: Any, used: int | None) -> Hashable:
    if table.__class__ is BaseTable:
        return (table.table_name, table.table_alias, bool(used))
    is_plain = table.__class__ is Join and table.filtered_relation is None
    if not is_plain or not joins_alike(table):
        return None
    return (
        table.table_name,
        table.table_alias,
        table.parent_alias,
        table.join_type,
        id(table.join_field),
        bool(used),
    )


class LateParam(NamedTuple):
    """A parameter of a kept statement that is a value of a condition.

    Attributes:
        condition: number of the condition.
        place: place among its values.
    """

    condition: int
    place: int


def with_late_values(node: Any, seen: list[None]) -> Any:
    """Return a condition whose values are filled in later.

    Args:
        node: a condition of a queryset that has a structure.
        seen: one item for each condition before.
    """
    if node.__class__ is WhereNode:
        children = [with_late_values(child, seen) for child in node.children]
        return WhereNode(children, node.connector, node.negated)
    number = len(seen)
    seen.append(None)
    if node.rhs.__class__ is ContextValue or node.__class__ in _NULLS:
        return node
    late = copy.copy(node)
    process = late.process_rhs

    def process_late(compiler: Any, connection: Any) -> tuple[str, list[LateParam]]:
        text, params = process(compiler, connection)
        return text, [LateParam(number, place) for place in range(len(params))]

    late.process_rhs = process_late
    return late
