"""The service: what a team declares once and serves on any of the six frameworks."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from utilmeta.conf import Config, Health, Logging, Preference, Time, Tracing, current
from utilmeta.core.api import API
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.api.specs.docs import make_docs_api
from utilmeta.core.api.specs.openapi import OpenAPI
from utilmeta.core.orm.connections.databases import DatabaseConnections
from utilmeta.core.request import RequestRules
from utilmeta.core.response.encode import make_encoder
from utilmeta.core.server.contract import Adapter, Frame, Handler
from utilmeta.core.server.declaration import Declaration
from utilmeta.core.server.engine import Engine, EngineRules
from utilmeta.core.server.engine.hosts import Hosts
from utilmeta.core.server.engine.hygiene import forget_in_children
from utilmeta.core.server.engine.lanes import LanePool
from utilmeta.core.server.identity import (
    check_route,
)
from utilmeta.core.server.mounts import check_async
from utilmeta.core.server.observe.make import make_observer, numbers_of
from utilmeta.core.server.own import own_handlers
from utilmeta.core.server.registry import check_mode, find_adapter
from utilmeta.core.server.runner import serve
from utilmeta.core.setup import bootstrap
from utilmeta.core.setup.compose import compose
from utilmeta.core.setup.finish import compile_root, finish
from utilmeta.core.setup.options import DjangoSettings
from utilmeta.core.setup.sized import serving_of
from utilmeta.utils.exceptions import ConfigError

C = TypeVar("C", bound=Config)
F = TypeVar("F", bound=Callable[..., Any])


class UtilMeta(Declaration):
    """A service: an API, its configuration and the framework that serves it; one per process.

    Args:
        module_name: `__name__` of the module that makes it.
        backend: the framework: its module, its name (`django flask starlette fastapi sanic
            tornado`), or an application object of it, which is then used as it is.
        name: letters, digits, `_` and `-`; None takes the module's name.
        title: name for people; None takes `name`.
        description: what the service is for.
        production: whether debug features are off and a secret key is required.
        host: address `run` listens on.
        port: port `run` listens on; None means 5000 for Flask and 8000 for the others.
        scheme: `http` or `https`, for URLs shown to people.
        origin: public URL of the service, such as `https://api.example.com`.
        version: `'1.0.2'` or `(1, 0, 2)`.
        asynchronous: whether endpoints run on an event loop; None means the framework's nature.
        api: the root API class, or a reference such as `'service.api.RootAPI'`, which is imported
            by `setup`.
        route: path below which the API answers.
        auto_reload: whether `run` restarts when a source file changes; None means no.

    Raises:
        ConfigError: an argument is wrong, or the process has a service already.
        DependencyNotInstalled: the framework is missing.
    """

    def setup(self) -> "UtilMeta":
        """Put the configuration in force, set Django up and compile the API, once.

        Afterwards Django models may be imported.

        Raises:
            ConfigError: a configuration or a declaration is wrong.
        """
        with self._lock:
            if self._engine is not None or self._setting_up:
                return self
            self._setting_up = True
            try:
                self._set_up()
            finally:
                self._setting_up = False
        return self

    def _set_up(self) -> None:
        options = self.get_config(DjangoSettings)
        preference = self.get_config(Preference) or Preference()
        self.serving = serving_of(self)
        self.composed = compose(
            self, self._configs.values(), origin=self.origin, serving=self.serving
        )
        self.settings = bootstrap.apply(
            self.composed,
            module_name=options.module_name if options else None,
            production=self.production,
        )
        # Checks know the service, not the other way round; Django finds them by registration.
        import_module("utilmeta.checks").register_checks()
        for config in self._configs.values():
            config.setup(self)
        forget_in_children()
        lanes = LanePool(self.serving.lanes)
        rules = self._engine_rules(lanes, preference)
        compiled = finish(self.api, rules.compiling, self._docs_api(preference))
        check_async(compiled.operations, asynchronous=self.asynchronous, backend=self.backend_name)
        self.lifecycle.check(asynchronous=self.asynchronous)
        self._join_lifecycle(lanes)
        self._observer = make_observer(self, rules.request)
        numbers = numbers_of(self._observer)
        if numbers is not None:
            self.lifecycle.startup.insert(0, numbers.start)
            self.lifecycle.shutdown.insert(0, numbers.stop)
        self._engine = Engine(compiled.operations, rules, compiled.fallback)

    def _docs_api(self, preference: Preference) -> type[API] | None:
        shows_pages = not self.production if preference.docs is None else preference.docs
        if preference.docs is False:
            return None
        return make_docs_api(self.openapi, ui=shows_pages)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document of the API, made once.

        Raises:
            ConfigError: two operations share an id, two types a name, or a document of something
                mounted cannot be joined.
        """
        if self._openapi is None:
            self._openapi = OpenAPI(self)
        document: dict[str, Any] = self._openapi()
        return document

    def external_documents(self) -> list[tuple[str, Any]]:
        """Return the OpenAPI documents of what is mounted beside the API, by route."""
        preference = self.get_config(Preference) or Preference()
        given = {check_route(route): source for route, source in preference.external_docs.items()}
        return list({**dict(self._mounts.documents()), **given}.items())

    def _engine_rules(self, lanes: LanePool, preference: Preference) -> EngineRules:
        debug = bootstrap.is_debug() and not self.production
        return EngineRules(
            request=RequestRules.of(preference, production=self.production),
            compiling=CompileRules(
                encode=make_encoder(self.get_config(Time)),
                asynchronous=self.asynchronous,
                backend=self.backend_name,
                production=self.production,
                debug=debug,
                has_sockets=self._has_sockets,
            ),
            hosts=Hosts(["*"] if self._is_guest else bootstrap.allowed_hosts()),
            lanes=lanes,
            debug=debug,
            hooks=self.lifecycle,
        )

    def _join_lifecycle(self, lanes: LanePool) -> None:
        """Put the configurations' own hooks before the user's, and lanes after everything."""
        configs = list(self._configs.values())
        self.lifecycle.startup[:0] = [partial(config.on_startup, self) for config in configs]
        stops = [partial(config.on_shutdown, self) for config in configs]
        self.lifecycle.shutdown[:0] = [lanes.close, *stops]

    @property
    def engine(self) -> Engine:
        """The engine; sets the service up when that has not been done."""
        self.setup()
        assert self._engine is not None or self._setting_up  # noqa: S101 - set by setup
        if self._engine is None:
            raise ConfigError("the service is being set up; its engine is not there yet")
        return self._engine

    @property
    def handler(self) -> Handler:
        """What answers requests of the API: the engine, watched where somebody asked for it."""
        return self._watched(self.route, self.engine)

    @property
    def adapter(self) -> Adapter:
        """Our code for the framework, made when first asked for."""
        if self._adapter is None:
            self._adapter = self._make_adapter(self._adapter_class, self._app, self.asynchronous)
        return self._adapter

    def _make_adapter(self, kind: type[Adapter], app: object | None, asynchronous: bool) -> Adapter:
        logs = self.get_config(Logging)
        return kind(
            Frame(
                name=self.name,
                module_name=self.module_name,
                production=self.production,
                asynchronous=asynchronous,
                has_databases=DatabaseConnections in self._configs,
                grace=(self.get_config(Health) or Health()).grace_for(production=self.production),
                hooks=self.lifecycle,
                patterns=self._mounts.patterns,
                observer=lambda: self.observer,
                has_access_log=logs is not None and logs.access,
                keeps_logging=logs is not None,
                has_traces=self.get_config(Tracing) is not None,
            ),
            app,
        )

    @property
    def urlpatterns(self) -> list[Any]:
        """Django URL patterns of the API (for Django) and of what was mounted with `urls`."""
        self._mount_all()
        return [*getattr(self.adapter, "urlpatterns", ()), *self._mounts.patterns()]

    def application(self) -> Any:
        """Return the framework's application; the same object each time.

        Returns:
            `Flask`, `Starlette`, `FastAPI`, `Sanic`, `tornado.web.Application`, Django's
            `WSGIHandler`, or `ASGIHandler` for an async Django service.

        Raises:
            ConfigError: the service cannot be set up.
        """
        with self._lock:
            if self._application is None:
                self._mount_all()
                if self.backend_name != "django":
                    self._mounts.connect()
                self._application = self.adapter.application()
                if not self.asynchronous:
                    self.lifecycle.end_on_sigterm()
            return self._application

    def _mount_all(self) -> None:
        """Hand the API and what was mounted beside it to the adapter, once."""
        with self._lock:
            if self._mounted:
                return
            engine = self.engine
            handlers = self._mounts.handlers(
                engine,
                self.lifecycle,
                asynchronous=self.asynchronous,
                backend=self.backend_name,
            )
            for route, handler in [*own_handlers(self), *handlers]:
                self.adapter.mount(route, self._watched(route, handler))
            if engine.operations or not self._mounts:
                self.adapter.mount(self.route, self.handler)
            self._mounted = True

    def adapt(self, route: str | None = None) -> Any:
        """Put the API into an existing project of the backend.

        Args:
            route: path below which it answers; None takes the service's.

        Returns:
            For Django a URL pattern, for Tornado without an application a routing rule, otherwise
            the application, in which the API is now registered.
        """
        path = self.route if route is None else check_route(route, where="service.adapt(route=...)")
        sockets = [item.where for item in self.engine.operations if item.method == "WS"]
        if sockets and not self._adapter_class.adapts_sockets:
            raise ConfigError(
                f"service.adapt(): {', '.join(sockets)}: a URL pattern of {self.backend_name} sees "
                "no WebSockets; serve service.application()"
            )
        return self.adapter.adapt(path, self._watched(path, self.engine))

    @classmethod
    def adapt_api(
        cls,
        api: type[API],
        *,
        backend: object,
        route: str,
        asynchronous: bool | None = None,
    ) -> Any:
        """Put an API class into an existing project; see `API.__as__`.

        The running service's configuration is used; without one, a service of defaults is made.
        """
        path = check_route(route, where=f"{api.__name__}.__as__(route=...)")
        adapter, app = find_adapter(backend)
        service: UtilMeta | None = current.get()
        if service is None:
            service = cls(api.__module__, backend=backend, asynchronous=asynchronous)
            # The project it is put into decides which hosts it answers for.
            service._is_guest = True
        mode = check_mode(adapter, app, asynchronous)
        rules = replace(
            service.engine.rules.compiling,
            asynchronous=mode,
            backend=adapter.name,
            has_sockets=adapter.has_sockets and adapter.adapts_sockets,
        )
        compiled = compile_root(api, rules)
        check_async(compiled.operations, asynchronous=mode, backend=adapter.name)
        same = adapter is service._adapter_class and mode == service.asynchronous
        if same and app is service._app:
            chosen = service.adapter
        else:
            chosen = service._make_adapter(adapter, app, mode)
        engine = service.engine.with_operations(compiled.operations, compiled.fallback)
        return chosen.adapt(path, service._watched(path, engine))

    def start(self) -> None:
        """Run the start-up hooks now, unless this process has run them.

        For what serves a sync service, as soon as its process is there: without it they run before
        the first answer. Servers of async services ask for it themselves.
        """
        self.setup()
        self.lifecycle.start()

    def run(self, **kwargs: Any) -> None:
        """Serve until the process is told to end: what `python server.py` does.

        Django by `runserver` (an async service by uvicorn), Flask by its development server,
        Starlette and FastAPI by uvicorn, Sanic by its own server, Tornado on an event loop.

        Args:
            **kwargs: `host`, `port` and `auto_reload` in place of the service's; the rest is
                handed to the framework's runner as it is.

        Raises:
            ConfigError: the port is taken, or the service cannot be set up.
        """
        serve(self, kwargs)
