"""The two drivers: one for sync servers, one for async ones, over the same steps."""

import contextvars
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync

from utilmeta.core.api.calling import Call, adrive, call_now, drive
from utilmeta.core.api.errors import answer_error
from utilmeta.core.api.operation import Operation
from utilmeta.core.api.pipeline import Run
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.request import RawRequest, Request, RequestRules
from utilmeta.core.request.current import current_request
from utilmeta.core.request.socket import RawSocket
from utilmeta.core.response import RawResponse
from utilmeta.core.response.events import KEEP_ALIVE
from utilmeta.core.response.raw import Body, aclose_source, close_source
from utilmeta.core.server.contract import Hooks
from utilmeta.core.server.engine.calls import make_call
from utilmeta.core.server.engine.hosts import Hosts
from utilmeta.core.server.engine.hygiene import end_left_blocks, open_blocks, tidy_connections
from utilmeta.core.server.engine.lanes import Hold, LanePool, take_over
from utilmeta.core.server.engine.router import Router, Target
from utilmeta.core.server.engine.sockets import converse
from utilmeta.core.server.engine.streams import (
    AsyncPrimed,
    Primed,
    iterate_now,
    iterate_on_lane,
    iterate_sync,
    with_keep_alive,
    within,
)
from utilmeta.utils.exceptions import BadRequest, HttpError, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRules:
    """What the engine is told of the service; made once at set-up.

    Attributes:
        request: limits and trust of requests.
        compiling: what compiling an API is told.
        hosts: host names that are answered for.
        lanes: worker threads for sync code under async servers.
        debug: whether clients may see the text of unexpected exceptions.
        hooks: start and end of the serving process.
    """

    request: RequestRules
    compiling: CompileRules
    hosts: Hosts
    lanes: LanePool
    debug: bool
    hooks: Hooks


