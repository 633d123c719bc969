"""Compiled endpoints: everything that could be decided at set-up, decided."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from utilmeta.core.api.arguments import BodyReader, ParamsReader, Values
from utilmeta.core.api.base import API
from utilmeta.core.api.template import Template
from utilmeta.core.request import Request
from utilmeta.core.request.raw import check_length
from utilmeta.core.response import RawResponse, Response
from utilmeta.core.response.encode import Encoder
from utilmeta.core.response.response import finish
from utilmeta.utils.exceptions import BadRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One API class on the way to an endpoint.

    Attributes:
        cls: the class.
        names: its own parameters, set as attributes of its instance.
    """

    cls: type[API]
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An endpoint at one path, ready to be run.

    Attributes:
        where: class and function, for messages.
        method: upper-case HTTP method.
        template: its whole path below the service's route.
        function: the endpoint's function.
        levels: the API classes from the root to the endpoint's own.
        is_async: whether the function is a coroutine function or an async generator function.
        params: reader of path, query, header and cookie arguments; None without any.
        body: reader of the body; None when it takes none.
        status: status of plain results; None follows their kind.
        null_is_json: whether None is JSON `null`.
        absent: makes the values of optional path parameters that this path does not have.
    """

    where: str
    method: str
    template: Template
    function: Callable[..., Any]
    levels: tuple[Level, ...]
    is_async: bool
    params: ParamsReader | None
    body: BodyReader | None
    status: int | None
    null_is_json: bool
    absent: Mapping[str, Callable[[], object]] = field(default_factory=dict)

    def parse(self, request: Request) -> Values:
        """Return the validated arguments of a sync request.

        Raises:
            HttpError: they are invalid (all faults in one), or the body cannot be read.
        """
        faults: list[dict[str, object]] = []
        values = self._parse_params(request, faults)
        reader = self.body
        if reader is not None:
            reader.check(request)
            if reader.kind == "stream":
                values[str(reader.name)] = bounded(request.stream(), reader.limit_for(request))
            else:
                body = request.read(reader.limit_for(request))
                values.update(reader.read(request, body, faults))
        return _accept(values, faults)

    async def aparse(self, request: Request) -> Values:
        """Return the validated arguments of an async request; the async twin of `parse`."""
        faults: list[dict[str, object]] = []
        values = self._parse_params(request, faults)
        reader = self.body
        if reader is not None:
            reader.check(request)
            if reader.kind == "stream":
                values[str(reader.name)] = abounded(request.astream(), reader.limit_for(request))
            else:
                body = await request.aread(reader.limit_for(request))
                values.update(reader.read(request, body, faults))
        return _accept(values, faults)

    def _parse_params(self, request: Request, faults: list[dict[str, object]]) -> Values:
        values = {} if self.params is None else self.params.read(request, faults)
        for name, make in self.absent.items():
            values[name] = make()
        return values

    def bind(self, request: Request, values: Values) -> API:
        """Return the instance to call the endpoint on; the classes' parameters leave `values`."""
        parent: API | None = None
        last = len(self.levels) - 1
        for index, level in enumerate(self.levels):
            if not level.names and index < last:
                continue
            instance = level.cls(request)
            instance.parent = parent
            for name in level.names:
                setattr(instance, name, values.pop(name))
            parent = instance
        assert parent is not None  # noqa: S101 - the last level always makes one
        return parent

    def invoke(self, request: Request, values: Values, encode: Encoder) -> RawResponse:
        """Run a sync endpoint and return its finished response."""
        return self.finish(self.function(self.bind(request, values), **values), encode)

    async def ainvoke(self, request: Request, values: Values, encode: Encoder) -> RawResponse:
        """Run an async endpoint and return its finished response."""
        outcome = self.function(self.bind(request, values), **values)
        if not isinstance(outcome, AsyncIterator):
            outcome = await outcome
        return self.finish(outcome, encode)

    def finish(self, result: object, encode: Encoder) -> RawResponse:
        """Return the finished response for what the endpoint returned."""
        raw = finish(result, encode, null_is_json=self.null_is_json)
        if self.status is not None and not isinstance(result, Response):
            if raw.status == 204 and self.status != 204:
                raw.headers.append(("content-length", "0"))
            raw.status = self.status
        return raw


def _accept(values: Values, faults: list[dict[str, object]]) -> Values:
    if faults:
        raise BadRequest("The request is invalid", errors=faults)
    return values


def bounded(source: Iterator[bytes], limit: int | None) -> Iterator[bytes]:
    """Yield chunks until they are more bytes than the limit.

    Raises:
        RequestEntityTooLarge: they are.
    """
    seen = 0
    for chunk in source:
        seen += len(chunk)
        check_length(seen, limit)
        yield chunk


async def abounded(source: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    """Yield chunks until they are more bytes than the limit; the async twin of `bounded`."""
    seen = 0
    async for chunk in source:
        seen += len(chunk)
        check_length(seen, limit)
        yield chunk
