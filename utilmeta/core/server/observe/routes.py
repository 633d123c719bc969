"""Which template the path of a request fits, for those who count requests by it."""

from typing import Any

from utilmeta.core.request import RawRequest
from utilmeta.core.server.contract import Handler
from utilmeta.core.server.engine import Engine
from utilmeta.core.server.mount import WSGIMount
from utilmeta.core.server.observe.handler import RouteOf
from utilmeta.utils.exceptions import NotFound


def route_finder(route: str, handler: Handler) -> RouteOf:
    """Return what tells the template of a request's path below a handler.

    Args:
        route: where the handler is mounted.
        handler: the engine, a mounted application, or an endpoint of ours.
    """
    if isinstance(handler, Engine):
        return _EngineRoutes(route, handler)
    if isinstance(handler, WSGIMount) and handler.is_whole:
        return _django_route
    if getattr(handler, "is_exact", False):
        return lambda raw: None if raw.path else route
    # What is below belongs to the application, whose paths are anybody's.
    below = f"{route}/*"
    return lambda _raw: below


class _EngineRoutes:
    """Templates of an API.

    Args:
        route: where it is mounted.
        engine: knows its operations.
    """

    def __init__(self, route: str, engine: Engine) -> None:
        self._resolve = engine.router.resolve
        self._shown = {
            target: f"{route}{str(target.template).rstrip('/')}" or "/"
            for target in engine.router.targets
        }

    def __call__(self, raw: RawRequest) -> str | None:
        """Return the template of a request's path."""
        if raw.fault is not None:
            return None
        try:
            target, _ = self._resolve(raw.path, raw.segments)
        except NotFound:
            return None
        return self._shown[target]


def _django_route(raw: RawRequest) -> str | None:
    """Return the pattern of Django's URLs that a path fits."""
    from django.urls import Resolver404, resolve

    try:
        match: Any = resolve((raw.prefix + raw.path) or "/")
    except Resolver404:
        return None
    return django_route(match)


def django_route(match: Any) -> str:
    """Return the template that Django has found for a path, beginning with `/`."""
    return "/" + str(match.route).removeprefix("/")
