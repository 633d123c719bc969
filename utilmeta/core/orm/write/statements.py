"""The statements that write many rows: a constant number, whatever the number of rows."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import Case, F, Model, QuerySet, Value, When

from utilmeta.core.orm.write.inserts import insert_kept
from utilmeta.core.orm.write.plan import WritePlan
from utilmeta.core.orm.write.values import Item

# Parameters of one statement; SQLite takes 32,766 (SQLITE_MAX_VARIABLE_NUMBER), PostgreSQL 65,535.
MAX_PARAMETERS = 30_000

# Rows of one statement that updates each with values of its own; it grows with their square.
MAX_ROWS = 1_000


def insert(plan: WritePlan, items: list[Item], alias: str) -> None:
    """Insert rows; each item gets its key.

    Rows of models with a table for each parent, and of databases that do not tell the keys of many
    new rows (MySQL, not MariaDB), take a statement for each row.
    """
    model = plan.model
    size = max(1, MAX_PARAMETERS // max(1, len(model._meta.concrete_fields)))
    if insert_kept(plan, items, alias, size, saves=False):
        return
    rows = [_new_row(model, item) for item in items]
    connection = connections[alias]
    tells_keys = connection.features.can_return_rows_from_bulk_insert or all(
        row.pk is not None for row in rows
    )
    if model._meta.parents or not tells_keys:
        for row in rows:
            row.save(force_insert=True, using=alias)
    elif rows:
        manager: Any = model._base_manager
        manager.using(alias).bulk_create(rows, batch_size=size)
    for item in items:
        item.key = item.row.pk


def insert_row(plan: WritePlan, item: Item, alias: str) -> None:
    """Insert one row, which gets its key, through the model's `save`; its signals are sent."""
    if not insert_kept(plan, [item], alias, 1, saves=True):
        row = _new_row(plan.model, item)
        row.save(force_insert=True, using=alias)
        item.key = row.pk


def _new_row(model: type[Model], item: Item) -> Any:
    given = {model._meta.pk.attname: item.key} if item.key is not None else {}
    item.row = model(**{**item.values, **given})
    return item.row


@contextlib.contextmanager
def real_limits(alias: str) -> Iterator[None]:
    """Let Django send SQLite as many parameters as it takes, in the block.

    Django splits statements at 999, the limit of SQLite before 3.32 (2020).

    Source: django.db.backends.sqlite3.features, `max_query_params`, of Django 5.2; in 6.1 it is
    what SQLite itself tells.
    """
    connection: Any = connections[alias]
    if connection.vendor != "sqlite" or (connection.features.max_query_params or 0) > 999:
        yield
        return
    features = connection.features
    features.max_query_params = MAX_PARAMETERS
    try:
        yield
    finally:
        del features.max_query_params


def update(model: type[Model], items: list[Item], alias: str) -> None:
    """Update rows by their keys, each with values of its own, a thousand in one statement.

    Rows of models with a table for each parent take a statement for each row.
    """
    changed = [item for item in items if item.values]
    if model._meta.parents:
        for item in changed:
            update_row(model, item, alias)
        return
    columns = {field.attname: field for field in model._meta.concrete_fields}
    moments = touched(model)
    each = sum(2 * len(item.values) + 1 for item in changed) // max(1, len(changed)) + 2
    size = max(1, min(MAX_ROWS, MAX_PARAMETERS // each))
    manager: Any = model._base_manager
    for start in range(0, len(changed), size):
        part = changed[start : start + size]
        names = dict.fromkeys(name for item in part for name in item.values)
        values: dict[str, Any] = {
            columns[name].name: Case(
                *(
                    When(pk=item.key, then=Value(item.values[name], output_field=columns[name]))
                    for item in part
                    if name in item.values
                ),
                default=F(name),
                output_field=columns[name],
            )
            for name in names
        }
        keys = [item.key for item in part]
        manager.using(alias).filter(pk__in=keys).update(**values, **moments)


def touched(model: type[Model]) -> dict[str, Any]:
    """Return the columns that change with every update (`auto_now`), with their new values."""
    blank = model()
    return {
        field.name: field.pre_save(blank, add=False)
        for field in model._meta.concrete_fields
        if getattr(field, "auto_now", False)
    }


def update_row(model: type[Model], item: Item, alias: str) -> bool:
    """Update one row through an instance of the model, whose signals are sent.

    Fields that are not written are not loaded, unless something asks for them.

    Returns:
        Whether there is such a row.
    """
    item.row = row = deferred(model, item.key, alias)
    if not item.values:
        return bool(locked(model, [item.key], alias))
    for name, value in item.values.items():
        setattr(row, name, value)
    fields = model._meta.concrete_fields
    written = [
        field.name
        for field in fields
        if field.attname in item.values or getattr(field, "auto_now", False)
    ]
    try:
        row.save(update_fields=written, force_update=True, using=alias)
    except DatabaseError as exc:
        # Of its own class before Django 6.0, and no error of the driver's.
        missing = getattr(model, "NotUpdated", None)
        if type(exc) is DatabaseError or (missing is not None and isinstance(exc, missing)):
            return False
        raise
    return True


def deferred(model: type[Model], key: Any, alias: str) -> Any:
    """Return a model's instance that knows its key only; the rest is read when it is asked for."""
    names = []
    field: Any = model._meta.pk
    names.append(field.attname)
    while field.is_relation:
        # A child's key is its parent's.
        field = field.target_field
        names.append(field.attname)
    known = [item.attname for item in model._meta.concrete_fields if item.attname in names]
    return model.from_db(alias, known, [key] * len(known))


def for_update(rows: "QuerySet[Any]", alias: str) -> "QuerySet[Any]":
    """Return rows that are locked as they are read, where a transaction is open that can do so."""
    connection = connections[alias]
    if connection.in_atomic_block and connection.features.has_select_for_update:
        return rows.select_for_update()
    return rows


def locked(model: Any, keys: Iterable[Any], alias: str) -> set[Any]:
    """Return those keys that exist, their rows locked when a transaction is open.

    In the order of the keys, so that two that lock the same rows do not wait for each other.
    """
    rows = for_update(model._base_manager.using(alias).order_by("pk"), alias)
    wanted = list(keys)
    found: set[Any] = set()
    for start in range(0, len(wanted), MAX_PARAMETERS):
        part = wanted[start : start + MAX_PARAMETERS]
        found.update(rows.filter(pk__in=part).values_list("pk", flat=True))
    return found


def current_values(model: Any, keys: list[Any], name: str, alias: str) -> dict[Any, Any]:
    """Return what rows hold in one column, by their primary key; nothing for rows not there."""
    if not keys:
        return {}
    rows = model._base_manager.using(alias).filter(pk__in=keys).order_by()
    return dict(rows.values_list("pk", name))
