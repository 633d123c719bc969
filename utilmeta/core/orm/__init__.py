"""Data: database connections, and schemas over Django models."""

from typing import TYPE_CHECKING

from utilmeta.core.orm.connections.databases import Database, DatabaseConnections

if TYPE_CHECKING:
    from utilmeta.core.orm.atomic import Atomic
    from utilmeta.core.orm.context import QueryContext
    from utilmeta.core.orm.errors import EmptyQueryset, MissingPrimaryKey, UpdateFailed
    from utilmeta.core.orm.fields import Field
    from utilmeta.core.orm.modes import WP, A, R, W
    from utilmeta.core.orm.query import (
        Cursor,
        Filter,
        Limit,
        Offset,
        Order,
        OrderBy,
        Page,
        Query,
        Scope,
        Search,
    )
    from utilmeta.core.orm.read.rows import Rows
    from utilmeta.core.orm.schema import Schema

__all__ = [
    "WP",
    "A",
    "Atomic",
    "Cursor",
    "Database",
    "DatabaseConnections",
    "EmptyQueryset",
    "Field",
    "Filter",
    "Limit",
    "MissingPrimaryKey",
    "Offset",
    "Order",
    "OrderBy",
    "Page",
    "Query",
    "QueryContext",
    "R",
    "Rows",
    "Schema",
    "Scope",
    "Search",
    "UpdateFailed",
    "W",
]

# Schemas import Django's models, which need not be there yet where databases are declared.
_LAZY = {
    "A": "modes",
    "Atomic": "atomic",
    "EmptyQueryset": "errors",
    "Field": "fields",
    "MissingPrimaryKey": "errors",
    "QueryContext": "context",
    "R": "modes",
    "Rows": "read.rows",
    "Schema": "schema",
    "UpdateFailed": "errors",
    "W": "modes",
    "WP": "modes",
    **dict.fromkeys(
        (
            "Cursor",
            "Filter",
            "Limit",
            "Offset",
            "Order",
            "OrderBy",
            "Page",
            "Query",
            "Scope",
            "Search",
        ),
        "query",
    ),
}


def __getattr__(name: str) -> object:
    """Return a name on first use."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f"utilmeta.core.orm.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'utilmeta.core.orm' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, those that are not loaded yet as well."""
    return sorted(__all__)
