"""Fields of Django models: found by name, told apart, and how relations lead on."""

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property as python_cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    Aggregate,
    CompositePrimaryKey,
    Exists,
    F,
    ForeignObjectRel,
    Manager,
    ManyToManyField,
    ManyToManyRel,
    ManyToOneRel,
    Model,
    OneToOneRel,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Window,
)
from django.db.models.expressions import OrderBy
from django.db.models.functions import Random, RowNumber
from django.utils.functional import cached_property

from utilmeta.core.orm.expressions import parts_of, prefixed
from utilmeta.utils.exceptions import ConfigError

# Fields and relations of models, whose classes share no base.
Relation = Any
# Given keys, or what stands for them, and a database.
RowMaker = Callable[[Any, str | None], "QuerySet[Any]"]

# What a row's place among the rows of its parent is called in a statement.
_PLACE = "utilmeta_place"


def find_field(model: type[Model], name: str) -> Relation | None:
    """Return a model's field or relation by name, `pk`, attribute (`author_id`) or accessor."""
    meta = model._meta
    try:
        return meta.pk if name == "pk" else meta.get_field(name)
    except FieldDoesNotExist:
        pass
    if not meta.apps.models_ready:
        return next((field for field in meta.concrete_fields if field.attname == name), None)
    for field in meta.get_fields():
        if getattr(field, "attname", None) == name:
            return field
        if isinstance(field, ForeignObjectRel) and field.get_accessor_name() == name:
            return field
    return None


def need_field(model: type[Model], name: str, where: str) -> Relation:
    """Return a model's field or relation.

    Raises:
        ConfigError: there is none of that name; tells near misses.
    """
    field = find_field(model, name)
    if field is not None:
        return field
    names = [found.name for found in model._meta.get_fields()]
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ConfigError(f"{where}: {model.__name__} has no field {name!r}{hint}")


def is_property(model: type[Model], name: str) -> bool:
    """Return whether a name is a Python property of a model's class."""
    found = inspect.getattr_static(model, name, None)
    return isinstance(found, property | cached_property | python_cached_property)


def is_many(field: Relation) -> bool:
    """Return whether a relation leads to any number of rows."""
    if isinstance(field, OneToOneRel):
        return False
    return isinstance(field, ManyToManyField | ManyToManyRel | ManyToOneRel) or (
        # Generic relations of contenttypes, known by what they say of themselves.
        bool(getattr(field, "is_relation", False)) and bool(field.one_to_many or field.many_to_many)
    )


def is_of(model: type[Model], declared: type[Model]) -> bool:
    """Return whether rows of a model are rows of another: of itself, a parent, or of a proxy."""
    same: Any = declared._meta.concrete_model
    return issubclass(model, declared) or model._meta.concrete_model is same


def may_be_null(field: Relation) -> bool:
    """Return whether a column, or a single relation, may have no value."""
    return True if isinstance(field, OneToOneRel) else bool(getattr(field, "null", False))


@dataclass(frozen=True, slots=True)
class Link:
    """How the rows of a relation are found from many rows at once.

    Attributes:
        rows: makes the queryset of the rows of some keys, in order.
        label: its column that tells whose each row is.
        prefix: ORM path from it to the related model.
        model: the related model.
        key: the outer model's column that the keys are of.
    """

    rows: RowMaker
    label: str
    prefix: str
    model: type[Model]
    key: str


def link_of(field: Relation, base: "QuerySet[Any] | None", where: str) -> Link:
    """Return how the rows of a relation are found.

    Args:
        field: a many relation, or a single one of another schema level.
        base: which of the related rows, in which order; a slice of it is one for each parent.
        where: the schema's field, for messages.

    Raises:
        ConfigError: the queryset is of another model, or its order cannot be kept.
    """
    model: type[Model] = field.related_model
    if base is not None and not issubclass(base.model, model):
        raise ConfigError(
            f"{where}: the queryset is of {base.model.__name__}, but the relation leads to "
            f"{model.__name__}"
        )
    if base is not None and base.query.combinator:
        raise ConfigError(
            f"{where}: rows of a {base.query.combinator} cannot be told apart by relation; combine "
            "the conditions: filter(Q(...) | Q(...))"
        )
    if isinstance(field, ManyToManyField | ManyToManyRel):
        return _through_link(field, base, model, where)
    if field.many_to_one or (field.one_to_one and not isinstance(field, OneToOneRel)):
        target = field.foreign_related_fields[0].name
        return Link(_one_of(model, target), target, "", model, field.attname)
    if not isinstance(field, ManyToOneRel):
        raise ConfigError(f"{where}: {field.name!r} is a generic relation, which is not supported")
    name = field.field.name
    key = field.field.foreign_related_fields[0].name
    if isinstance(field, OneToOneRel):
        return Link(_one_of(model, name), name, "", model, key)
    return Link(_filtered(model, name, base, where), name, "", model, key)


