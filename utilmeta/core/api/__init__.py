"""API classes: endpoints as methods, declared with their paths and parameters."""

from utilmeta.core.api.base import API
from utilmeta.core.api.decorators import (
    after,
    before,
    delete,
    get,
    handle,
    patch,
    post,
    put,
    ref,
    route,
    ws,
)
from utilmeta.core.api.errors import Error
from utilmeta.core.api.plugins import (
    CORS,
    BodyLimit,
    Cache,
    Idempotency,
    Plugin,
    RateLimit,
    Retry,
    Timeout,
)
from utilmeta.core.api.sockets import WebSocket, WebSocketDisconnect

__all__ = [
    "API",
    "CORS",
    "BodyLimit",
    "Cache",
    "Error",
    "Idempotency",
    "Plugin",
    "RateLimit",
    "Retry",
    "Timeout",
    "WebSocket",
    "WebSocketDisconnect",
    "after",
    "before",
    "delete",
    "get",
    "handle",
    "patch",
    "post",
    "put",
    "ref",
    "route",
    "ws",
]
