"""What is looked up before rows are written, so that what is wrong can be told by field.

Each check is one statement for all rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Model, Q, UniqueConstraint

from utilmeta.core.orm.keys import as_key
from utilmeta.core.orm.read.selection import Selection
from utilmeta.core.orm.write.plan import WriteColumn, WritePlan
from utilmeta.core.orm.write.stock import has_stock_manager
from utilmeta.core.orm.write.values import Fault, Item, fault
from utilmeta.core.orm.write.violations import UNIQUE

# Values of one statement; SQLite takes 32,766 parameters.
_MAX_VALUES = 10_000


def check_references(plan: WritePlan, items: list[Item], alias: str, faults: list[Fault]) -> None:
    """Add a fault for each key of another row that is not there."""
    for column in plan.columns:
        if column.column.is_relation:
            _check_column(plan, column, _sent(column, items), alias, faults)
    for column in plan.keys:
        if column.column.is_relation and not column.column.remote_field.parent_link:
            new = [(item, item.key) for item in items if item.creates and item.key is not None]
            _check_column(plan, column, new, alias, faults)


def _sent(column: WriteColumn, items: list[Item]) -> list[tuple[Item, Any]]:
    attribute = column.column.attname
    return [
        (item, item.values[attribute]) for item in items if item.values.get(attribute) is not None
    ]


def _check_column(
    plan: WritePlan,
    column: WriteColumn,
    sent: list[tuple[Item, Any]],
    alias: str,
    faults: list[Fault],
) -> None:
    """Add a fault for each key of one column that is of no row; make keys of the values."""
    # Many rows often point at the same one; only of whole numbers is it certain which are equal.
    numbers = {value for _, value in sent if value.__class__ is int}
    made = {value: as_key(column.column, value, alias) for value in numbers}
    keys = [
        (
            item,
            made[value] if value.__class__ is int else as_key(column.column, value, alias),
            value,
        )
        for item, value in sent
    ]
    wanted = {key for _, key, _ in keys if key is not None}
    found = _existing(plan, column.column, wanted, alias) if wanted else set()
    for item, key, value in keys:
        if key is None or key not in found:
            place = f"{item.place}{column.wire}"
            faults.append(fault(place, "foreign_key", "the key of a row that exists", value))
            # What looks further must not send it to the database.
            item.values.pop(column.column.attname, None)
        elif column.column.attname in item.values:
            item.values[column.column.attname] = key


def _existing(plan: WritePlan, column: Any, wanted: Iterable[Any], alias: str) -> set[Any]:
    """Return those keys of related rows that exist, and may be chosen."""
    model: Any = column.remote_field.model
    target = column.target_field
    limits = column.get_limit_choices_to()
    if not limits and has_stock_manager(model):
        rows = _kept_rows(plan, model, target, (target.attname,), list(wanted), alias)
        return {key for (key,) in rows}
    choices = model._base_manager.using(alias).complex_filter(limits)
    return _found(choices, target.attname, wanted)


def _kept_rows(
    plan: WritePlan, model: Any, column: Any, names: Sequence[str], wanted: list[Any], alias: str
) -> Iterator[Sequence[Any]]:
    """Yield columns of the rows that hold one of some values, by a statement that is kept."""
    key = (model, column.attname, *names)
    selection: Selection = plan.kept.setdefault(key, Selection(names=list(names)))

    def make(values: Any, using: str | None) -> Any:
        rows = model._base_manager.using(using)
        return rows.filter(**{f"{column.attname}__in": values}).order_by()

    for start in range(0, len(wanted), _MAX_VALUES):
        part = wanted[start : start + _MAX_VALUES]
        yield from selection.rows_of(make, column, part, alias)


def _found(rows: Any, name: str, wanted: Iterable[Any]) -> set[Any]:
    values = list(wanted)
    found: set[Any] = set()
    for start in range(0, len(values), _MAX_VALUES):
        part = values[start : start + _MAX_VALUES]
        found.update(rows.filter(**{f"{name}__in": part}).values_list(name, flat=True))
    return found


def existing_keys(model: Any, wanted: Iterable[Any], alias: str) -> set[Any]:
    """Return those primary keys that exist."""
    return _found(model._base_manager.using(alias), "pk", wanted)


def check_unique(plan: WritePlan, items: list[Item], alias: str, faults: list[Fault]) -> None:
    """Add a fault for each row whose values another row has: of the database, or of these."""
    groups = plan.kept.get("unique")
    if groups is None:
        meta: Any = plan.model._meta
        fields = [[meta.get_field(name) for name in names] for names in unique_sets(plan.model)]
        groups = [group for group in fields if not all(field.primary_key for field in group)]
        plan.kept["unique"] = groups
    for columns in groups:
        _check_group(plan, columns, items, alias, faults)


def unique_sets(model: type[Model]) -> list[tuple[str, ...]]:
    """Return the names of fields that are unique, alone or together, whatever else rows hold."""
    found: list[tuple[str, ...]] = [
        (field.name,) for field in model._meta.concrete_fields if field.unique
    ]
    for owner in (model, *model._meta.get_parent_list()):
        found += [tuple(names) for names in owner._meta.unique_together]
        found += [
            tuple(constraint.fields)
            for constraint in owner._meta.constraints
            if isinstance(constraint, UniqueConstraint)
            and constraint.fields
            and constraint.condition is None
            and constraint.nulls_distinct is not False
        ]
    return found


def _check_group(
    plan: WritePlan, columns: list[Any], items: list[Item], alias: str, faults: list[Fault]
) -> None:
    attributes = [column.attname for column in columns]
    wanted: dict[tuple[Any, ...], list[Item]] = {}
    for item in items:
        values = tuple(item.values.get(name) for name in attributes)
        # Null is equal to nothing, and what is not sent stays as it is.
        if all(value is not None for value in values):
            wanted.setdefault(values, []).append(item)
    if not wanted:
        return
    sent = [column for column in columns if plan.sends(column)] or columns
    taken = _holders(plan, columns, list(wanted), alias)
    for values, holders in wanted.items():
        owner = taken.get(values)
        allowed = [item for item in holders if owner is not None and item.key == owner]
        kept = allowed[0] if allowed else (holders[0] if owner is None else None)
        for item in holders:
            if item is not kept:
                for column in sent:
                    place = f"{item.place}{plan.wire_of(column)}"
                    value = item.values[column.attname]
                    faults.append(fault(place, UNIQUE, "a value that no other row has", value))


def _holders(
    plan: WritePlan, columns: list[Any], wanted: list[tuple[Any, ...]], alias: str
) -> dict[tuple[Any, ...], Any]:
    """Return the key of the row that holds each of some values."""
    model = plan.model
    attributes = [column.attname for column in columns]
    if len(columns) == 1 and has_stock_manager(model):
        values = [value for (value,) in wanted]
        rows = _kept_rows(plan, model, columns[0], ("pk", *attributes), values, alias)
        return {(value,): key for key, value in rows}
    manager: Any = model._base_manager
    found: dict[tuple[Any, ...], Any] = {}
    size = max(1, _MAX_VALUES // len(attributes))
    for start in range(0, len(wanted), size):
        part = wanted[start : start + size]
        rows = manager.using(alias).filter(_any_of(attributes, part))
        sought = set(part)
        for key, *values in rows.values_list("pk", *attributes):
            if tuple(values) in sought:
                found[tuple(values)] = key
    return found


def _any_of(attributes: list[str], wanted: list[tuple[Any, ...]]) -> Q:
    if len(attributes) == 1:
        return Q(**{f"{attributes[0]}__in": [values[0] for values in wanted]})
    # Narrowed by each column, which is one IN list; which pairs it are is looked at here.
    return Q(
        **{
            f"{name}__in": list(dict.fromkeys(values[index] for values in wanted))
            for index, name in enumerate(attributes)
        }
    )
