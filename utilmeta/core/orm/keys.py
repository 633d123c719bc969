"""Primary keys of rows, from whatever names a row."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from utilmeta.utils.exceptions import OrmError


def key_of(where: str, model: type[Model], source: Any) -> tuple[str | None, Any] | None:
    """Return database and key of a row; None when no row can have such a key.

    Args:
        where: the schema, for messages.
        model: the model.
        source: an instance, or a key.

    Raises:
        OrmError: the instance is of another model.
    """
    alias = None
    if isinstance(source, Model):
        if not isinstance(source, model):
            raise OrmError(
                f"{where} reads {model.__name__}, got an instance of {type(source).__name__}"
            )
        alias, source = source._state.db, source.pk
    key = as_key(model._meta.pk, source, alias)
    return None if key is None else (alias, key)


def as_key(field: Any, value: Any, alias: str | None = None) -> Any:
    """Return a value as a column's; None when it cannot be one, or is out of its range."""
    while field.is_relation:
        field = field.target_field
    columns = getattr(field, "fields", None)
    if columns is not None:
        # A key of several columns (Django: "CompositePrimaryKey").
        return _as_keys(columns, value, alias)
    if isinstance(value, bool | float):
        # No key is one of these, and 1.5 is not the row 1.
        return None
    try:
        key = field.to_python(value)
    except (ValidationError, TypeError, ValueError, OverflowError):
        return None
    if isinstance(key, int) and not isinstance(key, bool):
        if isinstance(value, Decimal | bytes) or "_" in str(value):
            # Python would make numbers of them: 1 of 1.5, 10 of "1_0".
            return None
        ranges = connections[alias or DEFAULT_DB_ALIAS].ops.integer_field_ranges
        # What a backend names no range for is a 64-bit number.
        low, high = ranges.get(field.get_internal_type(), ranges["BigIntegerField"])
        if not low <= key <= high:
            return None
    if isinstance(key, str) and not _is_storable(key):
        return None
    return key


def names_of_key(model: type[Model]) -> set[str]:
    """Return the names of a model's primary key: a child's is its parent's as well."""
    field: Any = model._meta.pk
    names = {"pk", field.name, field.attname}
    while field.is_relation and field.remote_field.parent_link:
        field = field.target_field
        names |= {field.name, field.attname}
    return names


def _as_keys(columns: Sequence[Any], value: Any, alias: str | None) -> Any:
    if not isinstance(value, list | tuple) or len(value) != len(columns):
        return None
    keys = tuple(as_key(column, item, alias) for column, item in zip(columns, value, strict=True))
    return None if None in keys else keys


def _is_storable(text: str) -> bool:
    """Return whether every database can hold a text: no NUL, and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
