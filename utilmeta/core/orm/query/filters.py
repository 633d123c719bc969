"""Filters: from a value that was sent to a condition."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connections
from django.db.models import Model, Q, QuerySet

from utilmeta.core.orm.aggregates import for_row
from utilmeta.core.orm.keys import as_key
from utilmeta.core.orm.query.declared import FilterBy
from utilmeta.core.orm.relations import find_field, is_many, need_field
from utilmeta.core.orm.storable import as_compared, storable
from utilmeta.utils.annotations import is_many as is_list
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.query.compiled import Step

# Lookups whose value is a list of its own.
_LISTS = frozenset(
    {"in", "range", "contains", "contained_by", "overlap", "has_keys", "has_any_keys"}
)


def make_filter(
    marker: FilterBy, name: str, annotation: Any, model: type[Model], where: str
) -> "Step":
    """Return what a filter does.

    Raises:
        ConfigError: its path is none of the model's.
    """
    if marker.query is not None:
        return _by_function(marker.query, model)
    if marker.source is not None and not isinstance(marker.source, str):
        return _by_expression(marker, name, annotation, model, where)
    return _by_path(marker.source or name, annotation, model, where)


def _by_path(source: str, annotation: Any, model: type[Model], where: str) -> "Step":
    path, lookups, crosses = read_path(source, model, where)
    lookups = _lookups_for(annotation, lookups, source, where)
    lookup = lookups[-1] if lookups else "exact"
    full = "__".join([*path, *lookups])
    # Where there is no value, that is asked of the column, or of what is made of it.
    plain = "__".join([*path, *lookups[:-1]])
    key = _key_at(model, path) if lookups in ([], ["exact"], ["in"]) else None
    is_plain = lookups == [] or (len(lookups) == 1 and lookup in _PLAIN)

    def condition_of(value: Any) -> Q | None:
        """Return the condition of a value; None when no row can fit."""
        if value is None:
            return Q(**{f"{plain}__isnull": True})
        if lookup == "in" and None in value:
            rest = condition_of([item for item in value if item is not None])
            return Q(**{f"{plain}__isnull": True}) | (rest if rest is not None else Q())
        if lookup == "range" and len(value) != 2:
            raise ValueError("a range is two values")
        value = _within(storable(value)) if key is None else _keys(key, value)
        return None if value is None else Q(**{full: as_compared(value)})

    def step(rows: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        with values_that_fit():
            condition = condition_of(value)
            if condition is None:
                return rows.none()
            found = restricted(rows, condition, model, crosses=crosses)
            if not is_plain:
                # What a transform makes of the value is seen when the statement is made.
                _try(found)
        return found

    return step


# Lookups that take any value of the column's type.
_PLAIN = frozenset({"exact", "in", "gt", "gte", "lt", "lte", "isnull"})


def _lookups_for(annotation: Any, lookups: list[str], source: str, where: str) -> list[str]:
    """Return the lookups of a filter; a list of values is any of them.

    Raises:
        ConfigError: the lookup does not take what the type holds.
    """
    lookup = lookups[-1] if lookups else "exact"
    if lookup in {"regex", "iregex"}:
        raise ConfigError(
            f"{where}: {source!r} lets clients send a pattern, which may keep the database busy "
            "for ever; use orm.Search, or a function: orm.Filter(query=...)"
        )
    if lookup in {"in", "range"} and not is_list(annotation):
        raise ConfigError(f"{where}: {source!r} takes several values, so the type is a list")
    if not is_list(annotation) or lookup in _LISTS:
        return lookups
    if lookup != "exact":
        raise ConfigError(f"{where}: {source!r} takes one value, but the type is a list")
    return [*lookups[:-1], "in"]


@contextlib.contextmanager
def values_that_fit() -> Iterator[None]:
    """Raise UnfitValueError for a value that its column, or a lookup, does not take.

    Raises:
        UnfitValueError: it is one.
    """
    try:
        yield
    except (ValidationError, ValueError, TypeError, OverflowError) as exc:
        raise UnfitValueError(str(exc)) from exc


class UnfitValueError(ValueError):
    """A filter was given a value that its column or its lookup does not take."""


def _try(rows: "QuerySet[Any]") -> None:
    with contextlib.suppress(EmptyResultSet):
        rows.query.get_compiler(connection=connections[rows.db]).as_sql()


def column_at(model: type[Model], path: list[str]) -> Any:
    """Return the field or relation that a path ends at."""
    current: Any = model
    field: Any = None
    for part in path:
        field = need_field(current, part, "")
        current = field.related_model
    return field


def _key_at(model: type[Model], path: list[str]) -> Any:
    """Return the column of keys that a path of a relation ends at; None for other columns."""
    field = column_at(model, path)
    if not (field.is_relation or field.primary_key):
        return None
    if hasattr(field, "target_field"):
        return field.target_field
    return field.related_model._meta.pk if field.is_relation else field


def _keys(column: Any, value: Any) -> Any:
    """Return those of some keys that a row may have; None when it is one and no row may."""
    if not isinstance(value, list | tuple | set | frozenset):
        return as_key(column, value)
    return [key for item in value if (key := as_key(column, item)) is not None]


def _within(value: Any) -> Any:
    """Return a value whose whole numbers have 64 bits, with the nearest in place of others."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(value, 2**63 - 1))
    if isinstance(value, list | tuple | set | frozenset):
        return [_within(item) for item in value]
    return value


