"""Kept statements: SQL that is made once and executed with new values.

Django makes the text of a statement anew for each read, which takes far longer than most databases
take to answer it. Here the text is kept for each database and structure of a queryset, and executed
through Django's own cursor, so that transactions, execution wrappers, query logs and test databases
see it as any other.

Source: django.db.models.sql.compiler.SQLCompiler.as_sql and results_iter, of Django 5.2 and 6.1.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import QuerySet, Subquery, Value
from django.db.models.expressions import BaseExpression, Exists
from django.db.models.functions.datetime import TimezoneMixin
from django.db.models.sql.query import Query
from django.utils.functional import Promise

from utilmeta.core.orm.read.cursors import fetch
from utilmeta.core.orm.read.keylists import LateKeys
from utilmeta.core.orm.read.rowconverters import RowConverter, row_converter
from utilmeta.core.orm.read.structure import (
    LateParam,
    Structure,
    Values,
    joins_alike,
    with_late_values,
)
from utilmeta.core.orm.relations import spelled_out
from utilmeta.core.request.current import value_of
from utilmeta.core.request.expressions import LateValue, NotKeptError, keeping

# A placeholder; a doubled percent sign stands for itself.
_PLACEHOLDER = re.compile(r"%%|%s")

# Keys of one list are filled up to one of these numbers, so that there are few texts.
_SIZES = sorted({*range(1, 5), *(2**n for n in range(2, 15)), *(3 * 2**n for n in range(1, 14))})

# Texts with longer lists are put together anew, as they take much memory and are rare.
MAX_KEPT_SIZE = 2048

Rows = list[Sequence[Any]]
# Context variables, in order.
Variables = tuple[Any, ...]


@dataclass(slots=True, kw_only=True)
class Kept:
    """The text of a statement, and how its rows become values.

    Attributes:
        pieces: the text, divided at its placeholders.
        params: its parameters; what is filled in later as it is told from.
        late: places of those that are filled in later.
        keys: place of a list of keys; None without one.
        width: columns that were asked for; None when the statement has no others.
        convert: makes Python's values of the driver's; None where they agree.
        anchors: what must live as long, as structures know it by its identity.
    """

    pieces: list[str]
    params: tuple[Any, ...]
    late: list[tuple[int, Any]]
    keys: int | None
    width: int | None
    convert: RowConverter | None
    anchors: Any
    texts: dict[int, str]

    def rows(
        self,
        connection: Any,
        structure: Structure | None = None,
        keys: Sequence[Any] = (),
    ) -> Rows:
        """Return the rows, as Django would give them.

        Args:
            connection: Django's connection.
            structure: values and slice; None for a statement that has neither.
            keys: those of the list of keys, at least one where there is such a list.
        """
        params = self.params
        if self.late:
            values = () if structure is None else structure.values
            params = tuple(self._filled(connection, values, keys))
        size = 0 if self.keys is None else _size_of(len(keys))
        text = self.texts.get(size)
        if text is None:
            text = self._text(size)
            if size <= MAX_KEPT_SIZE:
                self.texts[size] = text
        if structure is not None and (structure.low or structure.high is not None):
            limits = connection.ops.limit_offset_sql(structure.low, structure.high)
            text = f"{text} {limits}" if limits else text
        rows: Rows = fetch(connection, text, params)
        if self.width is not None:
            rows = [row[: self.width] for row in rows]
        return rows if self.convert is None else self.convert(rows, connection)

    def _filled(self, connection: Any, values: Values, keys: Sequence[Any]) -> list[Any]:
        params = list(self.params)
        # From the end, as a list of keys takes more places than one.
        for place, late in self.late:
            if late.__class__ is LateParam:
                params[place] = values[late.condition][late.place]
            elif late.__class__ is LateKeys:
                prepared = late.values(keys, connection)
                padding = _size_of(len(prepared)) - len(prepared)
                params[place : place + 1] = prepared + prepared[-1:] * padding
            else:
                params[place] = late.value(connection)
        return params

    def _text(self, size: int) -> str:
        pieces = list(self.pieces)
        if self.keys is None:
            return "%s".join(pieces)
        before, after = pieces[: self.keys + 1], pieces[self.keys + 1 :]
        return "%s".join(before) + ", ".join(["%s"] * size) + "%s".join(after)


def _size_of(number: int) -> int:
    """Return how many placeholders a number of keys takes."""
    place = bisect_left(_SIZES, number)
    return _SIZES[place] if place < len(_SIZES) else number


def keep(
    queryset: "QuerySet[Any]", connection: Any, structure: Structure | None
) -> tuple[Kept | None, Variables]:
    """Return the statement of a queryset, to be executed with other values too.

    Args:
        queryset: with all that is selected.
        connection: Django's connection.
        structure: that of the queryset; None for one that is the same but for its keys.

    Returns:
        None in place of a statement whose text could be another one the next time; and the
        context variables on whose types the text depends.
    """
    query: Any = queryset.query
    if not is_known(query):
        return None, ()
    seen: list[None] = []
    if structure is not None:
        query.where = with_late_values(query.where, seen)
        if len(seen) != len(structure.values):
            return None, ()
    compiler = query.get_compiler(connection=connection)
    with keeping() as found:
        try:
            text, params = compiler.as_sql(with_limits=structure is None)
        except (EmptyResultSet, FullResultSet, NotKeptError):
            return None, tuple(dict.fromkeys(found))
    variables = tuple(dict.fromkeys(found))
    fields = [item[0] for item in compiler.select[: compiler.col_count]]
    pieces = _divided(text)
    late = [(place, item) for place, item in enumerate(params) if _is_late(item)]
    lists = [place for place, item in late if isinstance(item, LateKeys)]
    if len(pieces) != len(params) + 1 or len(lists) > 1 or compiler.has_composite_fields(fields):
        return None, variables
    kept = Kept(
        pieces=pieces,
        params=tuple(params),
        late=late[::-1],
        keys=lists[0] if lists else None,
        width=compiler.col_count if compiler.has_extra_select else None,
        convert=row_converter(compiler.get_converters(fields), compiler.col_count, connection),
        anchors=query,
        texts={},
    )
    return kept, variables


def _is_late(item: object) -> bool:
    return isinstance(item, LateParam | LateKeys | LateValue)


def _divided(text: str) -> list[str]:
    """Return the pieces of a text between its placeholders."""
    pieces, start = [], 0
    for found in _PLACEHOLDER.finditer(text):
        if found[0] == "%s":
            pieces.append(text[start : found.start()])
            start = found.end()
    return [*pieces, text[start:]]


def types_of(variables: Variables) -> tuple[type, ...]:
    """Return the types of context variables' values, on which the text depends."""
    return tuple([type(value_of(variable)) for variable in variables])


