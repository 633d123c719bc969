"""What stands beside the API of a service, and how it is served."""

from collections.abc import Iterator
from typing import Any

from utilmeta.core.api import API
from utilmeta.core.api.operation import Operation
from utilmeta.core.server.contract import Handler, Hooks
from utilmeta.core.server.engine import Engine
from utilmeta.core.server.mount import ASGIMount, WSGIMount, as_patterns, kind_of
from utilmeta.core.setup.finish import compile_root
from utilmeta.utils.exceptions import ConfigError


class Mounts:
    """The applications beside the API, by route."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[Any, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._items)

    def add(self, app: object, route: str, *, serves_asgi: bool) -> None:
        """Take in an application.

        Args:
            app: an API class, a WSGI or ASGI application, or an object with Django `urls`.
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
        self._items[route] = (app, kind)

    def patterns(self) -> list[Any]:
        """Return Django URL patterns for what was mounted with `urls`."""
        return [
            pattern
            for route, (app, kind) in self._items.items()
            if kind == "urls"
            for pattern in as_patterns(app.urls, route)
        ]

    def documents(self) -> Iterator[tuple[str, Any]]:
        """Yield route and maker of OpenAPI documents, of what has one: FastAPI, NinjaAPI."""
        for route, (app, _) in self._items.items():
            for name in ("openapi", "get_openapi_schema"):
                make = getattr(app, name, None)
                if callable(make) and not isinstance(app, type):
                    yield route, make
                    break

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
                from django.core.handlers.wsgi import WSGIHandler

                yield route, WSGIMount(WSGIHandler(), hooks, engine.rules.lanes, whole=True)


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
