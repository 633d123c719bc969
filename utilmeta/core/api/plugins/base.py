"""The base of plugins: code around the endpoints of a class, or around one endpoint."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.api.declared import HOOK, PLUGINS, ROUTE
from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse, Response
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.api.errors import Error
    from utilmeta.core.api.operation import Operation
    from utilmeta.core.api.rules import CompileRules

T = TypeVar("T")

_METHODS = ("process_request", "process_response", "handle_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What an endpoint asks for, as its description tells it.

    Attributes:
        schemes: OpenAPI's security schemes by name; one of them has to be met.
        scopes: what the caller has to be allowed.
        optional: whether it answers without any.
    """

    schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    optional: bool = False


class Plugin:
    """Code around endpoints: an instance decorates an API class or an endpoint.

    On the way in, plugins run before anything is read from the request, outer ones first; on the
    way out inner ones first. One instance serves all requests. The methods may be `async def` on
    async services. A class's plugins hold for everything below it, and for what it answers to
    unknown paths when it is the root.

    Attributes:
        blocking: whether its sync methods may take a while, so that async services run them on the
            request's worker thread.
    """

    blocking: ClassVar[bool] = True
    # What it limits: seconds of an endpoint's run, bytes of a body.
    timeout: float | None = None
    max_bytes: int | None = None
    # Whether it sees requests only once it is known who sent them.
    after_authentication: bool = False
    # Whether it sees only what rules have let in, as it may answer in an endpoint's place.
    after_rules: bool = False
    # Whether it finds out who sent a request.
    authenticates: bool = False
    # Whether `on_ready` does something.
    is_late: bool = False
    # Headers that it reads, for browsers that ask whether they may send them.
    request_headers: tuple[str, ...] = ()
    # What it decorates: a qualified name.
    scope: str = ""

    # Which of the methods a class defines itself, and which of them are async.
    _own: ClassVar[frozenset[str]] = frozenset()
    _async: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Find out once what requests would have to ask each time."""
        super().__init_subclass__(**kwargs)
        own = {name: getattr(cls, name) for name in _METHODS}
        cls._own = frozenset(n for n, method in own.items() if method is not getattr(Plugin, n))
        cls._async = frozenset(n for n in cls._own if inspect.iscoroutinefunction(own[n]))

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance; a bare `@api.Cache` decorates with the defaults.

        Raises:
            ConfigError: it cannot do without arguments.
        """
        is_bare = len(args) == 1 and not kwargs and _is_target(args[0])
        if not is_bare:
            return super().__new__(cls)
        try:
            return cls()(args[0])
        except TypeError as exc:
            raise ConfigError(f"@api.{cls.__name__} needs arguments: {exc}") from exc

    def __call__(self, target: T) -> T:
        """Put the plugin around an API class or an endpoint.

        Raises:
            ConfigError: the target is neither.
        """
        if not _is_target(target) or hasattr(target, HOOK):
            raise ConfigError(
                f"@api.{type(self).__name__} belongs on an API class or an endpoint, not on "
                f"{target!r}"
            )
        self.scope = self.scope or f"{target.__module__}.{getattr(target, '__qualname__', '')}"
        own = vars(target).get(PLUGINS, ())
        setattr(target, PLUGINS, (self, *own))
        return target

    def prepare(self, rules: "CompileRules") -> None:
        """Check the plugin against the service; called once for each endpoint at set-up.

        Raises:
            ConfigError: it cannot work there.
        """

    def see(self, operation: "Operation") -> None:
        """Look at an endpoint it is around, once at set-up."""

    def security(self) -> "Security | None":
        """Return what its endpoints ask for, for their description; None for nothing."""
        return None

    def process_request(self, request: Request, api: Any) -> Any:
        """See a request before anything is read from it.

        Args:
            request: the request.
            api: the API instance, whose own parameters are not there yet.

        Returns:
            None to go on, or a response, which is then the answer.
        """

    def process_response(self, response: Response[Any], api: Any) -> Any:
        """See a response, one that stands for an error included, before it becomes bytes.

        Returns:
            None to keep it, or another in its place.
        """

    def handle_error(self, error: "Error", api: Any) -> Any:
        """See an exception that no hook has answered for.

        Returns:
            None to go on, or a response, which is then the answer.
        """

    def finish(self, response: RawResponse, request: Request) -> None:
        """Change the finished response; must not raise, nor wait for anything."""

    def on_finish(self, response: RawResponse, request: Request) -> Steps:
        """Yield calls once the response is finished; for plugins that keep it."""
        self.finish(response, request)
        return
        yield

    def on_ready(self, _request: Request, _api: Any) -> Steps:
        """Yield calls right before the endpoint, when hooks have run; see `is_late`.

        Returns:
            None to go on, or a response, which is then the answer.
        """
        return
        yield

    def on_request(self, request: Request, api: Any) -> Steps:
        """Yield the call of `process_request` where there is one, and return its outcome."""
        return (yield from self._call("process_request", request, api))

    def on_response(self, response: Response[Any], api: Any) -> Steps:
        """Yield the call of `process_response` where there is one, and return its outcome."""
        return (yield from self._call("process_response", response, api))

    def on_error(self, error: "Error", api: Any) -> Steps:
        """Yield the call of `handle_error` where there is one, and return its outcome."""
        return (yield from self._call("handle_error", error, api))

    def _call(self, name: str, *args: Any) -> Steps:
        if name not in self._own:
            return None
        method: Callable[..., Any] = getattr(self, name)
        is_async = name in self._async
        return (yield Call(method, args, is_async=is_async, blocking=self.blocking))

    @property
    def is_async(self) -> bool:
        """Whether one of its methods is async."""
        return bool(self._async)


def _is_target(target: object) -> bool:
    """Return whether plugins may be around it: an API class, or a method."""
    if isinstance(target, type):
        return hasattr(target, ROUTE)
    return inspect.isfunction(target)


def plugins_of(target: Any) -> tuple[Plugin, ...]:
    """Return the plugins of a class, its bases' first, or of a function, outermost first."""
    if not isinstance(target, type):
        found: tuple[Plugin, ...] = getattr(target, PLUGINS, ())
        return found
    chain = [vars(base).get(PLUGINS, ()) for base in reversed(target.__mro__)]
    return tuple(plugin for plugins in chain for plugin in plugins)


def in_order(plugins: Sequence[Plugin], guards: Sequence[Plugin]) -> tuple[Plugin, ...]:
    """Return plugins from the outermost to the innermost, with those that an endpoint's user needs.

    Args:
        plugins: as they are around the endpoint.
        guards: of the endpoint's arguments; each is taken once.
    """
    found = list(dict.fromkeys((*plugins, *guards)))
    found.sort(key=_place)
    return tuple(found)


def _place(plugin: Plugin) -> int:
    """Return how far inside a plugin is: who asks, then whether they may, then kept answers."""
    if plugin.after_rules:
        return 3
    return 2 if plugin.after_authentication else int(plugin.authenticates)
