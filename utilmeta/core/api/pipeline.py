"""The way of a request through plugins, hooks and the endpoint: one body for sync and async."""

import copy
from collections.abc import Callable, Collection
from typing import Any

from utilmeta.core.api.arguments import Values
from utilmeta.core.api.base import API
from utilmeta.core.api.calling import Call, Steps, drive, pause
from utilmeta.core.api.errors import Error, answer_error, error_response, status_of
from utilmeta.core.api.hooks import BoundHook
from utilmeta.core.api.operation import Operation, accept, settle
from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.request import Request
from utilmeta.core.request.socket import WebSocketDisconnect
from utilmeta.core.response import RawResponse, Response
from utilmeta.core.response.finish import Finisher, discard, is_file, replaced


class Run:
    """One request's way through an operation with hooks, plugins or limits.

    Args:
        operation: the operation.
        request: the request.

    Attributes:
        instances: of the API classes from the root on, None where none is needed; until
            `make_ready` they know no more than their request.
        entered: the plugins that have seen the request.
        is_ready: whether the instances' own `__init__` have run.
    """

    def __init__(self, operation: Operation, request: Request) -> None:
        self.operation = operation
        self.request = request
        self.entered: list[Plugin] = []
        self.is_ready = False
        self.instances: list[Any] = []
        parent: API | None = None
        for level in operation.levels:
            instance = None
            if level.needed:
                instance = level.cls.__new__(level.cls)
                settle(instance, level, request, parent)
                parent = instance
            self.instances.append(instance)

    def make_ready(self, values: Values) -> None:
        """Run the instances' `__init__`, with the classes' parameters, which leave `values`."""
        self.is_ready = True
        for level, instance in zip(self.operation.levels, self.instances, strict=True):
            if instance is not None:
                given = {name: values.pop(key) for name, key in level.params.items()}
                parent = instance.parent
                instance.__init__(self.request, **given)
                settle(instance, level, self.request, parent)

    def make_partly_ready(self) -> None:
        """Run the `__init__` of those that have no parameters, as the request has none for them."""
        self.is_ready = True
        for level, instance in zip(self.operation.levels, self.instances, strict=True):
            if instance is not None and not level.params:
                parent = instance.parent
                instance.__init__(self.request)
                settle(instance, level, self.request, parent)

    def call(self, hook: BoundHook, given: tuple[Any, ...], own: Values) -> Call:
        """Return the call of a hook on its instance."""
        instance = self.instances[hook.level]
        return Call(hook.function, (instance, *given), own, is_async=hook.is_async)

    def steps(self, prime: Callable[[RawResponse], Call], fault: Exception | None = None) -> Steps:
        """Yield the calls that answer a request, and return the finished response.

        Args:
            prime: returns the call that makes the first chunk of a streamed response.
            fault: raised in place of running the endpoint, as when no path fits.
        """
        try:
            response = yield from self._enter(fault)
        except Exception as exc:
            response = yield from self._recover(exc)
        response = yield from self._pass_out(response)
        try:
            raw = yield from self._finish(response, prime)
        except Exception as exc:
            discard(response)
            response = yield from self._recover(exc)
            try:
                raw = yield from self._finish(response, prime)
            except Exception as again:
                raw = answer_error(
                    again,
                    self.request,
                    debug=self.operation.debug,
                    finisher=self.operation.finisher,
                )
        for plugin in reversed(self.operation.plugins):
            if plugin in self.entered:
                yield from plugin.on_finish(raw, self.request)
            else:
                plugin.finish(raw, self.request)
        return raw

    def connecting(self) -> Steps:
        """Yield the calls before a WebSocket's endpoint.

        Returns:
            The instance and its arguments, or the response that refuses the connection.
        """
        try:
            values: Values = {}
            early = yield from self._come_in(None)
            if early is None:
                values = yield self._parsing()
                early = yield from self._prepare(values, [])
            if early is None:
                return self.instances[-1], values
        except WebSocketDisconnect:
            raise
        except Exception as exc:
            early = yield from self._recover(exc)
        early = yield from self._pass_out(early)
        raw: RawResponse = yield Call(self.operation.finisher, (early, self.request))
        for plugin in reversed(self.operation.plugins):
            plugin.finish(raw, self.request)
        return raw

    def _enter(self, fault: Exception | None) -> Steps:
        """Yield the plugins' calls on the way in, then the endpoint's."""
        early = yield from self._come_in(fault)
        if early is not None:
            return early
        values = yield self._parsing()
        chain = self._chain(values)
        if self.operation.is_mixed:
            return (yield from chain)
        # All of it is sync, so it is one piece of work.
        return (yield Call(drive, (chain,)))

    def _parsing(self) -> Call:
        """Return the call that reads and validates the request."""
        operation = self.operation
        return Call(operation.parse, (self.request,), blocking=False, twin=operation.aparse)

    def _come_in(self, fault: Exception | None) -> Steps:
        """Yield the plugins' calls on the way in; return the answer of one that gives it."""
        for plugin in self.operation.plugins:
            self.entered.append(plugin)
            given = yield from plugin.on_request(self.request, self.instances[-1])
            if given is not None:
                return self.operation.finisher.wrap(given)
        if fault is not None:
            raise fault
        return None

    def _fill(self, values: Values, keys: Collection[str]) -> Steps:
        """Yield the calls that read context values, which hooks that ran before may have set."""
        for key in keys:
            variable = self.operation.context.get(key)
            if variable is None:
                continue
            if variable.is_quick:
                values[key] = variable.get(self.request)
            else:
                reading = variable.aget if variable.is_async else variable.get
                values[key] = yield Call(reading, (self.request,), is_async=variable.is_async)

    def _prepare(self, values: Values, later: list[tuple[BoundHook, Values]]) -> Steps:
        """Yield the calls before the endpoint; return the answer of what gives one in its place."""
        levels = self.operation.levels
        yield from self._fill(values, [key for level in levels for key in level.params.values()])
        # Our own `__init__` only keeps what it is given.
        yield Call(self.make_ready, (values,), blocking=self.operation.has_own_init)
        for hook in self.operation.before:
            yield from self._fill(values, [item.key for item in hook.arguments])
            given = yield self.call(hook, (), hook.values(values))
            if isinstance(given, Response):
                return given
            if given is not None:
                raise TypeError(
                    f"{hook.where}: a before hook returns None or a Response, not "
                    f"{type(given).__name__}"
                )
        for hook in self.operation.after:
            yield from self._fill(values, [item.key for item in hook.arguments])
            later.append((hook, hook.values(values)))
        yield from self._fill(values, [key for key in self.operation.context if ":" not in key])
        for level in levels:
            for key in level.params.values():
                values.pop(key, None)
        for plugin in self.operation.plugins:
            given = yield from plugin.on_ready(self.request, self.instances[-1])
            if given is not None:
                return self.operation.finisher.wrap(given)
        return None

    def _chain(self, values: Values) -> Steps:
        later: list[tuple[BoundHook, Values]] = []
        early = yield from self._prepare(values, later)
        if early is not None:
            return early
        result = yield from self._run(values)
        response = self.operation.finisher.wrap(result)
        try:
            for hook, own in later:
                given = yield self.call(hook, (response,) if hook.takes else (), own)
                if given is not None and given is not response:
                    response = replaced(
                        response, (hook.finisher or self.operation.finisher).wrap(given)
                    )
        except Exception:
            discard(response)
            raise
        return response

    def _run(self, values: Values) -> Steps:
        retry = self.operation.retry
        tried = 0
        while True:
            call = Call(
                self.operation.function,
                (self.instances[-1],),
                values if retry is None else copy.deepcopy(values),
                is_async=self.operation.is_async,
                timeout=self.operation.timeout,
            )
            if retry is None:
                return (yield call)
            try:
                return (yield call)
            except retry.errors as exc:
                tried += 1
                if not retry.may_try(tried, exc):
                    raise
            for file in self.request.files:
                file.seek(0)
            yield pause(retry.delay(tried))

    def _recover(self, error: Exception) -> Steps:
        """Yield the calls of hooks and plugins that answer for an exception; return the answer."""
        if self.operation.handlers and not self.is_ready:
            try:
                yield Call(self.make_partly_ready)
            except Exception as exc:
                error = exc
        level = len(self.operation.levels)
        while (hook := self._handler(error, level)) is not None:
            level = hook.level
            try:
                own = _own(hook, self.request)
                given = (
                    (Error(error, self.request, debug=self.operation.debug),) if hook.takes else ()
                )
                result = yield self.call(hook, given, own)
            except Exception as exc:
                error = exc
                continue
            if result is not None:
                return _answer(result, error, hook.finisher or self.operation.finisher)
        for plugin in reversed(self.entered):
            told = Error(error, self.request, debug=self.operation.debug)
            try:
                result = yield from plugin.on_error(told, self.instances[-1])
            except Exception as exc:
                error = exc
                continue
            if result is not None:
                return _answer(result, error, self.operation.finisher)
        return error_response(
            error, self.request, self.operation.finisher, debug=self.operation.debug
        )

    def _handler(self, error: Exception, level: int) -> BoundHook | None:
        """Return the nearest hook of a class above a level: inner classes first, then types."""
        best: tuple[int, int] | None = None
        found = None
        for hook in self.operation.handlers:
            distance = hook.distance(error)
            if distance is None or hook.level >= level:
                continue
            rank = (-hook.level, distance)
            if best is None or rank < best:
                best, found = rank, hook
        return found

    def _pass_out(self, response: Response[Any]) -> Steps:
        """Yield the plugins' calls on the way out, inner to outer; return the response."""
        for plugin in reversed(self.entered):
            try:
                given = yield from plugin.on_response(response, self.instances[-1])
                if given is not None:
                    response = replaced(response, self.operation.finisher.wrap(given))
            except Exception as exc:
                discard(response)
                response = error_response(
                    exc, self.request, self.operation.finisher, debug=self.operation.debug
                )
        return response

    def _finish(self, response: Response[Any], prime: Callable[[RawResponse], Call]) -> Steps:
        """Yield the calls that encode a response and make its first chunk."""
        blocking = not self.operation.is_async or is_file(response)
        raw: RawResponse = yield Call(
            self.operation.finisher, (response, self.request), blocking=blocking
        )
        raw.error = response.error if isinstance(response.error, Exception) else None
        if raw.streaming:
            yield prime(raw)
        return raw


def _own(hook: BoundHook, request: Request) -> Values:
    """Return the parameters of a `handle` hook, read on their own.

    Raises:
        BadRequest: they are invalid.
    """
    if hook.reader is None:
        return {}
    faults: list[dict[str, object]] = []
    values = accept(hook.reader.read(request, faults), faults)
    return hook.values(values)


def _answer(result: object, error: Exception, finisher: Finisher) -> Response[Any]:
    """Return what was made of an exception as a response, with its status unless another is given.

    What stands for an error is not held to the type of a strict template.
    """
    response = result if isinstance(result, Response) else finisher.template(result)
    if not isinstance(result, Response) or response.status is None:
        response.status = status_of(error)
    if response.error is None:
        response.error = error
    return response
