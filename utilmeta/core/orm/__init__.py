"""Data: database connections, and schemas over Django models."""

from utilmeta.core.orm.databases import Database, DatabaseConnections

__all__ = ["Database", "DatabaseConnections"]
