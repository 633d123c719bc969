"""Whether models, columns and databases write rows as Django does, so that less can do the same.

Source: django.db.models.base.Model.__init__, save_base and _save_table, query.QuerySet.bulk_create
and sql.compiler.SQLInsertCompiler, of Django 5.2 and 6.1.
"""

from functools import lru_cache
from inspect import getattr_static
from typing import Any

from django.db.models import (
    AutoField,
    BigAutoField,
    CompositePrimaryKey,
    DateField,
    DateTimeField,
    Field,
    Model,
    SmallAutoField,
    TimeField,
)
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute
from django.db.models.sql.compiler import SQLInsertCompiler

from utilmeta.core.orm.stock import is_same, is_stock_manager

# What the making of an instance goes through, and what `save` does besides.
_MAKING = ("__new__", "__setattr__", "pk", "_get_pk_val", "_set_pk_val", "_is_pk_set")
_SAVING = (
    "save",
    "save_base",
    "_save_parents",
    "_save_table",
    "_do_insert",
    "_validate_force_insert",
    "_prepare_related_fields_for_save",
    "get_deferred_fields",
)
_MANAGING = ("get_queryset", "all", "using", "filter", "order_by", "bulk_create", "_insert")
_COMPILING = ("as_sql", "execute_sql", "prepare_value", "pre_save_val", "field_as_sql")
_PRE_SAVES: frozenset[Any] = frozenset(
    {Field.pre_save, DateField.pre_save, DateTimeField.pre_save, TimeField.pre_save}
)
_HOLDERS = frozenset({DeferredAttribute, ForeignKeyDeferredAttribute})
_VENDORS = frozenset({"sqlite", "postgresql", "mysql"})

AUTO_FIELDS = frozenset({AutoField, BigAutoField, SmallAutoField})


@lru_cache(1024)
def has_stock_manager(model: type[Model]) -> bool:
    """Return whether querysets of a model's base manager are the same each time they are made."""
    is_plain = is_stock_manager(model._base_manager, _MANAGING)
    return is_plain and not isinstance(model._meta.pk, CompositePrimaryKey)


def is_stock_model(model: Any, *, saves: bool) -> bool:
    """Return whether new rows are made, and saved, as Django does it, into one table.

    Args:
        model: the model.
        saves: whether `save` is looked at as well.
    """
    meta = model._meta
    steps = (*_MAKING, *_SAVING) if saves else _MAKING
    return (
        not meta.parents
        and meta.concrete_model is model
        and meta.order_with_respect_to is None
        and [owner for owner in model.__mro__ if "__init__" in vars(owner)] == [Model, object]
        and has_stock_manager(model)
        and is_same(model, Model, steps)
        and all(_is_stock_field(model, field) for field in meta.concrete_fields)
    )


def _is_stock_field(model: Any, field: Any) -> bool:
    """Return whether a field has one placeholder, and no values but its own and `auto_now`."""
    return (
        type(getattr_static(model, field.attname)) in _HOLDERS
        and type(field).pre_save in _PRE_SAVES
        and type(field).get_pk_value_on_save is Field.get_pk_value_on_save
        and not field.generated
        and not field.has_db_default()
        and not any(name.startswith("get_placeholder") for name in dir(field))
    )


def is_stock_compiler(compiler: Any, connection: Any) -> bool:
    """Return whether a database's inserts are made as Django makes them."""
    kind = type(compiler)
    return connection.vendor in _VENDORS and is_same(kind, SQLInsertCompiler, _COMPILING)


def tells_keys(model: Any, connection: Any) -> bool:
    """Return whether a database tells the keys that it made, as they are."""
    meta, features = model._meta, connection.features
    column = meta.pk.get_col(meta.db_table)
    return bool(
        type(meta.pk) in AUTO_FIELDS
        and list(meta.db_returning_fields) == [meta.pk]
        and features.can_return_columns_from_insert
        and features.can_return_rows_from_bulk_insert
        and not connection.ops.get_db_converters(column)
        and not meta.pk.get_db_converters(connection)
    )
