"""Whether what a project may write anew is Django's own."""

from collections.abc import Iterable
from functools import lru_cache
from inspect import getattr_static
from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Manager, QuerySet


def is_same(kind: type, usual: type, names: Iterable[str]) -> bool:
    """Return whether a class has attributes as another class has them."""
    return all(
        getattr_static(kind, name, None) is getattr_static(usual, name, None) for name in names
    )


def is_stock_manager(manager: Any, names: Iterable[str]) -> bool:
    """Return whether a manager makes Django's querysets, by methods that are Django's own."""
    return manager._queryset_class is QuerySet and is_same(type(manager), Manager, names)


@lru_cache(16)
def takes_integers(operations: type) -> bool:
    """Return whether a database's integers are handed to its driver as they are."""
    return is_same(operations, BaseDatabaseOperations, ("adapt_integerfield_value",))
