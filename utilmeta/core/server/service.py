"""The service: what a team declares once and serves on any of the six frameworks."""

import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from utilmeta.conf import Config, Preference, Time, current
from utilmeta.conf.project import project_dir
from utilmeta.core.api import API
from utilmeta.core.api.compile import compile_api
from utilmeta.core.api.operation import Operation
from utilmeta.core.orm.databases import DatabaseConnections
from utilmeta.core.request import RequestRules
from utilmeta.core.response.encode import make_encoder
from utilmeta.core.server.contract import Adapter, Frame, Handler, RunOptions
from utilmeta.core.server.engine import Engine, EngineRules
from utilmeta.core.server.engine.lanes import LanePool
from utilmeta.core.server.identity import (
    check_listen,
    check_name,
    check_origin,
    check_route,
    spell_version,
)
from utilmeta.core.server.lifecycle import Lifecycle
from utilmeta.core.server.mount import ASGIMount, WSGIMount, as_patterns, kind_of
from utilmeta.core.server.registry import find_adapter
from utilmeta.core.server.runner import check_port, is_reloader_child, print_banner, url_of
from utilmeta.core.setup import bootstrap
from utilmeta.core.setup.compose import Composed, compose
from utilmeta.core.setup.finish import finish
from utilmeta.core.setup.merge import Merged
from utilmeta.core.setup.options import DjangoSettings
from utilmeta.utils.exceptions import ConfigError

C = TypeVar("C", bound=Config)
F = TypeVar("F", bound=Callable[..., Any])


