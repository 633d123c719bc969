"""What adapters, engine and service promise each other."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from utilmeta.core.request import RawRequest
from utilmeta.core.request.socket import RawSocket
from utilmeta.core.response import RawResponse

# Seconds in which the requests of connections that were just accepted arrive.
SETTLE = 0.2
# Seconds that requests in flight are given when the process is told to end.
DRAIN = 30.0


class Handler(Protocol):
    """Anything that answers raw requests below a route: the engine, or a mounted application."""

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; for sync servers."""

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the async twin of `handle`."""

    async def asocket(self, raw: RawRequest, socket: RawSocket) -> None:
        """Carry on a WebSocket to its end, or refuse it."""


class Hooks(Protocol):
    """The start and the end of a serving process.

    Attributes:
        started: whether this process has run the start-up hooks.
    """

    started: bool

    @property
    def is_draining(self) -> bool:
        """Whether this process, or the whole service, was told to end."""

    def drain(self) -> None:
        """Turn readiness false, as the process is going to end."""

    def start(self) -> None:
        """Run the start-up hooks, unless this process has run them."""

    async def astart(self) -> None:
        """Run the start-up hooks; the async twin of `start`."""

    async def start_or_raise(self) -> None:
        """Run the start-up hooks for a server that ends the process when one fails."""

    def stop(self) -> None:
        """Run the shutdown hooks, if this process has started."""

    async def astop(self) -> None:
        """Run the shutdown hooks; the async twin of `stop`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an adapter is told of the service.

    Attributes:
        name: name of the service.
        module_name: import name of the module that made it.
        production: whether debug features are off.
        asynchronous: whether requests are answered on an event loop.
        has_databases: whether the user declared databases.
        grace: seconds between the end of readiness and the first refused request.
        hooks: start and end of a serving process.
        patterns: makes Django URL patterns of the objects that were mounted with `urls`.
        observer: returns what watches requests; None when nobody does.
        has_access_log: whether the service writes a line for each request itself.
        keeps_logging: whether logging is configured, so that servers leave it alone.
        has_traces: whether requests are traced, so that frameworks need not do so.
    """

    name: str
    module_name: str
    production: bool
    asynchronous: bool
    has_databases: bool
    grace: float
    hooks: Hooks
    patterns: Callable[[], list[Any]]
    observer: Callable[[], Any]
    has_access_log: bool = False
    keeps_logging: bool = False
    has_traces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How `service.run()` is to listen.

    Attributes:
        app: the application, as `application()` returned it.
        host: address to listen on.
        port: port to listen on.
        auto_reload: whether to restart when a source file changes.
        banner: prints the line that names the service and its URL.
        listening: a socket that listens already, as a supervisor gives; None for none.
        extra: handed to the framework's runner as they are.
    """

    app: Any
    host: str
    port: int
    auto_reload: bool
    banner: Callable[[], None]
    listening: socket.socket | None
    extra: dict[str, Any]


class Adapter(ABC):
    """Our code for one framework.

    Args:
        frame: what it is told of the service.
        app: the user's application object; None makes one.

    Attributes:
        name: name of the framework, as in `backend='flask'`.
        package: import name of the framework.
        asynchronous: whether it serves on an event loop unless told otherwise.
        native_lifespan: whether its server, or `run`, starts and stops the hooks.
        has_sockets: whether it carries WebSockets, when it serves on an event loop.
        adapts_sockets: whether they reach a handler that was put into an existing project.
        default_port: port of `service.run()`.
        requirement: what to hand to pip when the framework is missing.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    asynchronous: ClassVar[bool]
    native_lifespan: bool = False
    has_sockets: ClassVar[bool] = True
    adapts_sockets: ClassVar[bool] = True
    default_port: ClassVar[int] = 8000
    requirement: ClassVar[str]

    def __init__(self, frame: Frame, app: Any = None) -> None:
        self.frame = frame
        self.app = app

    @classmethod
    @abstractmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is an application of this framework."""

    @classmethod
    def mode_of(cls, _app: object) -> bool:
        """Return whether an application object serves on an event loop."""
        return cls.asynchronous

    @abstractmethod
    def mount(self, route: str, handler: Handler) -> None:
        """Make a handler answer below a route, after the application's own routes."""

    @abstractmethod
    def adapt(self, route: str, handler: Handler) -> Any:
        """Put a handler into an existing project and return what its author needs for it."""

    @abstractmethod
    def application(self) -> Any:
        """Return the application; called once."""

    @abstractmethod
    def run(self, options: RunOptions) -> None:
        """Serve until the process is told to end."""

    def entrance(self) -> str | None:
        """Return why requests go the framework's way; None when they are answered before it."""
        return "this framework has no other way"

    def caller(self, _app: Any) -> Any:
        """Return what calls the application without a socket; None for one of WSGI or ASGI."""
        return None

    def prepare_tests(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Let several applications start in one process, as only tests do."""

    @abstractmethod
    def version(self) -> str:
        """Return the framework's version."""


def depth_of(route: str) -> int:
    """Return the number of segments of a route, which starts with `/` or is empty."""
    return route.count("/")
