"""What stands beside the API of a service, and how it is served."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from utilmeta.core.api import API
from utilmeta.core.api.foreign import extension_for
from utilmeta.core.api.operation import Operation
from utilmeta.core.server.contract import Handler, Hooks
from utilmeta.core.server.engine import Engine
from utilmeta.core.server.mount import ASGIMount, WSGIMount, kind_of
from utilmeta.core.server.patterns import (
    as_patterns,
    connect_patterns,
    patterns_of,
    view_class_of,
    views_of,
)
from utilmeta.core.setup.finish import compile_root
from utilmeta.utils.exceptions import ConfigError

# What Django's own resolver finds.
_DJANGO = frozenset({"urls", "view"})


class Mounts:
    """The applications beside the API, by route."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[Any, str]] = {}
        self._patterns: list[Any] | None = None

    def __bool__(self) -> bool:
        return bool(self._items)

    def add(self, app: object, route: str, *, serves_asgi: bool) -> None:
        """Take in an application.

        Args:
            app: an API class, a WSGI or ASGI application, a class-based view, or an object with
                Django `urls`.
            route: path below which it answers.
            serves_asgi: whether the service can carry ASGI applications.

        Raises:
            ConfigError: it is none of these, it cannot run here, or the route is taken.
        """
        kind = "api" if isinstance(app, type) and issubclass(app, API) else kind_of(app)
        if kind == "asgi" and not serves_asgi:
            raise ConfigError(
                f"service.mount({app!r}): an ASGI application cannot run in a WSGI server; choose "
                "an async backend, or serve it in a process of its own"
            )
        if route in self._items:
            raise ConfigError(f"service.mount(route=...): {route or '/'!r} is taken")
        if kind == "view":
            # What no view can be made of is told here.
            patterns_of(app)
        self._items[route] = (app, kind)

    def patterns(self) -> list[Any]:
        """Return Django URL patterns for views, and for what was mounted with `urls`.

        Raises:
            ConfigError: a view cannot be made of a class.
        """
        if self._patterns is None:
            self._patterns = [
                pattern
                for route, (app, kind) in self._items.items()
                if kind in _DJANGO
                for pattern in as_patterns(patterns_of(app), route, exact=kind == "view")
            ]
        return self._patterns

    def connect(self) -> None:
        """Put the patterns into the project's URLconf unless it includes them already.

        Raises:
            ConfigError: a view cannot be made of a class.
        """
        patterns = self.patterns()
        if patterns:
            connect_patterns(patterns, set(views_of(patterns)))

    def documents(self) -> Iterator[tuple[str, Any]]:
        """Yield route and maker of OpenAPI documents.

        Those of what has one, as FastAPI and NinjaAPI, and of views that an extension knows.
        """
        for route, (app, kind) in self._items.items():
            for name in ("openapi", "get_openapi_schema"):
                make = getattr(app, name, None)
                if callable(make) and not isinstance(app, type):
                    yield route, make
                    break
            else:
                if kind in _DJANGO:
                    yield from _document_of(app, route)

    def handlers(
        self, engine: Engine, hooks: Hooks, *, asynchronous: bool, backend: str
    ) -> Iterator[tuple[str, Handler]]:
        """Yield route and handler of what the adapter has to mount.

        Args:
            engine: the service's; its rules and lanes hold for what is mounted too.
            hooks: started before the first request.
            asynchronous: whether async endpoints can run.
            backend: name of the framework; Django's own resolver finds what has `urls`.

        Raises:
            ConfigError: a mounted API is declared wrongly, or is async on a sync service.
        """
        for route, (app, kind) in self._items.items():
            if kind == "api":
                compiled = compile_root(app, engine.rules.compiling)
                check_async(compiled.operations, asynchronous=asynchronous, backend=backend)
                yield route, engine.with_operations(compiled.operations, compiled.fallback)
            elif kind == "asgi":
                yield route, ASGIMount(app, hooks)
            elif kind == "wsgi":
                yield route, WSGIMount(app, hooks, engine.rules.lanes)
            elif backend != "django":
                # Views, too, are found by Django's own resolver.
                from django.core.handlers.wsgi import WSGIHandler

                yield route, WSGIMount(WSGIHandler(), hooks, engine.rules.lanes, whole=True)


def _document_of(app: Any, route: str) -> Iterator[tuple[str, Any]]:
    """Yield route and maker of the document of views that an extension knows."""
    patterns = patterns_of(app)
    if isinstance(patterns, tuple):
        patterns = patterns[0]
    found = (extension_for(view_class_of(view)) for view in views_of(patterns))
    extension = next((item for item in found if item is not None), None)
    if extension is not None:
        yield route, partial(extension.document, list(patterns), route.strip("/"))


def check_async(operations: list[Operation], *, asynchronous: bool, backend: str) -> None:
    """Refuse async endpoints on a sync service.

    Raises:
        ConfigError: there are some; names them.
    """
    found = [operation.where for operation in operations if operation.is_async]
    if found and not asynchronous:
        raise ConfigError(
            f"{', '.join(found)}: async endpoints on a sync service; write plain functions, or "
            f"give UtilMeta(asynchronous=True), or choose another backend than {backend!r}"
        )
