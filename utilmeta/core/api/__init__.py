"""API classes: endpoints as methods, declared with their paths and parameters."""

from utilmeta.core.api.base import API
from utilmeta.core.api.decorators import delete, get, patch, post, put, route

__all__ = ["API", "delete", "get", "patch", "post", "put", "route"]