def _one_of(model: type[Model], name: str) -> RowMaker:
    """Return what reads the rows of a single relation, hidden ones as well, as joins do."""

    def rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
        found: QuerySet[Any] = model._base_manager.using(using).filter(**{f"{name}__in": keys})
        return found.order_by()

    return rows


def _filtered(model: type[Model], name: str, base: "QuerySet[Any] | None", where: str) -> RowMaker:
    order = total_order(order_of(base, model), model)
    if base is None:

        def all_rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
            rows: QuerySet[Any] = model._default_manager.using(using)
            return rows.filter(**{f"{name}__in": keys}).order_by(*order)

        return all_rows
    whole, low, high = _unsliced(base)

    def some_rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
        rows = whole.using(using).filter(**{f"{name}__in": keys})
        if whole.query.distinct and (low or high is not None):
            # A place among its rows would make each of them distinct.
            rows = base.model._base_manager.using(using).filter(pk__in=rows.order_by().values("pk"))
        rows = rows.order_by(*order)
        return _sliced(rows, name, order, low, high)

    if where and low == high:
        raise ConfigError(f"{where}: the queryset's slice is empty")
    _check_slice(model, low, high, where)
    return some_rows


def _check_slice(model: type[Model], low: int, high: int | None, where: str) -> None:
    """Refuse a slice of rows that Django cannot tell by one column.

    Raises:
        ConfigError: their key is several columns.
    """
    if (low or high is not None) and isinstance(model._meta.pk, CompositePrimaryKey):
        raise ConfigError(
            f"{where}: {model.__name__} has a key of several columns, by which Django cannot slice"
        )


def _through_link(
    field: Relation, base: "QuerySet[Any] | None", model: type[Model], where: str
) -> Link:
    """Return the link of a many-to-many relation, whose rows come from the table between."""
    through, near, far = table_of(field)
    whole, low, high = (None, 0, None) if base is None else _unsliced(base)
    order = [
        prefixed(item, f"{far}__", where) for item in total_order(order_of(base, model), model)
    ]
    _check_slice(through, low, high, where)
    _check_order(order, through, where)
    hides = hides_rows(model)

    def through_rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
        # As Django's managers of such relations do, whatever the table's own manager hides.
        manager = through._base_manager.using(using)
        rows: QuerySet[Any] = manager.filter(**{f"{near}__in": keys}).order_by(*order)
        if whole is not None:
            rows = rows.filter(**{f"{far}__pk__in": whole.using(using).order_by().values("pk")})
        elif hides:
            shown = model._default_manager.using(using).order_by().values("pk")
            rows = rows.filter(**{f"{far}__pk__in": shown})
        elif may_be_null(through._meta.get_field(far)):
            rows = rows.filter(**{f"{far}__isnull": False})
        return _sliced(rows, near, order, low, high)

    return Link(through_rows, near, f"{far}__", model, target_of(through, near))


def table_of(relation: Relation) -> tuple[Any, str, str]:
    """Return a many-to-many relation's model between, and its fields of this and the other side."""
    forward = isinstance(relation, ManyToManyField)
    owner: Any = relation if forward else relation.field
    names = (owner.m2m_field_name(), owner.m2m_reverse_field_name())
    near, far = names if forward else reversed(names)
    return owner.remote_field.through, near, far


def leads_to_many(expression: Any, model: type[Model]) -> str | None:
    """Return a name in an expression that leads to many rows, unless it is aggregated; or None."""
    if isinstance(expression, Aggregate | Subquery | Exists | OuterRef):
        return None
    if isinstance(expression, F):
        path: str = getattr(expression, "name")  # noqa: B009 - stubs do not know it
        return path if _passes_many(path, model) else None
    if isinstance(expression, Q):
        parts = [
            part
            for child in expression.children
            for part in ((F(child[0]), child[1]) if isinstance(child, tuple) else (child,))
        ]
    else:
        parts = getattr(expression, "get_source_expressions", list)()
    return next((found for part in parts if (found := leads_to_many(part, model))), None)


def _passes_many(path: str, model: type[Model]) -> bool:
    inner: Any = model
    for name in path.split("__"):
        found = None if inner is None else find_field(inner, name)
        if found is None or is_many(found):
            return found is not None
        inner = found.related_model
    return False


