"""Lists of keys in querysets that are made once and read with other keys each time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import CompositePrimaryKey, Manager, Model, QuerySet
from django.db.models.expressions import Expression

_keys: "ContextVar[Sequence[Any]]" = ContextVar("utilmeta_keys")


class KeyList(Expression):
    """The keys that are read now: `filter(author__in=KeyList(field))`.

    Args:
        field: the column that the keys are of.

    Source: django.db.models.lookups.In, which puts the text of an expression behind `IN`, of
    Django 5.2 and 6.1.
    """

    def __init__(self, field: Any) -> None:
        while field.is_relation:
            field = field.target_field
        super().__init__(output_field=field)

    def as_sql(self, _compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the keys as parameters."""
        prepare: Any = self.output_field.get_db_prep_value
        values = [prepare(key, connection, prepared=False) for key in _keys.get()]
        return f"({', '.join(['%s'] * len(values))})", values


@contextmanager
def reading_keys(keys: Sequence[Any]) -> Iterator[None]:
    """Let lists of keys be these in the block; there is at least one."""
    token = _keys.set(keys)
    try:
        yield
    finally:
        _keys.reset(token)


def is_static(model: type[Model]) -> bool:
    """Return whether querysets of a model are the same each time they are made.

    A manager of the project's may look at the moment, the user or the tenant.
    """
    managers: Any = (model._default_manager, model._base_manager)
    is_plain = all(
        manager._queryset_class is QuerySet
        and all(getattr(type(manager), name) is getattr(Manager, name) for name in _STOCK)
        for manager in managers
    )
    return is_plain and not isinstance(model._meta.pk, CompositePrimaryKey)


# What makes the querysets of a manager.
_STOCK = ("get_queryset", "all", "using", "filter", "order_by")
