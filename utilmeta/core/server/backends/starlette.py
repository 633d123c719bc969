"""Starlette: the handler answers what the application's own routes do not."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from utilmeta.core.server.contract import Adapter, Frame, Handler, RunOptions
from utilmeta.core.server.gateways.asgi import ASGIEndpoint
from utilmeta.core.server.gateways.uvicorn import run_uvicorn


class Fallback:
    """What a router answers with when none of its own routes does.

    Args:
        default: the router's answer until now.
    """

    def __init__(self, default: ASGIApp) -> None:
        self._default = default
        self.endpoints: list[tuple[str, ASGIEndpoint]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the endpoint with the longest route that fits."""
        path: str = scope["path"]
        path = path.removeprefix(scope.get("root_path") or "")
        for route, endpoint in self.endpoints:
            if not route or path == route or path.startswith(route + "/"):
                await endpoint(scope, receive, send)
                return
        await self._default(scope, receive, send)


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
        fallback = self._wire()
        fallback.endpoints.append((route, ASGIEndpoint(handler, route)))
        fallback.endpoints.sort(key=lambda pair: -len(pair[0]))

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

    def application(self) -> Starlette:
        """Return the application."""
        self._wire()
        return self.app

    def run(self, options: RunOptions) -> None:
        """Serve with uvicorn."""
        run_uvicorn(options.app, options, module_name=self.frame.module_name)

    def version(self) -> str:
        """Return the framework's version."""
        return version(self.package)


ADAPTER = StarletteAdapter
