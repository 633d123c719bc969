"""Data: database connections, and schemas over Django models."""

from typing import TYPE_CHECKING

from utilmeta.core.orm.databases import Database, DatabaseConnections

if TYPE_CHECKING:
    from utilmeta.core.orm.errors import EmptyQueryset
    from utilmeta.core.orm.fields import Field
    from utilmeta.core.orm.schema import Rows, Schema

__all__ = ["Database", "DatabaseConnections", "EmptyQueryset", "Field", "Rows", "Schema"]

# Schemas import Django's models, which need not be there yet where databases are declared.
_LAZY = {
    "EmptyQueryset": "utilmeta.core.orm.errors",
    "Field": "utilmeta.core.orm.fields",
    "Rows": "utilmeta.core.orm.schema",
    "Schema": "utilmeta.core.orm.schema",
}


def __getattr__(name: str) -> object:
    """Return a schema class on first use."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'utilmeta.core.orm' has no attribute {name!r}")
