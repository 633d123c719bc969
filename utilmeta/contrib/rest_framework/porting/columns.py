"""Columns of models, and paths to them, as Python types."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from utilmeta.contrib.rest_framework.porting.source import Source

# The first that a column is an instance of; an import where the type needs one.
_TYPES: tuple[tuple[type[Any], str, str | None], ...] = (
    (models.BooleanField, "bool", None),
    (models.IntegerField, "int", None),
    (models.FloatField, "float", None),
    (models.DecimalField, "Decimal", "decimal"),
    (models.UUIDField, "UUID", "uuid"),
    (models.DateTimeField, "datetime", "datetime"),
    (models.DateField, "date", "datetime"),
    (models.TimeField, "time", "datetime"),
    (models.DurationField, "timedelta", "datetime"),
    (models.BinaryField, "bytes", None),
    (models.CharField, "str", None),
    (models.TextField, "str", None),
    (models.FileField, "str", None),
    (models.GenericIPAddressField, "str", None),
)


def type_of(column: Any, source: Source) -> str:
    """Return the type of a column's values; `Any` where that is not known."""
    while column.remote_field is not None:
        column = column.target_field
    for kind, name, module in _TYPES:
        if isinstance(column, kind):
            return name if module is None else source.need(module, name)
    return source.need("typing", "Any")


def column_at(model: type[models.Model], path: str) -> Any:
    """Return the field of a model that a path with dots or `__` leads to, None for none."""
    found: Any = None
    current: Any = model
    for name in path.replace("__", ".").split("."):
        if current is None:
            return None
        if name == "pk":
            found = current._meta.pk  # noqa: SLF001 - documented by Django
        else:
            try:
                found = current._meta.get_field(name)  # noqa: SLF001
            except FieldDoesNotExist:
                return None
        current = found.related_model if found.is_relation else None
    return found


def is_many(model: type[models.Model], path: str) -> bool:
    """Return whether a path leads through a relation to many rows."""
    names = path.replace("__", ".").split(".")
    found = [column_at(model, ".".join(names[: index + 1])) for index in range(len(names))]
    return any(item is not None and (item.many_to_many or item.one_to_many) for item in found)


def may_be_null(model: type[models.Model], path: str) -> bool:
    """Return whether what a path through single relations leads to may be missing."""
    names = path.replace("__", ".").split(".")
    found = [column_at(model, ".".join(names[: index + 1])) for index in range(len(names))]
    return any(item is None or not item.concrete or item.null for item in found)


def manager_of(model: type[models.Model], source: Source) -> str:
    """Return what names all rows of a model: its class and its default manager."""
    return f"{source.need_object(model)}.{model._default_manager.name}"  # noqa: SLF001
