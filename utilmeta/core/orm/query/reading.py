"""Pages of rows: order, slices and cursors put together."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F, Q, QuerySet

from utilmeta.core.orm.query.orders import Ordered, apply_order
from utilmeta.core.orm.query.prepare import texts_of
from utilmeta.core.orm.query.search import RANK
from utilmeta.core.orm.reading import check_queryset, scoped
from utilmeta.core.orm.relations import may_be_null, need_field, order_of, total_order
from utilmeta.core.orm.rows import Rows
from utilmeta.core.orm.scopes import Scope, parse_scope
from utilmeta.utils.exceptions import BadRequest, ConfigError, OrmError

if TYPE_CHECKING:
    from utilmeta.core.orm.context import QueryContext
    from utilmeta.core.orm.query.base import Query
    from utilmeta.core.orm.schema import Schema

_VALUE = "_utilmeta_cursor"


@dataclass(slots=True, kw_only=True)
class Selected:
    """Rows that a query asks for.

    Attributes:
        rows: the rows, in order and of the page.
        limit: rows of a page.
        keyset: what a cursor is made of: names of values and whether each descends; None without
            a cursor.
        names: the order as it was asked for, which a cursor belongs to.
    """

    rows: "QuerySet[Any]"
    limit: int | None = None
    keyset: list[tuple[str, bool]] | None = None
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
        return _from_cursor(query, rows, chosen, terms, names, one_more=one_more)
    start = _start(query, limit)
    if terms:
        rows = _ordered(rows, total_order(terms, compiled.model))
    elif limit is not None or start:
        # Pages of rows in no order would overlap.
        rows = _ordered(rows, total_order(order_of(rows, rows.model), compiled.model))
    return Selected(rows=_cut(rows, start, limit), limit=limit)


def _ordered(rows: "QuerySet[Any]", terms: list[Any]) -> "QuerySet[Any]":
    """Return rows in an order, also those of a queryset that was reversed.

    Source: django.db.models.sql.Query, `standard_ordering`, of Django 5.2 and 6.1.
    """
    rows = rows.order_by(*terms)
    query: Any = rows.query
    query.standard_ordering = True
    return rows


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
    terms: list[Any],
    names: list[str],
    *,
    one_more: bool,
) -> Selected:
    compiled = query.check()
    limit, token = compiled.part(query, "limit"), compiled.part(query, "cursor")
    where = f"{type(query).__name__}.{compiled.parts['cursor']}"
    if not terms:
        terms = order_of(rows, rows.model)
        labels = [_plain_label(item, rows.model, where) for item in terms]
    else:
        labels = [(_not_null(item, where).label, descends) for item, descends in chosen]
    terms = total_order(terms, compiled.model)
    if len(terms) > len(labels):
        labels.append(("pk", False))
    for index, (label, _) in enumerate(labels):
        rows = rows.alias(**{f"{_VALUE}{index}": F(label)})
    if token:
        if compiled.part(query, "offset") or compiled.part(query, "page"):
            raise refuse(query, compiled.parts["cursor"], "a cursor, or a page or offset, not both")
        values = _read_token(query, token, names, rows, labels)
        rows = rows.filter(_after(values, labels))
        start = 0
    else:
        start = _start(query, limit)
    rows = _ordered(rows, terms)
    more = 1 if one_more and limit else 0
    cut = _cut(rows, start, None if limit is None else limit + more)
    return Selected(rows=cut, limit=limit, keyset=labels, names=names)


def _not_null(item: Ordered, where: str) -> Ordered:
    if item.nullable and not item.order.notnull:
        raise ConfigError(
            f"{where}: {item.label!r} may be null, and pages by cursor need a value in each row; "
            "write orm.Order(notnull=True)"
        )
    return item


def _plain_label(item: Any, model: Any, where: str) -> tuple[str, bool]:
    if not isinstance(item, str) or item == "?":
        raise ConfigError(f"{where}: pages by cursor need an order by columns, got {item!r}")
    label = item.removeprefix("-")
    if "__" not in label and label != "pk" and may_be_null(need_field(model, label, where)):
        raise ConfigError(
            f"{where}: pages by cursor need a value in each row, {label!r} may be null"
        )
    return label, item.startswith("-")


def _after(values: list[Any], labels: list[tuple[str, bool]]) -> Q:
    """Return the condition of the rows that follow one with these values."""
    found = Q()
    for index, (_, descends) in enumerate(labels):
        same = {f"{_VALUE}{place}": values[place] for place in range(index)}
        way = "lt" if descends else "gt"
        found |= Q(**same, **{f"{_VALUE}{index}__{way}": values[index]})
    return found


def _read_token(
    query: "Query[Any]",
    token: str,
    names: list[str],
    rows: "QuerySet[Any]",
    labels: list[tuple[str, bool]],
) -> list[Any]:
    place = query.check().parts["cursor"]
    try:
        padded = token + "=" * (-len(token) % 4)
        held = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise refuse(query, place, "a cursor that an earlier page gave") from None
    if not isinstance(held, dict) or held.get("order") != names:
        raise refuse(query, place, "a cursor of a page in the same order")
    given = held.get("after")
    if not isinstance(given, list) or len(given) != len(labels):
        raise refuse(query, place, "a cursor that an earlier page gave")
    values = []
    for index, item in enumerate(given):
        output: Any = rows.query.annotations[f"{_VALUE}{index}"].output_field
        try:
            value = output.to_python(item)
        except (ValidationError, TypeError, ValueError, OverflowError):
            value = None
        if value is None or (isinstance(value, str) and "\0" in value):
            raise refuse(query, place, "a cursor that an earlier page gave")
        values.append(value)
    return values


def _make_token(names: list[str], values: list[Any], where: str) -> str:
    if any(value is None for value in values):
        raise OrmError(
            f"{where}: the last row of the page has no value to go on from; use Coalesce in the "
            "expression that is ordered by"
        )
    text = json.dumps(
        {"order": names, "after": values}, cls=_Encoder, separators=(",", ":"), ensure_ascii=False
    )
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class _Encoder(DjangoJSONEncoder):
    """JSON whose moments keep their microseconds."""

    def default(self, o: Any) -> Any:
        """Return a value's text."""
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


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
        labels = [f"{_VALUE}{index}" for index in range(len(page.keyset))]
        records, keys, extras = plan.read_with(page.rows, labels, limit=page.limit)
    token = None
    if len(extras) > page.limit:
        token = _make_token(page.names, list(extras[page.limit - 1]), type(query).__name__)
    return Rows(schema, records, keys, token)
