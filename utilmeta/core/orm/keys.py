"""Primary keys of rows, from whatever names a row."""

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
    if isinstance(value, bool | float):
        # No key is one of these, and 1.5 is not the row 1.
        return None
    try:
        key = field.to_python(value)
    except (ValidationError, TypeError, ValueError, OverflowError):
        return None
    if isinstance(key, int) and not isinstance(key, bool):
        ranges = connections[alias or DEFAULT_DB_ALIAS].ops.integer_field_ranges
        # What a backend names no range for is a 64-bit number.
        low, high = ranges.get(field.get_internal_type(), ranges["BigIntegerField"])
        if not low <= key <= high:
            return None
    if isinstance(key, str) and "\0" in key:
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