class UtilMeta:
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
        self.production = production
        check_listen(host, port, scheme)
        self.host = host
        self.scheme = scheme
        self.origin = check_origin(origin)
        self.version = spell_version(version)
        self.route = check_route(route)
        self.auto_reload = bool(auto_reload)
        self.api = _check_api(api)
        adapter, app = find_adapter(backend)
        self.asynchronous = _check_mode(adapter, app, asynchronous)
        self.port = adapter.default_port if port is None else port
        self.project_dir: Path = project_dir(module_name)
        self.lifecycle = Lifecycle()
        self.composed: Composed | None = None
        self.settings: Merged | None = None
        self._adapter_class, self._app = adapter, app
        self._adapter: Adapter | None = None
        self._application: Any = None
        self._configs: dict[type[Config], Config] = {}
        self._mounts: list[tuple[str, object, str]] = []
        self._engine: Engine | None = None
        self._lock = threading.RLock()
        self._setting_up = False
        self._mounted = False
        current.register(self)
        _alias_main(module_name)

    def __repr__(self) -> str:
        return f"<UtilMeta {self.name!r} on {self.backend_name}>"

    @property
    def backend_name(self) -> str:
        """Name of the framework."""
        return self._adapter_class.name

    # -- configuration -------------------------------------------------------------------------

    def use(self, config: Config | type[Config]) -> "UtilMeta":
        """Take in a configuration, and return the service.

        Args:
            config: an instance, or a class that needs no arguments.

        Raises:
            ConfigError: there is one of its type already, or `setup` has run.
        """
        instance = config() if isinstance(config, type) and issubclass(config, Config) else config
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

    def get_config(self, kind: type[C]) -> C | None:
        """Return the configuration of a type, None when none was given."""
        return cast("C | None", self._configs.get(kind))

    def on_startup(self, function: F) -> F:
        """Run a function in each serving process, once, before its first answer.

        Args:
            function: takes nothing; may be async on an async service.
        """
        self.lifecycle.startup.append(_check_hook("on_startup", function))
        return function

    def on_shutdown(self, function: F) -> F:
        """Run a function when a serving process ends; the last registered runs first.

        Args:
            function: takes nothing; may be async on an async service.
        """
        self.lifecycle.shutdown.append(_check_hook("on_shutdown", function))
        return function

    def mount(self, app: object, route: str) -> "UtilMeta":
        """Put another application beside the API, and return the service.

        Args:
            app: an API class, a WSGI application, an ASGI application (async services), or an object whose `urls`
                are Django's: a DRF router, a NinjaAPI, `admin.site`.
            route: path below which it answers.

        Raises:
            ConfigError: it is none of these, it cannot run here, the route is taken, or the
                application has been made.
        """
        where = "service.mount(route=...)"
        path = check_route(route, where=where)
        kind = "api" if isinstance(app, type) and issubclass(app, API) else kind_of(app)
        if self._mounted:
            raise ConfigError(f"service.mount({app!r}): mount it before application() or run()")
        if kind == "asgi" and (not self.asynchronous or self.backend_name == "flask"):
            raise ConfigError(
                f"service.mount({app!r}): an ASGI application cannot run in the WSGI server of "
                f"{self.backend_name}; choose an async backend, or serve it in a process of its own"
            )
        if any(path == taken for taken, _, _ in self._mounts) or (path == self.route and self.api):
            raise ConfigError(f"{where}: {path or '/'!r} is taken")
        self._mounts.append((path, app, kind))
        return self

    # -- set-up --------------------------------------------------------------------------------

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
        self.composed = compose(self, self._configs.values(), origin=self.origin)
        self.settings = bootstrap.apply(
            self.composed,
            module_name=options.module_name if options else None,
            production=self.production,
        )
        for config in self._configs.values():
            config.setup(self)
        operations = finish(self.api)
        self._check_async(operations)
        self.lifecycle.check(asynchronous=self.asynchronous)
        preference = self.get_config(Preference) or Preference()
        lanes = LanePool(preference.lanes)
        self._join_lifecycle(lanes)
        rules = EngineRules(
            request=RequestRules.of(preference),
            encode=make_encoder(self.get_config(Time)),
            lanes=lanes,
            debug=bootstrap.is_debug() and not self.production,
            start=self.lifecycle.start,
            astart=self.lifecycle.astart,
        )
        self._engine = Engine(operations, rules)

    def _check_async(self, operations: list[Operation]) -> None:
        found = [operation.where for operation in operations if operation.is_async]
        if found and not self.asynchronous:
            raise ConfigError(
                f"{', '.join(found)}: async endpoints on a sync service; write plain functions, or "
                f"give UtilMeta(asynchronous=True), or choose an async backend than "
                f"{self.backend_name!r}"
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
    def adapter(self) -> Adapter:
        """Our code for the framework, made when first asked for."""
        if self._adapter is None:
            self._adapter = self._make_adapter(self._adapter_class, self._app, self.asynchronous)
        return self._adapter

    def _make_adapter(self, kind: type[Adapter], app: object | None, asynchronous: bool) -> Adapter:
        return kind(
            Frame(
                name=self.name,
                module_name=self.module_name,
                production=self.production,
                asynchronous=asynchronous,
                has_databases=DatabaseConnections in self._configs,
                hooks=self.lifecycle,
                patterns=self._django_patterns,
            ),
            app,
        )

    def _django_patterns(self) -> list[Any]:
        found = []
        for route, app, kind in self._mounts:
            if kind == "urls":
                urls: Any = app
                found += as_patterns(urls.urls, route)
        return found

    @property
    def urlpatterns(self) -> list[Any]:
        """Django URL patterns of the API (for Django) and of what was mounted with `urls`."""
        self._mount_all()
        return [*getattr(self.adapter, "urlpatterns", ()), *self._django_patterns()]

    # -- serving -------------------------------------------------------------------------------

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
            for route, app, kind in self._mounts:
                handler = self._mount_handler(app, kind, engine)
                if handler is not None:
                    self.adapter.mount(route, handler)
            if engine.operations or not self._mounts:
                self.adapter.mount(self.route, engine)
            self._mounted = True

    def _mount_handler(self, app: Any, kind: str, engine: Engine) -> Handler | None:
        lanes = engine.rules.lanes
        if kind == "api":
            operations = compile_api(app)
            self._check_async(operations)
            return engine.with_operations(operations)
        if kind == "asgi":
            return ASGIMount(app, self.lifecycle)
        if kind == "wsgi":
            return WSGIMount(app, self.lifecycle, lanes)
        if self.backend_name == "django":
            # Django's own resolver finds these; they are among the patterns.
            return None
        from django.core.handlers.wsgi import WSGIHandler

        return WSGIMount(WSGIHandler(), self.lifecycle, lanes, whole=True)

    def adapt(self, route: str | None = None) -> Any:
        """Put the API into an existing project of the backend.

        Args:
            route: path below which it answers; None takes the service's.

        Returns:
            For Django a URL pattern, for Tornado without an application a routing rule, otherwise
            the application, in which the API is now registered.
        """
        path = self.route if route is None else check_route(route, where="service.adapt(route=...)")
        return self.adapter.adapt(path, self.engine)

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
        operations = compile_api(api)
        mode = _check_mode(adapter, app, asynchronous)
        same = adapter is service._adapter_class and mode == service.asynchronous
        if same and app is service._app:
            chosen = service.adapter
        else:
            chosen = service._make_adapter(adapter, app, mode)
        return chosen.adapt(path, service.engine.with_operations(operations))

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
        host, port = kwargs.pop("host", self.host), kwargs.pop("port", self.port)
        auto_reload = bool(kwargs.pop("auto_reload", self.auto_reload))
        check_listen(host, port, self.scheme)
        app = self.application()
        child = auto_reload and is_reloader_child()
        if not child:
            check_port(host, port)
        if not self.adapter.native_lifespan and child == auto_reload:
            self.lifecycle.start_now()

        def banner() -> None:
            if not child:
                mode = "production" if self.production else "development"
                print_banner(
                    self.title,
                    self.version,
                    f"{self.backend_name} {self.adapter.version()}",
                    f"{mode}, {'async' if self.asynchronous else 'sync'}",
                    url_of(self.scheme, host, port, self.route),
                )

        self.adapter.run(
            RunOptions(
                app=app, host=host, port=port, auto_reload=auto_reload, banner=banner, extra=kwargs
            )
        )


def _check_api(api: object) -> type[API] | str | None:
    if api is None or isinstance(api, str) or (isinstance(api, type) and issubclass(api, API)):
        return api
    raise ConfigError(
        f"UtilMeta(api={api!r}): expected a subclass of api.API, or a reference such as "
        "'service.api.RootAPI'"
    )


def _check_mode(adapter: type[Adapter], app: object, asynchronous: bool | None) -> bool:
    if asynchronous is None:
        return adapter.asynchronous if app is None else adapter.mode_of(app)
    if not asynchronous and adapter.asynchronous:
        raise ConfigError(
            f"UtilMeta(asynchronous=False): {adapter.name} serves on an event loop; leave it out "
            "(sync endpoints run on worker threads), or choose django or flask"
        )
    return asynchronous


def _check_hook(name: str, function: F) -> F:
    if not callable(function):
        raise ConfigError(f"@service.{name}: {function!r} is no function")
    return function


def _alias_main(module_name: str) -> None:
    """Let `import server` give the running module when `server.py` is run as a script.

    Processes that multiprocessing spawns run the script as `__mp_main__`. Otherwise a reference such as `server.RootAPI` would run the file, and make the service, twice.
    """
    main = sys.modules.get(module_name)
    file = getattr(main, "__file__", None)
    is_script = module_name in {"__main__", "__mp_main__"}
    if is_script and file and getattr(main, "__spec__", None) is None:
        sys.modules.setdefault(Path(file).stem, cast("Any", main))