def _check_order(order: Sequence[Any], model: type[Model], where: str) -> None:
    """Refuse an order by what is no column.

    Raises:
        ConfigError: a name leads nowhere, such as that of an annotation.
    """
    for item in order:
        for part in parts_of(item):
            path = getattr(part, "name", "") if isinstance(part, F) else part
            if not isinstance(path, str) or path == "?":
                continue
            inner: Any = model
            for name in path.removeprefix("-").split("__")[:2]:
                found = None if inner is None else find_field(inner, name)
                if found is None:
                    raise ConfigError(
                        f"{where}: {name!r} is no column of {inner.__name__}, so it cannot order a "
                        "many-to-many list"
                    )
                inner = found.related_model


def _sliced(
    rows: "QuerySet[Any]", label: str, order: Sequence[Any], low: int, high: int | None
) -> "QuerySet[Any]":
    """Return the rows whose place among those of their parent is within a slice."""
    if not low and high is None:
        return rows
    place = Window(RowNumber(), partition_by=F(label), order_by=[_as_order(item) for item in order])
    where = {f"{_PLACE}__gt": low} if low else {}
    if high is not None:
        where[f"{_PLACE}__lte"] = high
    placed = rows.order_by().annotate(**{_PLACE: place}).filter(**where)
    # Apart, as Django loses columns that stand twice in a statement that filters by a window.
    return rows.filter(pk__in=placed.values("pk"))


def _as_order(item: Any) -> Any:
    if not isinstance(item, str):
        return item
    if item == "?":
        return OrderBy(Random())
    return OrderBy(F(item.lstrip("-")), descending=item.startswith("-"))


def _unsliced(base: "QuerySet[Any]") -> "tuple[QuerySet[Any], int, int | None]":
    """Return a queryset without its slice, and the slice.

    Source: django.db.models.sql.Query, `low_mark high_mark clear_limits`, of Django 5.2 and 6.1.
    """
    query: Any = base.query
    low, high = query.low_mark, query.high_mark
    whole = base.all()
    query = whole.query
    query.clear_limits()
    # The order is told anew, and would be turned once more.
    query.standard_ordering = True
    return whole, low, high


def order_of(base: "QuerySet[Any] | None", model: type[Model]) -> list[Any]:
    """Return what orders related rows: the queryset's own order, else the model's, else the key.

    Source: django.db.models.sql.Query, `order_by extra_order_by default_ordering
    standard_ordering`, of Django 5.2 and 6.1.
    """
    query: Any = None if base is None else base.query
    if query is not None and query.order_by:
        order = list(query.order_by)
        return order if query.standard_ordering else [_reversed(item) for item in order]
    order = list(model._meta.ordering or ())
    if query is not None and not query.default_ordering:
        order = []
    order = order or ["pk"]
    return order if query is None or query.standard_ordering else [_reversed(i) for i in order]


def spelled_out(item: Any, model: type[Model]) -> list[Any]:
    """Return the columns that an order by a relation stands for: the order of its model.

    Source: django.db.models.sql.compiler.SQLCompiler.find_ordering_name, of Django 5.2 and 6.1.
    """
    if not isinstance(item, str):
        return [item]
    path = item.removeprefix("-")
    inner: Any = model
    field: Any = None
    for part in path.split("__"):
        field = None if inner is None else find_field(inner, part)
        if field is None or part in {"pk", getattr(field, "attname", None)}:
            return [item]
        inner = field.related_model
    if inner is None or not inner._meta.ordering:
        return [item]
    found = [
        prefixed(each, f"{path}__", model.__name__)
        for own in inner._meta.ordering
        for each in spelled_out(own, inner)
    ]
    return [_reversed(each) for each in found] if item.startswith("-") else found


def _reversed(item: Any) -> Any:
    if isinstance(item, str):
        return item[1:] if item.startswith("-") else f"-{item}"
    turned = item.copy() if isinstance(item, OrderBy) else OrderBy(item)
    turned.reverse_ordering()
    return turned


def total_order(order: list[Any], model: type[Model]) -> list[Any]:
    """Return an order that leaves nothing open: equal rows follow by their keys."""
    order = [each for item in order for each in spelled_out(item, model)]
    names = {item.lstrip("-") for item in order if isinstance(item, str)}
    return order if names & {"pk", "?", model._meta.pk.name} else [*order, "pk"]


def target_of(through: type[Model], name: str) -> str:
    """Return the field of the other model that a foreign key points at."""
    key: Any = through._meta.get_field(name)
    found: str = key.foreign_related_fields[0].name
    return found


def hides_rows(model: type[Model]) -> bool:
    """Return whether a model's default manager leaves rows out, as for soft deletion."""
    manager = type(model._default_manager)
    return manager.get_queryset is not Manager.get_queryset
