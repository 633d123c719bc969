"""The two drivers: one for sync servers, one for async ones, over the same steps."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from asgiref.sync import async_to_sync

from utilmeta.core.api.errors import answer_error
from utilmeta.core.api.operation import Operation
from utilmeta.core.request import RawRequest, Request, RequestRules
from utilmeta.core.response import RawResponse
from utilmeta.core.response.encode import Encoder
from utilmeta.core.response.raw import Body, aclose_source, close_source
from utilmeta.core.server.engine.hygiene import tidy_connections
from utilmeta.core.server.engine.lanes import Hold, LanePool
from utilmeta.core.server.engine.router import Router
from utilmeta.core.server.engine.streams import (
    AsyncPrimed,
    Primed,
    iterate_on_lane,
    iterate_sync,
    within,
)
from utilmeta.utils.exceptions import BadRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRules:
    """What the engine is told of the service; made once at set-up.

    Attributes:
        request: limits and trust of requests.
        encode: makes JSON.
        lanes: worker threads for sync code under async servers.
        debug: whether clients may see the text of unexpected exceptions.
        start: runs the start-up hooks unless this process has.
        astart: the async twin of `start`.
    """

    request: RequestRules
    encode: Encoder
    lanes: LanePool
    debug: bool
    start: Callable[[], None]
    astart: Callable[[], Awaitable[None]]


class Engine:
    """Answers raw requests with the operations of a service.

    Args:
        operations: compiled endpoints.
        rules: what it is told of the service.
    """

    def __init__(self, operations: list[Operation], rules: EngineRules) -> None:
        self.operations = operations
        self.rules = rules
        self.router = Router(operations)

    def with_operations(self, operations: list[Operation]) -> "Engine":
        """Return an engine for other operations under the same rules."""
        return Engine(operations, replace(self.rules))

    def _route(self, request: Request) -> Operation | RawResponse:
        """Return the operation for a request, or the answer when none is needed."""
        raw = request.raw
        if raw.fault is not None:
            raise BadRequest(raw.fault)
        target, values = self.router.resolve(raw.path, raw.segments)
        if raw.method == "OPTIONS" and "OPTIONS" not in target.operations:
            return RawResponse(204, [("allow", ", ".join(target.allow()))])
        operation = target.find(raw.method)
        if values:
            request.path_params = dict(zip(operation.template.names, values, strict=True))
        return operation

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer to a request of a sync server.

        The caller writes it and calls `close` when its body has been sent.
        """
        self.rules.start()
        tidy_connections()
        request = Request(raw, self.rules.request)
        try:
            response = self._run(request)
            if response.streaming:
                response.body = _prime(response.body, raw.method)
        except Exception as exc:
            response = answer_error(exc, request, debug=self.rules.debug)
            response.error = exc
        if raw.method == "HEAD":
            response.body = b""
        response.on_close.append(tidy_connections)
        if not response.streaming:
            response.close()
        return response

    def _run(self, request: Request) -> RawResponse:
        found = self._route(request)
        if isinstance(found, RawResponse):
            return found
        values = found.parse(request)
        if found.is_async:
            call: Any = async_to_sync(found.ainvoke)
            outcome: RawResponse = call(request, values, self.rules.encode)
            return outcome
        return found.invoke(request, values, self.rules.encode)

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer to a request of an async server; the async twin of `handle`."""
        await self.rules.astart()
        request = Request(raw, self.rules.request)
        hold = Hold(self.rules.lanes)
        token = hold.enter()
        try:
            response = await self._arun(request, hold)
            if response.streaming:
                response.body = await _aprime(response.body, raw.method, hold)
        except Exception as exc:
            response = answer_error(exc, request, debug=self.rules.debug)
            response.error = exc
        except BaseException:
            hold.close()
            raise
        finally:
            hold.leave(token)
        if raw.method == "HEAD":
            response.body = b""
        response.on_close.append(hold.close)
        if not response.streaming:
            await response.aclose()
        return response

    async def _arun(self, request: Request, hold: Hold) -> RawResponse:
        found = self._route(request)
        if isinstance(found, RawResponse):
            return found
        values = await found.aparse(request)
        if found.is_async:
            return await found.ainvoke(request, values, self.rules.encode)
        return await hold.run(found.invoke, request, values, self.rules.encode)


def _prime(body: Any, method: str) -> Body:
    """Return a streamed body for a sync server, its first chunk made; nothing for HEAD."""
    source: Iterator[bytes] = iterate_sync(body) if isinstance(body, AsyncIterator) else body
    if method != "HEAD":
        return Primed(source)
    close_source(body)
    return b""


async def _aprime(body: Any, method: str, hold: Hold) -> Body:
    """Return a streamed body for an async server; the async twin of `_prime`."""
    is_async = isinstance(body, AsyncIterator)
    if method == "HEAD":
        if is_async:
            await aclose_source(body)
        else:
            await hold.run(close_source, body)
        return b""
    source = within(hold, body) if is_async else iterate_on_lane(body, hold)
    return AsyncPrimed(source, await anext(source, None))
