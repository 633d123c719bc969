"""Compiled endpoints: everything that could be decided at set-up, decided."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from utilmeta.core.api.arguments import ParamsReader, Values
from utilmeta.core.api.base import API
from utilmeta.core.api.bodies import BodyReader
from utilmeta.core.api.calling import Call, Steps, drive, pause
from utilmeta.core.api.declared import About
from utilmeta.core.api.errors import Error, answer_error, error_response, status_of
from utilmeta.core.api.hooks import BoundHook
from utilmeta.core.api.signature import Argument
from utilmeta.core.api.template import Template
from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse, Response
from utilmeta.core.response.finish import Finisher
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
        context: arguments by key that are read from the request's context values.
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
        simple: whether it has no hooks, plugins or limits, so that the short way is the same.
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
    context: Mapping[str, Callable[[Request], object]] = field(default_factory=dict)
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
        values = self._parse_params(request, faults)
        if self.body is not None:
            values.update(self.body.read(request, faults))
        return _accept(values, faults)

    async def aparse(self, request: Request) -> Values:
        """Return the validated arguments of an async request; the async twin of `parse`."""
        faults: list[dict[str, object]] = []
        values = self._parse_params(request, faults)
        if self.body is not None:
            values.update(await self.body.aread(request, faults))
        return _accept(values, faults)

    def _parse_params(self, request: Request, faults: list[dict[str, object]]) -> Values:
        values = {} if self.params is None else self.params.read(request, faults)
        for name, make in self.absent.items():
            values[name] = make()
        for name, read in self.context.items():
            values[name] = read(request)
        return values

    def bind(self, request: Request, values: Values) -> API:
        """Return the instance to call the endpoint on; the classes' parameters leave `values`."""
        instance: API | None = None
        for level in self.levels:
            if level.needed:
                instance = _make(level, request, instance, values)
        assert instance is not None  # noqa: S101 - the last level is always needed
        return instance

    def invoke(self, request: Request, values: Values) -> RawResponse:
        """Run a sync endpoint without hooks and return its finished response."""
        return self.finisher(self.function(self.bind(request, values), **values), request)

    async def ainvoke(self, request: Request, values: Values) -> RawResponse:
        """Run an async endpoint without hooks and return its finished response."""
        outcome = self.function(self.bind(request, values), **values)
        if not isinstance(outcome, AsyncIterator):
            outcome = await outcome
        return self.finisher(outcome, request)

    # -- the long way: hooks, plugins, limits -----------------------------------------------------

    def steps(self, request: Request, fault: Exception | None = None) -> Steps:
        """Yield the calls that answer a request, and return the finished response.

        Args:
            request: the request.
            fault: raised in place of running the endpoint, as when no path fits.
        """
        instances = _early(self.levels, request)
        entered = 0
        try:
            response = None
            for plugin in self.plugins:
                entered += 1
                given = yield from plugin.on_request(request, instances[-1])
                if given is not None:
                    response = self.finisher.wrap(given)
                    break
            if response is None:
                if fault is not None:
                    raise fault  # noqa: TRY301 - hooks and plugins answer for it
                response = yield from self._core(request, instances)
        except Exception as exc:
            response = yield from self._recover(exc, request, instances, entered)
        return (yield from self._leave(response, request, instances, entered))

    def connecting(self, request: Request) -> Steps:
        """Yield the calls before a WebSocket's endpoint.

        Returns:
            The instance and its arguments, or the response that refuses the connection.
        """
        instances = _early(self.levels, request)
        for plugin in self.plugins:
            given = yield from plugin.on_request(request, instances[-1])
            if given is not None:
                return self.finisher(self.finisher.wrap(given), request)
        values = yield Call(self.parse, (request,), blocking=False, twin=self.aparse)
        _late(self.levels, instances, values)
        own = [(hook, hook.values(values)) for hook in self.before]
        for hook, mine in own:
            given = yield _hook_call(hook, instances, (), mine)
            if isinstance(given, Response):
                return self.finisher(given, request)
        return instances[-1], values

    def _core(self, request: Request, instances: list[API]) -> Steps:
        values = yield Call(self.parse, (request,), blocking=False, twin=self.aparse)
        _late(self.levels, instances, values)
        own = [(hook, hook.values(values)) for hook in self.before]
        later = [(hook, hook.values(values)) for hook in self.after]
        chain = self._chain(request, instances, own, later, values)
        hooks = (*self.before, *self.after)
        is_mixed = self.is_async or any(hook.is_async for hook in hooks)
        if is_mixed or self.timeout is not None or self.retry is not None:
            response = yield from chain
        else:
            # All of it is sync, so it is one piece of work.
            response = yield Call(drive, (chain,))
        return response

    def _chain(
        self,
        request: Request,
        instances: list[API],
        before: Sequence[tuple[BoundHook, Values]],
        after: Sequence[tuple[BoundHook, Values]],
        values: Values,
    ) -> Steps:
        for hook, own in before:
            given = yield _hook_call(hook, instances, (), own)
            if isinstance(given, Response):
                return given
        result = yield from self._run(instances[-1], values)
        response = self.finisher.wrap(result)
        for hook, own in after:
            given = yield _hook_call(hook, instances, (response,) if hook.takes else (), own)
            if given is not None and given is not response:
                response = (hook.finisher or self.finisher).wrap(given)
        return response

    def _run(self, instance: API, values: Values) -> Steps:
        retry = self.retry
        call = Call(
            self.function,
            (instance,),
            values,
            is_async=self.is_async,
            timeout=self.timeout,
        )
        if retry is None:
            return (yield call)
        tried = 0
        while True:
            try:
                return (yield call)
            except retry.errors as exc:
                tried += 1
                if not retry.may_try(tried, exc):
                    raise
            yield pause(retry.delay(tried))

    def _recover(
        self, error: Exception, request: Request, instances: list[API], entered: int
    ) -> Steps:
        """Yield the calls of hooks and plugins that answer for an exception; return the answer."""
        level = len(self.levels)
        while (hook := self._handler(error, level)) is not None:
            level = hook.level
            try:
                own = _own(hook, request)
                given = (Error(error, request, debug=self.debug),) if hook.takes else ()
                result = yield _hook_call(hook, instances, given, own)
            except Exception as exc:
                error = exc
                continue
            if result is None:
                break
            return _answer(result, error, hook.finisher or self.finisher)
        for plugin in reversed(self.plugins[:entered]):
            told = Error(error, request, debug=self.debug)
            try:
                result = yield from plugin.on_error(told, instances[-1])
            except Exception as exc:
                error = exc
                continue
            if result is not None:
                return _answer(result, error, self.finisher)
        return error_response(error, request, self.finisher, debug=self.debug)

    def _handler(self, error: Exception, level: int) -> BoundHook | None:
        """Return the nearest hook of a class above a level: inner classes first, then types."""
        best: tuple[int, int] | None = None
        found = None
        for hook in self.handlers:
            distance = hook.distance(error)
            if distance is None or hook.level >= level:
                continue
            rank = (-hook.level, distance)
            if best is None or rank < best:
                best, found = rank, hook
        return found

    def _leave(
        self, response: Response[Any], request: Request, instances: list[API], entered: int
    ) -> Steps:
        """Yield the plugins' calls on the way out, inner to outer, and the one that encodes."""
        plugins = self.plugins[:entered][::-1]
        for plugin in plugins:
            try:
                given = yield from plugin.on_response(response, instances[-1])
                if given is not None:
                    response = self.finisher.wrap(given)
            except Exception as exc:
                response = error_response(exc, request, self.finisher, debug=self.debug)
        raw: RawResponse
        try:
            raw = yield Call(self.finisher, (response, request), blocking=not self.is_async)
            raw.error = response.error if isinstance(response.error, Exception) else None
        except Exception as exc:
            raw = answer_error(exc, request, debug=self.debug, finisher=self.finisher)
        for plugin in plugins:
            yield from plugin.on_finish(raw, request)
        return raw


