"""Queries: what clients may filter, search, order and page by, as typed classes."""

from utilmeta.core.orm.query.base import Query
from utilmeta.core.orm.query.declared import (
    Cursor,
    Filter,
    Limit,
    Offset,
    Order,
    OrderBy,
    Page,
    Scope,
    Search,
)

__all__ = [
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
]
