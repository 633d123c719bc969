"""Starlette: the handler answers what the application's own routes do not."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any, ClassVar

from starlette.applications import Starlette

from utilmeta.core.server.contract import Adapter, Frame, Handler, RunOptions
from utilmeta.core.server.gateways.endpoints import ASGIEntrance, Fallback
from utilmeta.core.server.gateways.entrance import Watch, literal_of
from utilmeta.core.server.gateways.observed import ObservedASGI
from utilmeta.core.server.gateways.uvicorn import run_uvicorn

# Where the classes are from that do nothing of a project's own.
_STOCK = ("starlette.", "fastapi.")


class StarletteAdapter(Adapter):
    """Serves behind the application's middleware, after its own routes."""

    name = "starlette"
    package = "starlette"
    asynchronous: ClassVar[bool] = True
    native_lifespan = True
    requirement = "utilmeta[starlette]"
    app: Starlette

    def __init__(self, frame: Frame, app: Any = None) -> None:
        super().__init__(frame, app or self.make(frame))
        if frame.production:
            self.app.debug = False
        self._fallback: Fallback | None = None

    @staticmethod
    def make(frame: Frame) -> Starlette:
        """Return a new application."""
        return Starlette(debug=not frame.production)

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a Starlette application."""
        return isinstance(app, Starlette)

    def mount(self, route: str, handler: Handler) -> None:
        """Answer below the route what the application's own routes leave."""
        self._wire().add(route, handler)

    def adapt(self, route: str, handler: Handler) -> Starlette:
        """Mount the handler and return the application."""
        self.mount(route, handler)
        return self.app

    def _wire(self) -> Fallback:
        """Put the fallback and the service's hooks into the application, once."""
        if self._fallback is not None:
            return self._fallback
        router = self.app.router
        fallback = self._fallback = Fallback(router.default)
        router.default = fallback
        self._open_entrance(fallback)
        inner: Callable[[Any], AbstractAsyncContextManager[Any]] = router.lifespan_context
        hooks = self.frame.hooks

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[Any]:
            await hooks.start_or_raise()
            try:
                async with inner(app) as state:
                    yield state
            finally:
                await hooks.astop()

        router.lifespan_context = lifespan
        return fallback

    def _open_entrance(self, fallback: Fallback) -> None:
        """Let requests be answered before the application's stack where that changes nothing."""
        app, router = self.app, self.app.router
        build = app.build_middleware_stack
        self._is_own_stack = "build_middleware_stack" in vars(app)
        watch = self._watch = Watch(
            lambda: (
                tuple(router.routes),
                tuple(app.user_middleware),
                tuple(app.exception_handlers),
                getattr(app, "max_body_size", None),
                router.default,
                router.middleware_stack,
            ),
            lambda: self._way(fallback),
        )

        def build_stack() -> Any:
            stack = ASGIEntrance(build(), fallback.routes, watch, router)
            observer = self.frame.observer()
            return stack if observer is None else ObservedASGI(stack, observer)

        app.build_middleware_stack = build_stack  # type: ignore[method-assign]

    def _way(self, fallback: Fallback) -> str | None:
        """Return why requests go through the application's stack; None when they need not."""
        app, router = self.app, self.app.router
        if app.user_middleware:
            return f"middleware {getattr(app.user_middleware[0].cls, '__name__', '')}"
        if getattr(app, "max_body_size", None) is not None:
            return "max_body_size of the application"
        if Exception in app.exception_handlers or 500 in app.exception_handlers:
            return "a handler of all exceptions"
        builder = type(app).build_middleware_stack.__module__
        is_stock = builder.startswith(_STOCK) and type(router).__module__.startswith(_STOCK)
        if self._is_own_stack or not is_stock:
            return "a stack, or a router, of the application's own"
        if router.default is not fallback or router.middleware_stack != router.app:
            return "another default, or middleware, of the router"
        for route in router.routes:
            path = getattr(route, "path", None)
            if path is None or fallback.routes.crossed_by(literal_of(path, "{")):
                return f"the application's own route {path or type(route).__name__}"
        return None

    def entrance(self) -> str | None:
        """Return why requests go through the application's stack; None when they need not."""
        self._wire()
        return self._watch.reason()

    def application(self) -> Starlette:
        """Return the application."""
        self._wire()
        return self.app

    def run(self, options: RunOptions) -> None:
        """Serve with uvicorn."""
        run_uvicorn(options.app, options, self.frame)

    def version(self) -> str:
        """Return the framework's version."""
        return version(self.package)


ADAPTER = StarletteAdapter
