"""Pages of rows: order, slices and cursors put together."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet

from utilmeta.core.orm.query.cursors import (
    VALUE,
    CursorError,
    after,
    make_token,
    ordered,
    places_of,
    read_token,
)
from utilmeta.core.orm.query.declared import texts_of
from utilmeta.core.orm.query.orders import Ordered, apply_order, in_order
from utilmeta.core.orm.query.search import RANK
from utilmeta.core.orm.read.reading import check_queryset, scoped
from utilmeta.core.orm.read.rows import Rows
from utilmeta.core.orm.relations import order_of, total_order
from utilmeta.core.orm.scopes import Scope, parse_scope
from utilmeta.utils.exceptions import BadRequest

if TYPE_CHECKING:
    from utilmeta.core.orm.context import QueryContext
    from utilmeta.core.orm.query.base import Query
    from utilmeta.core.orm.schema import Schema


@dataclass(slots=True, kw_only=True)
class Selected:
    """Rows that a query asks for.

    Attributes:
        rows: the rows, in order and of the page.
        limit: rows of a page.
        keyset: how many values a cursor is made of; None without a cursor.
        names: the order as it was asked for, which a cursor belongs to.
    """

    rows: "QuerySet[Any]"
    limit: int | None = None
    keyset: int | None = None
    names: list[str] = field(default_factory=list)


def refuse(query: "Query[Any]", name: str, text: str) -> BadRequest:
    """Return the answer to a query with a field that cannot be."""
    fault = {"place": f"query.{query.check().wires[name]}", "code": "query", "expected": text}
    return BadRequest("The request is invalid", errors=[fault])


def selected(
    query: "Query[Any]", base: "QuerySet[Any] | None", *, one_more: bool = False
) -> Selected:
    """Return the rows of the page that a query asks for.

    Args:
        query: the query.
        base: rows to choose from; None takes all.
        one_more: whether one row more is wanted, to see whether any follow.

    Raises:
        BadRequest: parts of the query do not go together.
    """
    compiled = query.check()
    rows = compiled.filtered(query, base)
    names: list[str] = []
    chosen: list[tuple[Ordered, bool]] = []
    if compiled.ordering is not None:
        names = texts_of(getattr(query, compiled.ordering[0]))
        chosen = compiled.ordering[1].chosen(names)
    rows, terms = apply_order(rows, chosen)
    if not terms and any(texts_of(getattr(query, name)) for name in compiled.ranked):
        terms = [F(RANK).desc()]
    limit = compiled.part(query, "limit")
    if "cursor" in compiled.parts:
        return _from_cursor(query, rows, chosen, names, one_more=one_more)
    start = _start(query, limit)
    if terms:
        rows = in_order(rows, total_order(terms, compiled.model))
    elif limit is not None or start:
        # Pages of rows in no order would overlap.
        rows = in_order(rows, total_order(order_of(rows, rows.model), compiled.model))
    return Selected(rows=_cut(rows, start, limit), limit=limit)


def _start(query: "Query[Any]", limit: int | None) -> int:
    compiled = query.check()
    offset, page = compiled.part(query, "offset"), compiled.part(query, "page")
    if not page:
        return offset or 0
    if offset:
        raise refuse(query, compiled.parts["page"], "a page, or an offset, not both")
    if limit is None:
        raise refuse(query, compiled.parts["limit"], "the number of rows of a page")
    start: int = (page - 1) * limit
    return start


def _cut(rows: "QuerySet[Any]", start: int, limit: int | None) -> "QuerySet[Any]":
    if limit == 0:
        return rows.none()
    if limit is None:
        return rows[start:] if start else rows
    return rows[start : start + limit]


def _from_cursor(
    query: "Query[Any]",
    rows: "QuerySet[Any]",
    chosen: list[tuple[Ordered, bool]],
    names: list[str],
    *,
    one_more: bool,
) -> Selected:
    compiled = query.check()
    limit, token = compiled.part(query, "limit"), compiled.part(query, "cursor")
    cursor = compiled.parts["cursor"]
    where = f"{type(query).__name__}.{cursor}"
    places = places_of(chosen, order_of(rows, rows.model), compiled.model, where)
    rows = ordered(rows, places)
    start = 0
    if token:
        if compiled.part(query, "offset") or compiled.part(query, "page"):
            raise refuse(query, cursor, "a cursor, or a page or offset, not both")
        try:
            values = read_token(token, names, rows, places)
        except CursorError as exc:
            raise refuse(query, cursor, str(exc)) from exc
        rows = rows.filter(after(places, values))
    else:
        start = _start(query, limit)
    more = 1 if one_more and limit else 0
    cut = _cut(rows, start, None if limit is None else limit + more)
    return Selected(rows=cut, limit=limit, keyset=len(places), names=names)


def scope_of(query: "Query[Any]") -> tuple[Scope | None, str]:
    """Return which fields a query asks for, None for all, and the name that they are sent by.

    Raises:
        BadRequest: it is told in two ways at once.
    """
    found: Scope | None = None
    place = ""
    compiled = query.check()
    for name, excluded in compiled.scopes.items():
        texts = texts_of(getattr(query, name))
        if not texts:
            continue
        if found is not None:
            raise refuse(query, name, "fields that are wanted, or fields that are not, not both")
        found, place = parse_scope(texts, excluded=excluded), compiled.wires[name]
    return found, place


def read_page(
    query: "Query[Any]", schema: "type[Schema[Any]]", context: "QueryContext"
) -> Rows[Any]:
    """Return the rows of a schema that a query asks for, with the cursor of those that follow."""
    context = query.context_of(context)
    plan = scoped(schema, context)
    with context.entered():
        page = selected(query, None, one_more=True)
        check_queryset(schema, page.rows)
        if page.keyset is None or not page.limit:
            records, keys = plan.read(page.rows)
            return Rows(schema, records, keys)
        labels = [f"{VALUE}{index}" for index in range(page.keyset)]
        records, keys, extras = plan.read_with(page.rows, labels, limit=page.limit)
    token = None
    if len(extras) > page.limit:
        token = make_token(page.names, list(extras[page.limit - 1]))
    return Rows(schema, records, keys, token)
