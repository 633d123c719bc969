"""New rows inserted by statements whose text is kept, where Django would do the same each time.

Where a model, its manager or a receiver of its signals does something of its own, or where a value
is an expression, there is none, and the rows go through Django's `save` or `bulk_create`.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    EmailField,
    ForeignKey,
    IntegerField,
    Model,
    OneToOneField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SlugField,
    SmallIntegerField,
    TextField,
    URLField,
)
from django.db.models.signals import post_init, post_save, pre_init, pre_save
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLInsertCompiler

from utilmeta.core.orm.stock import is_same, takes_integers
from utilmeta.core.orm.write.plan import WritePlan
from utilmeta.core.orm.write.stock import (
    AUTO_FIELDS,
    is_stock_compiler,
    is_stock_model,
    tells_keys,
)
from utilmeta.core.orm.write.values import Item

_TEXTS = frozenset({CharField, TextField, SlugField, EmailField, URLField})
_INTEGERS = AUTO_FIELDS | {
    BigIntegerField,
    IntegerField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallIntegerField,
}


class _Blank:
    """Stands for an instance of a model, on which a field sets what it makes."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of an insert.

    Attributes:
        field: the model's field.
        attribute: where instances hold it.
        makes: whether the field makes the values of new rows itself (`auto_now`).
        same: values of this class are handed to the driver as they are; None for none.
        has_moments: whether all that is done to aware moments is what the database asks for.
    """

    field: Any
    attribute: str
    makes: bool
    same: type | None
    has_moments: bool


@dataclass(frozen=True, slots=True)
class _Insert:
    """The kept statement that inserts rows of a model.

    Attributes:
        model: the model.
        columns: what is inserted.
        head: the text before the values.
        tail: the text behind them.
        makes_keys: whether the database makes the keys, and tells them.
        is_plain: whether each value of many rows has a placeholder of its own.
    """

    model: type[Model]
    columns: tuple[_Column, ...]
    head: str
    tail: str
    makes_keys: bool
    is_plain: bool

    def params(self, item: Item, connection: Any) -> list[Any] | None:
        """Return what the driver takes for a row, which gets its defaults; None if not known."""
        values = item.values
        found: list[Any] = []
        for column in self.columns:
            name = column.attribute
            if column.makes:
                value = values[name] = column.field.pre_save(_Blank(), add=True)
            elif name in values:
                value = values[name]
            else:
                value = values[name] = column.field.get_default()
            kind = value.__class__
            if kind is column.same:
                found.append(value)
            elif column.has_moments and kind is datetime.datetime and value.tzinfo is not None:
                found.append(connection.ops.adapt_datetimefield_value(value))
            elif hasattr(value, "resolve_expression"):
                return None
            else:
                value = column.field.get_db_prep_save(value, connection)
                if hasattr(value, "as_sql"):
                    return None
                found.append(value)
        return found

    def run(self, items: list[Item], rows: list[list[Any]], connection: Any, most: int) -> None:
        """Insert rows, which get their keys.

        Args:
            items: the rows.
            rows: what the driver takes for each.
            connection: Django's connection.
            most: how many rows a statement has at most.
        """
        fields = [column.field for column in self.columns]
        size = max(1, min(most, connection.ops.bulk_batch_size(fields, items)))
        for start in range(0, len(items), size):
            text, params = self._statement(fields, rows[start : start + size], connection)
            with connection.cursor() as cursor:
                cursor.execute(text, params)
                keys = cursor.fetchall() if self.makes_keys else None
            part = items[start : start + size]
            if keys is None:
                keys = [(item.values[self.model._meta.pk.attname],) for item in part]
            for item, (key,) in zip(part, keys, strict=True):
                item.key = key

    def _statement(
        self, fields: list[Any], rows: list[list[Any]], connection: Any
    ) -> tuple[str, list[Any]]:
        if self.is_plain or len(rows) == 1:
            places: Any = [["%s"] * len(fields)] * len(rows)
        else:
            # PostgreSQL takes the values of many rows as one list for each column.
            compiler: Any = InsertQuery(self.model).get_compiler(connection=connection)
            places, rows = compiler.assemble_as_sql(fields, rows)
        values = connection.ops.bulk_insert_sql(fields, places)
        return f"{self.head}{values}{self.tail}", [value for row in rows for value in row]


def insert_kept(plan: WritePlan, items: list[Item], alias: str, most: int, *, saves: bool) -> bool:
    """Insert rows by kept statements, where that is what Django would do.

    The values of the items then hold all that was inserted.

    Args:
        plan: what is written.
        items: the rows, which are all new.
        alias: the database.
        most: how many rows a statement has at most.
        saves: whether it is in place of the model's `save`, else of `bulk_create`.

    Returns:
        Whether they were inserted.
    """
    model: Any = plan.model
    signals = (pre_init, post_init, pre_save, post_save) if saves else (pre_init, post_init)
    is_heard = any(signal.receivers and signal.has_listeners(model) for signal in signals)
    # Tests replace methods of models that were saved before.
    if is_heard or (saves and model.save is not Model.save):
        return False
    connection = connections[alias]
    name = model._meta.pk.attname
    free: list[Item] = []
    keyed: list[Item] = []
    for item in items:
        if item.key is not None:
            item.values[name] = item.key
        (keyed if name in item.values else free).append(item)
    steps: list[tuple[_Insert, list[Item], list[list[Any]]]] = []
    for part, has_key in ((keyed, True), (free, False)):
        if not part:
            continue
        insert = _insert_of(plan, connection, has_key=has_key, saves=saves)
        rows = [] if insert is None else [insert.params(item, connection) for item in part]
        known = [row for row in rows if row is not None]
        if insert is None or len(known) < len(rows):
            return False
        steps.append((insert, part, known))
    for insert, part, known in steps:
        insert.run(part, known, connection, most)
    return True


def _insert_of(plan: WritePlan, connection: Any, *, has_key: bool, saves: bool) -> _Insert | None:
    kept = plan.kept
    key = (connection.alias, connection.__class__, has_key, saves)
    if key not in kept:
        kept[key] = _compile(plan.model, connection, has_key=has_key, saves=saves)
    found: _Insert | None = kept[key]
    return found


def _compile(model: Any, connection: Any, *, has_key: bool, saves: bool) -> _Insert | None:
    """Return the statement; None where it, or what is done to its values, may be another."""
    meta = model._meta
    makes_keys = meta.auto_field is not None and not has_key
    fields = [
        field for field in meta.local_concrete_fields if not (makes_keys and field.primary_key)
    ]
    compiler: Any = InsertQuery(model).get_compiler(connection=connection)
    if (
        not fields
        or not is_stock_model(model, saves=saves)
        or not is_stock_compiler(compiler, connection)
        or (makes_keys and not tells_keys(model, connection))
    ):
        return None
    # The text is Django's own, of a row whose values do not matter.
    compiler.prepare_value = lambda _field, _value: None
    compiler.query.insert_values(fields, [_Blank()])
    compiler.pre_save_val = lambda _field, _row: None
    compiler.returning_fields = [meta.pk] if makes_keys else None
    text, params = compiler.as_sql()[0]
    values = connection.ops.bulk_insert_sql(fields, [["%s"] * len(fields)])
    head, found, tail = text.partition(values)
    if not found or len(params) != len(fields):
        return None
    return _Insert(
        model=model,
        columns=tuple([_column(field, connection) for field in fields]),
        head=head,
        tail=tail,
        makes_keys=makes_keys,
        is_plain=type(compiler).assemble_as_sql is SQLInsertCompiler.assemble_as_sql,
    )


def _column(field: Any, connection: Any) -> _Column:
    target = field
    while type(target) in (ForeignKey, OneToOneField):
        target = target.target_field
    kind = type(target)
    same: type | None = None
    operations: Any = type(connection.ops)
    # MySQL refuses the key 0.
    if (
        kind in _INTEGERS
        and takes_integers(operations)
        and is_same(operations, BaseDatabaseOperations, ("validate_autopk_value",))
    ):
        same = int
    elif kind in _TEXTS:
        same = str
    elif kind is BooleanField:
        same = bool
    makes = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return _Column(field, field.attname, makes, same, type(field) is DateTimeField)