def _make(level: Level, request: Request, parent: API | None, values: Values) -> API:
    given = {name: values.pop(key) for name, key in level.params.items()}
    instance = level.cls(request, **given)
    instance.parent = parent
    if level.template is not None:
        instance.response = level.template  # type: ignore[misc]
    return instance


def _early(levels: Sequence[Level], request: Request) -> list[API]:
    """Return the instances as they are before anything is read; None stands for those not needed.

    What has parameters of its own only knows its request until `_late`.
    """
    instances: list[Any] = []
    parent: API | None = None
    for level in levels:
        if not level.needed:
            instances.append(None)
            continue
        if level.params:
            instance = level.cls.__new__(level.cls)
            instance.request, instance.parent = request, parent
            if level.template is not None:
                instance.response = level.template  # type: ignore[misc]
        else:
            instance = _make(level, request, parent, {})
        instances.append(instance)
        parent = instance
    return instances


def _late(levels: Sequence[Level], instances: list[API], values: Values) -> None:
    """Make the instances that waited for their parameters."""
    for level, instance in zip(levels, instances, strict=True):
        if level.needed and level.params:
            parent = instance.parent
            given = {name: values.pop(key) for name, key in level.params.items()}
            instance.__init__(instance.request, **given)  # type: ignore[misc]
            instance.parent = parent


def _hook_call(hook: BoundHook, instances: list[API], given: tuple[Any, ...], own: Values) -> Call:
    return Call(hook.function, (instances[hook.level], *given), own, is_async=hook.is_async)


def _own(hook: BoundHook, request: Request) -> Values:
    """Return the parameters of a `handle` hook, read on their own.

    Raises:
        BadRequest: they are invalid.
    """
    if hook.reader is None:
        return {}
    faults: list[dict[str, object]] = []
    values = _accept(hook.reader.read(request, faults), faults)
    return hook.values(values)


def _answer(result: object, error: Exception, finisher: Finisher) -> Response[Any]:
    """Return what was made of an exception as a response; a plain value keeps its status."""
    if isinstance(result, Response):
        return result
    response = finisher.template(result)
    response.status = status_of(error)
    return response


def _accept(values: Values, faults: list[dict[str, object]]) -> Values:
    if faults:
        raise BadRequest("The request is invalid", errors=faults)
    return values
