"""Compiled endpoints: everything that could be decided at set-up, decided."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from utilmeta.core.api.arguments import ParamsReader, Values
from utilmeta.core.api.base import API
from utilmeta.core.api.bodies import BodyReader
from utilmeta.core.api.declared import About
from utilmeta.core.api.hooks import BoundHook
from utilmeta.core.api.signature import Argument
from utilmeta.core.api.template import Template
from utilmeta.core.request import Request, RequestContextVar
from utilmeta.core.response import RawResponse, Response
from utilmeta.core.response.finish import Finisher, is_file
from utilmeta.utils.exceptions import BadRequest

if TYPE_CHECKING:
    from utilmeta.core.api.plugins.base import Plugin
    from utilmeta.core.api.plugins.retry import Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One API class on the way to an endpoint.

    Attributes:
        cls: the class.
        params: its own parameters: attribute to key among the operation's values.
        needed: whether an instance of it is made.
        template: its answers' template when that is inherited from a class above, else None.
    """

    cls: type[API]
    params: Mapping[str, str]
    needed: bool
    template: type[Response[Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An endpoint at one path, ready to be run.

    Attributes:
        where: class and function, for messages.
        method: upper-case HTTP method.
        template: its whole path below the service's route.
        function: the endpoint's function, given every argument.
        levels: the API classes from the root to the endpoint's own.
        is_async: whether the function is a coroutine function or an async generator function.
        arguments: everything it and its hooks ask of a request.
        returns: its return annotation; None without one.
        about: what is said of it.
        params: reader of path, query, header and cookie arguments; None without any.
        body: reader of the body; None when it takes none.
        context: arguments by key that are context values of the request.
        absent: makes the values of optional path parameters that this path does not have.
        finisher: how results become responses.
        before: hooks in the order they run.
        after: hooks in the order they run.
        handlers: hooks from the outermost class's to the innermost's.
        plugins: from the outermost to the innermost.
        read_message: turns a WebSocket's messages into values; None leaves them as they are.
        retry: runs the endpoint again after some exceptions; None for never.
        timeout: seconds the endpoint may take; None for ever.
        debug: whether clients may see the text of unexpected exceptions.
        is_mixed: whether its calls belong on different threads, or have limits of their own.
        has_own_init: whether an `__init__` of the project's runs, which may do anything.
        simple: whether it has no hooks, plugins or limits, so that the short way is the same.
        takes_nothing: whether nothing of a request is read for it.
        names: variables of its path, in order.
        bind: makes the instance to call the endpoint on; the classes' parameters leave the values.
    """

    where: str
    method: str
    template: Template
    function: Callable[..., Any]
    levels: tuple[Level, ...]
    is_async: bool
    params: ParamsReader | None
    body: BodyReader | None
    finisher: Finisher
    arguments: tuple[Argument, ...] = ()
    returns: Any = None
    about: About = field(default_factory=About)
    context: Mapping[str, RequestContextVar[Any]] = field(default_factory=dict)
    absent: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    before: tuple[BoundHook, ...] = ()
    after: tuple[BoundHook, ...] = ()
    handlers: tuple[BoundHook, ...] = ()
    plugins: tuple["Plugin", ...] = ()
    read_message: Callable[[str | bytes], Any] | None = None
    retry: "Retry | None" = None
    timeout: float | None = None
    debug: bool = False
    simple: bool = True
    is_mixed: bool = field(init=False)
    has_own_init: bool = field(init=False)
    takes_nothing: bool = field(init=False)
    names: tuple[str, ...] = field(init=False)
    bind: Callable[[Request, Values], API] = field(init=False)

    def __post_init__(self) -> None:
        """Work out what follows from the rest, once."""
        is_mixed = (
            self.is_async
            or self.timeout is not None
            or self.retry is not None
            or any(hook.is_async for hook in (*self.before, *self.after))
            or any(variable.is_async for variable in self.context.values())
            or any(plugin.is_late for plugin in self.plugins)
        )
        has_own = any(level.cls.__init__ is not API.__init__ for level in self.levels)
        object.__setattr__(self, "is_mixed", is_mixed)
        object.__setattr__(self, "has_own_init", has_own)
        object.__setattr__(self, "names", self.template.names)
        takes = self.params is not None or self.body is not None or self.absent or self.context
        object.__setattr__(self, "takes_nothing", not takes)
        object.__setattr__(self, "bind", _binder(self.levels))

    @property
    def status(self) -> int | None:
        """Status of plain results; None follows their kind."""
        return self.finisher.status

    @property
    def null_is_json(self) -> bool:
        """Whether None is JSON `null`."""
        return self.finisher.null_is_json

    def parse(self, request: Request) -> Values:
        """Return the validated arguments of a sync request.

        Raises:
            HttpError: they are invalid (all faults in one), or the body cannot be read.
        """
        faults: list[dict[str, object]] = []
        values = {} if self.params is None else self.params.read(request, faults)
        if self.body is not None:
            values.update(self.body.read(request, faults))
        return self._filled(request, accept(values, faults))

    async def aparse(self, request: Request) -> Values:
        """Return the validated arguments of an async request; the async twin of `parse`."""
        faults: list[dict[str, object]] = []
        values = {} if self.params is None else self.params.read(request, faults)
        if self.body is not None:
            values.update(await self.body.aread(request, faults))
        return self._filled(request, accept(values, faults))

    def _filled(self, request: Request, values: Values) -> Values:
        """Return the arguments with those that the request does not hold."""
        for name, make in self.absent.items():
            values[name] = make()
        if self.simple:
            # Hooks, where there are any, may set them first.
            for name, variable in self.context.items():
                values[name] = variable.get(request)
        return values

    def invoke(self, request: Request, values: Values) -> RawResponse:
        """Run a sync endpoint without hooks and return its finished response."""
        return self.finisher(self.function(self.bind(request, values), **values), request)

    async def ainvoke(self, request: Request, values: Values) -> RawResponse:
        """Run an async endpoint without hooks and return its finished response."""
        outcome = self.function(self.bind(request, values), **values)
        if outcome.__class__ is CoroutineType or not isinstance(outcome, AsyncIterator):
            outcome = await outcome
        if outcome.__class__ is not dict and is_file(outcome):
            # Opening a file may take a while, so it is done on the request's worker thread.
            finished: RawResponse = await sync_to_async(self.finisher)(outcome, request)
            return finished
        return self.finisher(outcome, request)


def settle(instance: API, level: Level, request: Request, parent: API | None) -> None:
    """Tell an instance what it belongs to."""
    instance.request = request
    instance.parent = parent
    if level.template is not None:
        instance.response = level.template  # type: ignore[misc]


def _binder(levels: tuple[Level, ...]) -> Callable[[Request, Values], API]:
    """Return what makes the instance to call an endpoint on."""
    needed = [level for level in levels if level.needed]
    if not needed:
        return partial(_bind, needed)
    last = needed[-1]
    is_plain = last.cls.__init__ is API.__init__ and last.cls.__new__ is object.__new__
    if len(needed) > 1 or last.params or last.template is not None or not is_plain:
        return partial(_bind, needed)
    cls = last.cls

    def bind(request: Request, _values: Values) -> API:
        # As `API.__init__` does for one that has no parameters.
        instance: API = object.__new__(cls)
        instance.request = request
        instance.parent = None
        return instance

    return bind


def _bind(levels: list[Level], request: Request, values: Values) -> API:
    instance: Any = None
    for level in levels:
        given = {name: values.pop(key) for name, key in level.params.items()}
        parent, instance = instance, level.cls(request, **given)
        settle(instance, level, request, parent)
    made: API = instance
    return made


def accept(values: Values, faults: list[dict[str, object]]) -> Values:
    """Return the values.

    Raises:
        BadRequest: something is wrong with them.
    """
    if faults:
        raise BadRequest("The request is invalid", errors=faults)
    return values
