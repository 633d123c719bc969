"""Endpoints whose results are made into answers by what the annotation names.

Querysets are read by schemas; values of foreign classes are written by their forms.
"""

import functools
import inspect
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pydantic
from asgiref.sync import sync_to_async

from utilmeta.core.api.foreign import writer_of
from utilmeta.core.response import Response
from utilmeta.core.response.response import result_type
from utilmeta.utils.annotations import element_of, strip_optional, union_members

_COLLECTIONS = (Sequence, Iterable, Collection)
Read = Callable[[Any, Any], Any]
QUERY = "__utilmeta_query__"


def reading_endpoint(function: Callable[..., Any], returns: Any) -> Callable[..., Any]:
    """Return an endpoint whose results are made into answers; itself where nothing is to be done.

    Args:
        function: the endpoint.
        returns: its return annotation: `list[ArticleSchema]` reads querysets and queries,
            `ArticleSchema` the first row of one, or an instance of the model; both also inside of
            `Response[...]`. What an argument that is a query asks for is what is read. What is
            returned for a foreign class is written by it.

    Raises:
        ConfigError: the schema does not fit its model.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return function
    write = writer_of(returns)
    if write is not None:
        return _around(function, _is_written, lambda result, _: write(result))
    reader = _reader_of(returns)
    if reader is None:
        return function
    return _around(function, _is_unread, lambda result, given: _replace(result, reader, given))


def _around(
    function: Callable[..., Any],
    is_meant: Callable[[Any], bool],
    change: Callable[[Any, Mapping[str, Any]], Any],
) -> Callable[..., Any]:
    """Return an endpoint whose results are changed, on the request's lane where it is async."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def achanged(*args: Any, **kwargs: Any) -> Any:
            result = await function(*args, **kwargs)
            return await sync_to_async(change)(result, kwargs) if is_meant(result) else result

        return achanged

    @functools.wraps(function)
    def changed(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return change(result, kwargs) if is_meant(result) else result

    return changed


def _is_written(result: Any) -> bool:
    return result is not None


def schemas_of(returns: Any) -> list[tuple[Any, bool]]:
    """Return the schemas that a return annotation names, each with whether it is a list of it."""
    found = []
    for member in union_members(strip_optional(returns)):
        origin = typing.get_origin(member) or member
        if isinstance(origin, type) and issubclass(origin, Response):
            given = [item for item in typing.get_args(member) if not isinstance(item, TypeVar)]
            found += schemas_of(given[0] if given else result_type(origin))
            continue
        element, many = element_of(member)
        if origin in _COLLECTIONS and typing.get_args(member):
            element, many = typing.get_args(member)[0], True
        if hasattr(origin, "__json_rows__") and typing.get_args(member):
            # `Rows[ArticleSchema]`, as type checkers know it.
            element, many = typing.get_args(member)[0], True
        if hasattr(element, "__utilmeta_schema__"):
            found.append((element, many))
    return found


def schemas_within(returns: Any, seen: tuple[Any, ...] = ()) -> list[Any]:
    """Return the schemas that an answer is made of, those inside of other models too."""
    found = [schema for schema, _ in schemas_of(returns)]
    if found or returns in seen:
        return found
    parts = [*typing.get_args(returns)]
    if isinstance(returns, type) and issubclass(returns, pydantic.BaseModel):
        parts += [info.annotation for info in returns.model_fields.values()]
    for part in parts:
        found += schemas_within(part, (*seen, returns))
    return found


def _row(value: Any) -> Any:
    """Return what names a row: the model's instance, or the key of what was written."""
    return value if hasattr(value, "_meta") else value.pk


def _reader_of(returns: Any) -> Read | None:
    schemas = schemas_of(returns)
    for schema, _ in schemas:
        # What does not fit the model is told at set-up.
        schema.plan()
    many = next((schema for schema, is_many in schemas if is_many), None)
    one = next((schema for schema, is_many in schemas if not is_many), None)
    if many is None and one is None:
        return None
    listed: Any = many

    def read(result: Any, context: Any) -> Any:
        if isinstance(result, list):
            return result if many is None else many.serialize(map(_row, result), context)
        if _is_row(result):
            return result if one is None else one.init(_row(result), context)
        if many is None and one is not None:
            return one.init(result, context)
        return listed.serialize(result, context)

    return read


def _is_unread(result: Any) -> bool:
    """Return whether a result is a queryset, a query or an instance, or a response with one."""
    value = result.result if isinstance(result, Response) else result
    if isinstance(value, list):
        return bool(value) and all(map(_is_row, value))
    if _is_row(value) or hasattr(value, QUERY):
        return True
    return hasattr(value, "query") and hasattr(value, "model")


def _is_row(value: Any) -> bool:
    """Return whether a value is an instance of a model, or of a schema for writing."""
    mode = getattr(value, "__utilmeta_mode__", None)
    return hasattr(value, "_meta") or (mode is not None and mode.writes)


def _replace(result: Any, read: Read, arguments: Mapping[str, Any]) -> Any:
    """Return a result with its rows read: the fields that the endpoint's query asks for."""
    asked = next((value for value in arguments.values() if hasattr(value, QUERY)), None)
    context = None if asked is None else asked.get_context()
    if not isinstance(result, Response):
        return read(result, context)
    result.result = read(result.result, context)
    return result