def is_known(query: Any) -> bool:
    """Return whether all of a query is Django's or this project's, and the same at any time.

    An expression of another library may look at the moment, the user or the tenant.
    """
    is_plain: bool = query.__class__ is Query and not query.select_for_update
    if not is_plain or query.extra or query.extra_tables or query._filtered_relations:
        return False
    if not all(map(joins_alike, query.alias_map.values())):
        return False
    parts = [
        *query.annotations.values(),
        query.where,
        *_orders_of(query),
        *query.select,
        *(query.group_by if isinstance(query.group_by, tuple) else ()),
        *query.extra_order_by,
    ]
    return all(map(is_known, query.combined_queries)) and all(map(_is_known_part, parts))


def _orders_of(query: Any) -> Iterator[Any]:
    """Yield what orders a query: what it says itself, or the models that it asks."""
    own = query.order_by
    if not own and query.default_ordering and query.model is not None:
        own = query.model._meta.ordering or ()
    for item in own:
        yield from spelled_out(item, query.model)


def _is_known_part(part: Any) -> bool:
    if isinstance(part, Promise):
        return False
    if isinstance(part, str) or part is None:
        return True
    if isinstance(part, Query):
        return is_known(cast("Any", part))
    is_ours = type(part).__module__.startswith(("django.", "utilmeta."))
    # The current time zone is a part of the text.
    if not is_ours or isinstance(part, TimezoneMixin):
        return False
    if isinstance(part, Value) and isinstance(part.value, Promise):
        return False
    if isinstance(part, Subquery | Exists) and not is_known(part.query):
        return False
    return all(map(_is_known_part, _inner(part)))


def _inner(part: Any) -> Iterator[Any]:
    if hasattr(part, "get_source_expressions"):
        yield from part.get_source_expressions()
    rhs = getattr(part, "rhs", None)
    for item in rhs if isinstance(rhs, list | tuple) else (rhs,):
        if isinstance(item, BaseExpression | Promise):
            yield item