def read_path(source: str, model: type[Model], where: str) -> tuple[list[str], list[str], bool]:
    """Return the fields of a path, the lookups that follow them, and whether it leads to many rows.

    Raises:
        ConfigError: the path is none of the model's, or a lookup is unknown.
    """
    parts = source.replace(".", "__").split("__")
    current: Any = model
    path: list[str] = []
    crosses = False
    column: Any = None
    while parts:
        if current is None:
            break
        found = need_field(current, parts[0], where) if not path else find_field(current, parts[0])
        if found is None:
            break
        column = found
        crosses = crosses or is_many(found)
        path.append(_query_name(found, parts[0]))
        parts.pop(0)
        current = found.related_model if found.is_relation else None
    _check_lookups(column, parts, source, where)
    return path, parts, crosses


def _query_name(field: Any, given: str) -> str:
    """Return the name that queries use: a reverse relation's own, not its accessor's."""
    if given == "pk" or getattr(field, "attname", None) == given:
        return given
    name: str = field.name
    return name


def _check_lookups(column: Any, lookups: list[str], source: str, where: str) -> None:
    target = column
    while getattr(target, "is_relation", False):
        if lookups and lookups[0] in {"isnull", "in", "exact"}:
            return
        target = target.target_field if hasattr(target, "target_field") else None
    for index, name in enumerate(lookups):
        if target is None:
            return
        lookup = target.get_lookup(name)
        if lookup is not None and index == len(lookups) - 1:
            return
        transform = target.get_transform(name)
        if transform is None:
            raise ConfigError(
                f"{where}: {source!r} has no field or lookup {name!r}; lookups are "
                f"{', '.join(sorted(target.get_lookups()))}"
            )
        target = getattr(transform, "output_field", None)
        if not hasattr(target, "get_lookup"):
            return


def _by_expression(
    marker: FilterBy, name: str, annotation: Any, model: type[Model], where: str
) -> "Step":
    expression = for_row(marker.source, model, "", where)
    label = f"_utilmeta_filter_{name}"
    lookup = "in" if is_list(annotation) and marker.lookup == "exact" else marker.lookup

    def step(rows: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        rows = rows.alias(**{label: expression})
        if value is None:
            return rows.filter(**{f"{label}__isnull": True})
        with values_that_fit():
            found = rows.filter(**{f"{label}__{lookup}": as_compared(_within(value))})
            _try(found)
        return found

    return step


def _by_function(given: "Callable[[Any], Any] | Q", model: type[Model]) -> "Step":
    if isinstance(given, Q):
        condition = given

        def by_truth(rows: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
            wanted = condition if value else ~condition
            return restricted(rows, wanted, model, crosses=crosses_many(model, condition))

        return by_truth
    function = given

    def by_value(rows: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        made = function(value)
        if made is None:
            return rows
        crosses = isinstance(made, Q) and crosses_many(model, made)
        return restricted(rows, made, model, crosses=crosses)

    return by_value


def crosses_many(model: type[Model], condition: Q) -> bool:
    """Return whether a condition looks at relations that lead to many rows."""
    for child in condition.children:
        if isinstance(child, Q):
            if crosses_many(model, child):
                return True
        elif isinstance(child, tuple) and _path_crosses(model, child[0]):
            return True
    return False


def _path_crosses(model: type[Model], path: str) -> bool:
    current: Any = model
    for part in path.split("__"):
        field = find_field(current, part)
        if field is None or not field.is_relation:
            return False
        if is_many(field):
            return True
        current = field.related_model
    return False


def restricted(
    rows: "QuerySet[Any]", condition: Any, model: type[Model], *, crosses: bool
) -> "QuerySet[Any]":
    """Return the rows that fit, each once: joins with many rows would repeat them."""
    if not crosses:
        return rows.filter(condition)
    manager: Any = model._base_manager
    return rows.filter(pk__in=manager.filter(condition).order_by().values("pk"))
