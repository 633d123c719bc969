"""Pages by cursor: the values of a page's last row, after which the next page goes on."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Case, F, IntegerField, JSONField, Model, Q, QuerySet, Value, When
from django.db.models.expressions import OrderBy

from utilmeta.core.orm.query.filters import column_at
from utilmeta.core.orm.query.orders import Ordered, in_order, is_nullable
from utilmeta.core.orm.relations import total_order
from utilmeta.core.orm.storable import storable
from utilmeta.core.request.current import using_sample
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.query.orders import Ordering

VALUE, _NULL = "_utilmeta_cursor", "_utilmeta_null"

# Types whose values databases compute otherwise than they read them back, so that what follows a
# value of an expression cannot be told.
_INEXACT = frozenset({"DecimalField", "FloatField", "DateTimeField", "TimeField"})


class CursorError(ValueError):
    """A cursor is none, or of another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of the values that rows are ordered by.

    Attributes:
        label: name or path of the value.
        descends: whether the greatest comes first.
        nullable: whether rows may have none.
        nulls_first: whether those come before the others.
    """

    label: str
    descends: bool
    nullable: bool = False
    nulls_first: bool = False


def places_of(
    chosen: list[tuple[Ordered, bool]], order: list[Any], model: type[Model], where: str
) -> list[Place]:
    """Return the values that rows are ordered by, the last one different for each row.

    Args:
        chosen: what was asked for.
        order: what orders the rows when nothing was.
        model: the model.
        where: the query's field, for messages.

    Raises:
        ConfigError: the rows are ordered by an expression.
    """
    if not chosen:
        return [_plain(item, model, where) for item in total_order(order, model)]
    found = [
        Place(
            label=item.label,
            descends=descends,
            nullable=item.nullable and not item.order.notnull,
            nulls_first=bool(item.order.nulls_first),
        )
        for item, descends in chosen
    ]
    if not {place.label for place in found} & {"pk", model._meta.pk.name}:
        found.append(Place(label="pk", descends=False))
    return found


def _plain(item: Any, model: type[Model], where: str) -> Place:
    if not isinstance(item, str) or item == "?":
        raise ConfigError(f"{where}: pages by cursor need an order by columns, got {item!r}")
    label = item.removeprefix("-")
    nullable = is_nullable(label.split("__"), model)
    return Place(label=label, descends=item.startswith("-"), nullable=nullable)


def check_ordering(ordering: "Ordering", model: type[Model], where: str) -> None:
    """Refuse orders that pages cannot go on by.

    Raises:
        ConfigError: there is one.
    """
    manager: Any = model._base_manager
    for name, item in ordering.known.items():
        if item.expression is None:
            if isinstance(column_at(model, item.label.split("__")), JSONField):
                raise ConfigError(
                    f"{where}: pages by cursor cannot go on by {name!r}, a JSON column"
                )
            continue
        with using_sample():
            rows = manager.alias(value=item.expression)
            kind = rows.query.annotations["value"].output_field.get_internal_type()
        if kind in _INEXACT:
            raise ConfigError(
                f"{where}: pages by cursor cannot go on by {name!r}, an expression of type {kind}, "
                "whose values are not exact; order by a column, or use orm.Page"
            )


def ordered(rows: "QuerySet[Any]", places: list[Place]) -> "QuerySet[Any]":
    """Return the rows in order, with the values under names of their own."""
    terms: list[Any] = []
    for index, place in enumerate(places):
        rows = rows.alias(**{f"{VALUE}{index}": F(place.label)})
        if place.nullable:
            empty = Case(
                When(**{f"{VALUE}{index}__isnull": True}, then=Value(1)),
                default=Value(0),
                output_field=IntegerField(),
            )
            rows = rows.alias(**{f"{_NULL}{index}": empty})
            terms.append(OrderBy(F(f"{_NULL}{index}"), descending=place.nulls_first))
        terms.append(OrderBy(F(f"{VALUE}{index}"), descending=place.descends))
    return in_order(rows, terms)


def after(places: list[Place], values: list[Any]) -> Q:
    """Return the condition of the rows that follow one with these values."""
    found = Q(pk__in=[])
    same = Q()
    for index, (place, value) in enumerate(zip(places, values, strict=True)):
        found |= same & _beyond(index, place, value)
        same &= Q(**{f"{_NULL}{index}": 1}) if value is None else Q(**{f"{VALUE}{index}": value})
    return found


def _beyond(index: int, place: Place, value: Any) -> Q:
    if value is None:
        return Q(**{f"{_NULL}{index}": 0}) if place.nulls_first else Q(pk__in=[])
    way = "lt" if place.descends else "gt"
    found = Q(**{f"{VALUE}{index}__{way}": value})
    if place.nullable and not place.nulls_first:
        found |= Q(**{f"{_NULL}{index}": 1})
    return found


def read_token(
    token: str, names: list[str], rows: "QuerySet[Any]", places: list[Place]
) -> list[Any]:
    """Return the values that a cursor holds.

    Raises:
        CursorError: it is none, or of another order.
    """
    try:
        padded = token + "=" * (-len(token) % 4)
        held = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise CursorError("a cursor that an earlier page gave") from None
    if not isinstance(held, dict) or held.get("order") != names:
        raise CursorError("a cursor of a page in the same order")
    given = held.get("after")
    if not isinstance(given, list) or len(given) != len(places):
        raise CursorError("a cursor that an earlier page gave")
    return [
        _value_of(item, place, rows.query.annotations[f"{VALUE}{index}"].output_field)
        for index, (item, place) in enumerate(zip(given, places, strict=True))
    ]


def _value_of(item: Any, place: Place, output: Any) -> Any:
    if item is None and place.nullable:
        return None
    try:
        value = storable(output.to_python(item))
    except (ValidationError, TypeError, ValueError, OverflowError, ArithmeticError):
        value = None
    is_huge = isinstance(value, int) and abs(value) >= 2**63
    if value is None or is_huge or isinstance(item, list | dict):
        raise CursorError("a cursor that an earlier page gave")
    return value


def make_token(names: list[str], values: list[Any]) -> str:
    """Return the cursor of a page that ended with these values, in a given order."""
    text = json.dumps(
        {"order": names, "after": values}, cls=_Encoder, separators=(",", ":"), ensure_ascii=False
    )
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class _Encoder(DjangoJSONEncoder):
    """JSON whose moments keep their microseconds."""

    def default(self, o: Any) -> Any:
        """Return a value's text."""
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)
