"""Lists of keys in querysets that are made once and read with other keys each time."""

from collections.abc import Sequence
from typing import Any

from django.db.models import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    CompositePrimaryKey,
    IntegerField,
    Model,
    QuerySet,
    SmallAutoField,
)
from django.db.models.expressions import Expression

from utilmeta.core.orm.stock import is_same, is_stock_manager, takes_integers


class KeyList(Expression):
    """Keys that are filled in when a kept statement is executed: `filter(author__in=KeyList(f))`.

    Args:
        field: the column that the keys are of.

    Source: django.db.models.lookups.In, which puts the text of an expression behind `IN`, of
    Django 5.2 and 6.1.
    """

    def __init__(self, field: Any) -> None:
        while field.is_relation:
            field = field.target_field
        super().__init__(output_field=field)

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, Any]:
        """Return one placeholder, in whose place the keys come."""
        return "(%s)", [LateKeys(self.output_field)]


class LateKeys:
    """The parameters of a kept statement that are keys, in place of one placeholder.

    Args:
        field: the column that the keys are of.
    """

    __slots__ = ("_field", "_is_stock")

    def __init__(self, field: Any) -> None:
        self._field = field
        self._is_stock = type(field) in _STOCK_KEYS

    def values(self, keys: Sequence[Any], connection: Any) -> list[Any]:
        """Return the keys as the driver takes them."""
        operations: type = connection.ops.__class__
        is_quick = self._is_stock and takes_integers(operations)
        if is_quick and all(key.__class__ is int for key in keys):
            return list(keys)
        prepare = self._field.get_db_prep_value
        return [prepare(key, connection, prepared=False) for key in keys]


# Columns of integers whose own preparing is Django's.
_STOCK_KEYS = frozenset({AutoField, BigAutoField, SmallAutoField, IntegerField, BigIntegerField})


def is_static(model: type[Model]) -> bool:
    """Return whether querysets of a model are the same each time they are made.

    A manager of the project's may look at the moment, the user or the tenant.
    """
    managers = (model._default_manager, model._base_manager)
    is_plain = all(is_stock_manager(manager, _STOCK) for manager in managers)
    return is_plain and not isinstance(model._meta.pk, CompositePrimaryKey)


def is_plain_queryset(kind: type) -> bool:
    """Return whether a class of querysets makes others of itself as Django's own does."""
    return is_same(kind, QuerySet, _MAKING)


_MAKING = (
    "_chain",
    "_clone",
    "_fetch_all",
    "all",
    "annotate",
    "filter",
    "none",
    "order_by",
    "using",
    "values",
)


# What makes the querysets of a manager.
_STOCK = ("get_queryset", "all", "using", "filter", "order_by")