class Engine:
    """Answers raw requests with the operations of a service.

    Args:
        operations: compiled endpoints.
        rules: what it is told of the service.
        fallback: answers what no endpoint does, as the root class says; None for plain answers.
    """

    def __init__(
        self, operations: list[Operation], rules: EngineRules, fallback: Operation | None = None
    ) -> None:
        self.operations = operations
        self.rules = rules
        self.fallback = fallback
        self.router = Router(operations)
        self._resolve = self.router.resolve
        self._check_host = rules.hosts.check
        self._hooks = rules.hooks

    def with_operations(
        self, operations: list[Operation], fallback: Operation | None = None
    ) -> "Engine":
        """Return an engine for other operations under the same rules."""
        return Engine(operations, self.rules, fallback)

    def _route(self, request: Request) -> Operation | RawResponse:
        """Return the operation for a request, or the answer when none is needed."""
        raw = request.raw
        if raw.fault is not None:
            raise BadRequest(raw.fault)
        self._check_host(request)
        target, values = self._resolve(raw.path, raw.segments)
        operation = target.operations.get(raw.method)
        if operation is None:
            if raw.method == "OPTIONS":
                return _options(target, request)
            operation = target.find(raw.method)
        if values:
            request.path_params = dict(zip(operation.names, values, strict=True))
        return operation

    def _refuse(self, request: Request, error: HttpError) -> Operation | RawResponse:
        """Return what answers a request that has no operation."""
        if self.fallback is not None and not self.fallback.simple:
            return self.fallback
        return self.failed(error, request, self.fallback)

    def failed(
        self, error: Exception, request: Request, operation: Operation | None
    ) -> RawResponse:
        """Return the answer for an exception."""
        finisher = operation.finisher if operation is not None else None
        response = answer_error(error, request, debug=self.rules.debug, finisher=finisher)
        if isinstance(error, HttpError) and error.status_code < 500:
            # Nobody reads them of a client's fault, and through their frames the answer would hold
            # itself, which only a garbage collection of all there is would find.
            error.__traceback__ = error.__context__ = None
        return response

    def socket_operation(self, request: Request) -> Operation:
        """Return the operation for a request that opens a WebSocket.

        Raises:
            HttpError: there is none, or the request has to be refused.
        """
        raw = request.raw
        if raw.fault is not None:
            raise BadRequest(raw.fault)
        self.rules.hosts.check(request)
        target, values = self.router.resolve(raw.path, raw.segments)
        operation = target.operations.get("WS")
        if operation is None:
            raise NotFound
        if values:
            request.path_params = dict(zip(operation.names, values, strict=True))
        return operation

    async def asocket(self, raw: RawRequest, socket: RawSocket) -> None:
        """Carry on a WebSocket to its end, or refuse it."""
        await converse(self, raw, socket)

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer to a request of a sync server.

        The caller writes it and calls `close` when its body has been sent, if it streams.
        """
        if not self._hooks.started:
            self._hooks.start()
        tidy_connections()
        blocks = open_blocks()
        request = Request(raw, self.rules.request)
        current = current_request.set(request)
        try:
            response = self._run(request)
        except Exception as exc:
            response = self.failed(exc, request, self.fallback)
        finally:
            current_request.reset(current)
        if request.outgoing is not None:
            _send_out(request, response)
        if raw.method == "HEAD":
            _drop_body(response)
        if request.files:
            response.on_close.append(request.close)
        if response.streaming:
            response.on_close.append(partial(end_left_blocks, blocks))
            response.on_close.append(tidy_connections)
            return response
        try:
            if response.on_close:
                response.close()
        finally:
            end_left_blocks(blocks)
            tidy_connections()
        return response

    def _run(self, request: Request) -> RawResponse:
        fault = None
        try:
            found = self._route(request)
        except HttpError as exc:
            fault, found = exc, self._refuse(request, exc)
        if isinstance(found, RawResponse):
            return found
        if not found.simple:
            first = partial(_first_call, request.method)
            answer: RawResponse = drive(Run(found, request).steps(first, fault), self._call)
            return answer
        try:
            values = found.parse(request)
            call: Any = async_to_sync(found.ainvoke) if found.is_async else found.invoke
            outcome: RawResponse = call(request, values)
            if outcome.streaming:
                outcome.body = _prime(outcome.body, request.method)
        except Exception as exc:
            return self.failed(exc, request, found)
        return outcome

    def _call(self, call: Call) -> Any:
        """Return what a call of an operation's steps returns, within its time."""
        if call.timeout is None:
            return call_now(call)
        hold = Hold(self.rules.lanes)
        context = contextvars.copy_context()
        future = hold.submit(context.run, call_now, call)
        hold.close()
        try:
            return future.result(call.timeout)
        except TimeoutError:
            # What has not begun must not be done after it was refused.
            future.cancel()
            raise
        finally:
            take_over(context)

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer to a request of an async server; the async twin of `handle`."""
        if not self._hooks.started:
            await self._hooks.astart()
        request = Request(raw, self.rules.request)
        hold = Hold(self.rules.lanes)
        token = hold.enter()
        current = current_request.set(request)
        try:
            response = await self._arun(request, hold)
        except Exception as exc:
            response = self.failed(exc, request, self.fallback)
        except BaseException:
            hold.close()
            request.close()
            raise
        finally:
            current_request.reset(current)
            hold.leave(token)
        if request.outgoing is not None:
            _send_out(request, response)
        if raw.method == "HEAD":
            _drop_body(response)
        if request.files:
            response.on_close.append(request.close)
        if response.streaming:
            response.on_close.append(hold.close)
            return response
        try:
            if response.on_close:
                await response.aclose()
        finally:
            hold.close()
        return response

    async def _arun(self, request: Request, hold: Hold) -> RawResponse:
        fault = None
        try:
            found = self._route(request)
        except HttpError as exc:
            fault, found = exc, self._refuse(request, exc)
        if isinstance(found, RawResponse):
            return found
        if not found.simple:
            make = partial(make_call, hold)
            first = partial(_afirst_call, request.method, hold)
            answer: RawResponse = await adrive(Run(found, request).steps(first, fault), make)
            return answer
        try:
            values = {} if found.takes_nothing else await found.aparse(request)
            if found.is_async:
                outcome = await found.ainvoke(request, values)
            else:
                outcome = await hold.run(found.invoke, request, values)
            if outcome.streaming:
                outcome.body = await _aprime(outcome, request.method, hold)
        except Exception as exc:
            return self.failed(exc, request, found)
        return outcome


def _options(target: Target, request: Request) -> RawResponse:
    """Return the answer to OPTIONS, with what the plugins of the wanted method add."""
    response = RawResponse(204, [("allow", ", ".join(target.allow()))])
    wanted = request.raw.header("access-control-request-method") or ""
    for plugin in reversed(target.plugins(wanted.upper())):
        plugin.finish(response, request)
    return response


def _send_out(request: Request, response: RawResponse) -> None:
    """Do to a response what was asked for on the way, unless the server failed."""
    if response.status < 500:
        for act in request.outgoing or ():
            act(response)


def _drop_body(response: RawResponse) -> None:
    """Take the body from the answer to HEAD; what was open is closed with the response."""
    if response.body:
        response.body = b""


def _prime(body: Any, method: str) -> Body:
    """Return a streamed body for a sync server, its first chunk made; nothing for HEAD."""
    source: Iterator[bytes] = iterate_sync(body) if isinstance(body, AsyncIterator) else body
    if method != "HEAD":
        return Primed(iterate_now(source))
    close_source(body)
    return b""


def _first_call(method: str, raw: RawResponse) -> Call:
    """Return the call that makes a streamed response's first chunk, on a sync server."""

    def make() -> None:
        raw.body = _prime(raw.body, method)

    return Call(make)


def _afirst_call(method: str, hold: Hold, raw: RawResponse) -> Call:
    """Return the call that makes a streamed response's first chunk, on an async server."""

    async def make() -> None:
        raw.body = await _aprime(raw, method, hold)

    return Call(make, is_async=True)


async def _aprime(response: RawResponse, method: str, hold: Hold) -> Body:
    """Return a streamed body for an async server; the async twin of `_prime`."""
    body: Any = response.body
    is_async = isinstance(body, AsyncIterator)
    if method == "HEAD":
        if is_async:
            await aclose_source(body)
        else:
            await hold.run(close_source, body)
        return b""
    source = within(hold, body) if is_async else iterate_on_lane(body, hold)
    if response.keep_alive is not None:
        source = with_keep_alive(source, response.keep_alive, KEEP_ALIVE)
    return AsyncPrimed(source, await anext(source, None))
