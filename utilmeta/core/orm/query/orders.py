"""Orders that clients may ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Model, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.query_utils import DeferredAttribute

from utilmeta.core.orm.aggregates import for_row
from utilmeta.core.orm.query.declared import Order, Orders
from utilmeta.core.orm.query.filters import read_path
from utilmeta.core.orm.relations import may_be_null, need_field
from utilmeta.utils.exceptions import ConfigError


def in_order(rows: "QuerySet[Any]", terms: Sequence[Any]) -> "QuerySet[Any]":
    """Return rows in an order, also those of a queryset that was reversed.

    Source: django.db.models.sql.Query, `standard_ordering`, of Django 5.2 and 6.1.
    """
    rows = rows.order_by(*terms)
    query: Any = rows.query
    query.standard_ordering = True
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """One name to order by.

    Attributes:
        label: what the value is called in a statement; the path of a column.
        expression: the value; None for a column.
        order: what was said of it.
        nullable: whether rows may have no value.
    """

    label: str
    expression: Any
    order: Order
    nullable: bool

    def known_in(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """Return the rows with the value under its name."""
        if self.expression is None or self.label in rows.query.annotations:
            return rows
        found: QuerySet[Any] = rows.alias(**{self.label: self.expression})
        return found

    def without_nulls(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """Return the rows that have a value, where the order leaves out the others."""
        if not self.order.notnull:
            return rows
        return self.known_in(rows).filter(**{f"{self.label}__isnull": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """The names to order by."""

    known: dict[str, Ordered]

    def chosen(self, texts: list[str]) -> list[tuple[Ordered, bool]]:
        """Return what is ordered by, each with whether it descends; of two of a name the first."""
        found: dict[str, tuple[Ordered, bool]] = {}
        for text in texts:
            name = text.removeprefix("-")
            if name in self.known:
                found.setdefault(name, (self.known[name], text.startswith("-")))
        return list(found.values())


def make_ordering(marker: Orders, model: type[Model], where: str) -> Ordering:
    """Return the names to order by.

    Raises:
        ConfigError: a path is none of the model's, or leads to many rows.
    """
    return Ordering(
        known={
            name: _ordered(name, order, model, f"{where}, {name!r}")
            for name, order in marker.options.items()
        }
    )


def _ordered(name: str, order: Order, model: type[Model], where: str) -> Ordered:
    source = order.field if order.field is not None else name
    if isinstance(source, DeferredAttribute):
        # `Article.views`, of the model's class.
        source = source.field.name
    if not isinstance(source, str):
        label = f"_utilmeta_order_{name}"
        expression = for_row(source, model, "", where)
        return Ordered(label=label, expression=expression, order=order, nullable=True)
    path, lookups, crosses = read_path(source, model, where)
    if lookups:
        raise ConfigError(f"{where}: {source!r} is no column to order by")
    if crosses:
        raise ConfigError(
            f"{where}: {source!r} leads to many rows, so a row has no one place by it; order by an "
            "expression such as models.Max(...)"
        )
    label = "__".join(path)
    return Ordered(label=label, expression=None, order=order, nullable=is_nullable(path, model))


def is_nullable(path: list[str], model: type[Model]) -> bool:
    """Return whether rows may have no value at a path."""
    current: Any = model
    for part in path:
        field = need_field(current, part, "")
        if may_be_null(field):
            return True
        current = field.related_model
    return False


def apply_order(
    rows: "QuerySet[Any]", chosen: list[tuple[Ordered, bool]]
) -> "tuple[QuerySet[Any], list[Any]]":
    """Return the rows with what their order needs, and the order."""
    terms: list[Any] = []
    for item, descending in chosen:
        rows = item.known_in(rows)
        terms.append(
            OrderBy(
                F(item.label),
                descending=descending,
                nulls_first=item.order.nulls_first or None,
                nulls_last=item.order.nulls_last or None,
            )
        )
    return rows, terms
