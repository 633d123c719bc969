"""What a service is declared with: its facts, configurations and hooks."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from utilmeta.conf import Config, current
from utilmeta.conf.project import project_dir
from utilmeta.conf.serving import Serving
from utilmeta.core.api import API
from utilmeta.core.server.contract import Adapter, Handler
from utilmeta.core.server.engine import Engine
from utilmeta.core.server.identity import (
    alias_main,
    check_api,
    check_hook,
    check_listen,
    check_name,
    check_origin,
    check_route,
    spell_version,
)
from utilmeta.core.server.lifecycle import Lifecycle
from utilmeta.core.server.mounts import Mounts
from utilmeta.core.server.observe import Observer
from utilmeta.core.server.observe.make import observed
from utilmeta.core.server.registry import check_mode, find_adapter
from utilmeta.core.setup import bootstrap
from utilmeta.core.setup.compose import Composed
from utilmeta.core.setup.merge import Merged
from utilmeta.utils.exceptions import ConfigError

C = TypeVar("C", bound=Config)
F = TypeVar("F", bound=Callable[..., Any])


class Declaration:
    """The part of a service that is told before it is set up; see `UtilMeta` for the arguments."""

    def __init__(
        self,
        module_name: str,
        *,
        backend: object,
        name: str | None = None,
        title: str | None = None,
        description: str = "",
        production: bool = False,
        host: str = "127.0.0.1",
        port: int | None = None,
        scheme: str = "http",
        origin: str | None = None,
        version: str | tuple[int | str, ...] = "0.1.0",
        asynchronous: bool | None = None,
        api: type[API] | str | None = None,
        route: str = "/",
        auto_reload: bool | None = None,
    ) -> None:
        self.module_name = module_name
        self.name = check_name(name, module_name)
        self.title = title or self.name
        self.description = description
        if not isinstance(production, bool):
            raise ConfigError(f"UtilMeta(production={production!r}): expected True or False")
        self.production = production
        check_listen(host, port, scheme)
        self.host = host
        self.scheme = scheme
        self.origin = check_origin(origin)
        self.version = spell_version(version)
        self.route = check_route(route)
        self.auto_reload = bool(auto_reload)
        self.api = check_api(api)
        adapter, app = find_adapter(backend)
        self.asynchronous = check_mode(adapter, app, asynchronous)
        self.port = adapter.default_port if port is None else port
        self.project_dir: Path = project_dir(module_name)
        self.lifecycle = Lifecycle()
        self.serving = Serving(asynchronous=self.asynchronous)
        self.composed: Composed | None = None
        self.settings: Merged | None = None
        self._adapter_class, self._app = adapter, app
        self._adapter: Adapter | None = None
        self._application: Any = None
        self._configs: dict[type[Config], Config] = {}
        self._mounts = Mounts()
        self._engine: Engine | None = None
        self._observer: Observer | None = None
        self._lock = threading.RLock()
        self._setting_up = False
        self._mounted = False
        self._openapi: Any = None
        # Whether it only stands for an API in another project, which has settings of its own.
        self._is_guest = False
        current.register(self)
        alias_main(module_name)

    def __repr__(self) -> str:
        return f"<UtilMeta {self.name!r} on {self.backend_name}>"

    @property
    def backend_name(self) -> str:
        """Name of the framework."""
        return self._adapter_class.name

    @property
    def _has_sockets(self) -> bool:
        """Whether WebSockets reach the API: not through an application object of Django's own."""
        kind = self._adapter_class
        return kind.has_sockets and (self._app is None or kind.adapts_sockets)

    def use(self, config: Config | type[Config]) -> Self:
        """Take in a configuration, and return the service.

        Args:
            config: an instance, or a class that needs no arguments.

        Raises:
            ConfigError: there is one of its type already, or `setup` has run.
        """
        instance: object = config
        if isinstance(config, type) and issubclass(config, Config):
            try:
                instance = config()
            except TypeError as exc:
                raise ConfigError(
                    f"service.use({config.__name__}): the class needs arguments ({exc}); give an "
                    "instance"
                ) from exc
        if not isinstance(instance, Config):
            raise ConfigError(
                f"service.use({config!r}): expected a configuration such as Time(time_zone='UTC')"
            )
        kind = type(instance)
        if self._engine is not None or self._setting_up:
            raise ConfigError(
                f"service.use({kind.__name__}(...)): the service is set up already; use it before "
                "setup(), application() or run()"
            )
        if kind in self._configs:
            raise ConfigError(
                f"service.use({kind.__name__}(...)): there is one already; put both into one"
            )
        self._configs[kind] = instance
        return self

    def mount(self, app: object, route: str) -> Self:
        """Put another application beside the API, and return the service.

        Args:
            app: an API class, a WSGI application, an ASGI application (async services), a
                class-based view of Django's or DRF's, URL patterns, or an object whose `urls` are
                Django's: a DRF router, a NinjaAPI, `admin.site`.
            route: path below which it answers.

        Raises:
            ConfigError: it is none of these, it cannot run here, the route is taken, or the
                application has been made.
        """
        path = check_route(route, where="service.mount(route=...)")
        if self._mounted:
            raise ConfigError(f"service.mount({app!r}): mount it before application() or run()")
        if path == self.route and self.api is not None:
            raise ConfigError(f"service.mount(route=...): {path or '/'!r} is the API's")
        self._mounts.add(app, path, serves_asgi=self.asynchronous and self.backend_name != "flask")
        return self

    def get_config(self, kind: type[C]) -> C | None:
        """Return the configuration of a type, None when none was given."""
        return cast("C | None", self._configs.get(kind))

    @property
    def observer(self) -> Observer | None:
        """What watches requests; None when nobody does."""
        return self._observer

    def _watched(self, route: str, handler: Handler) -> Handler:
        """Return a handler for a route, watched where somebody asked for it."""
        return observed(handler, route, self._observer)

    def expect_threads(self) -> None:
        """Prepare for a server that makes a thread for each request, as development servers do."""
        self.serving = replace(self.serving, makes_threads=True)
        if self.composed is not None:
            bootstrap.keep_no_connections(self.composed)

    def on_startup(self, function: F) -> F:
        """Run a function in each serving process, once, before its first answer.

        Args:
            function: takes nothing; may be async on an async service.
        """
        self.lifecycle.startup.append(check_hook("on_startup", function))
        return function

    def on_shutdown(self, function: F) -> F:
        """Run a function when a serving process ends; the last registered runs first.

        Args:
            function: takes nothing; may be async on an async service.
        """
        self.lifecycle.shutdown.append(check_hook("on_shutdown", function))
        return function
