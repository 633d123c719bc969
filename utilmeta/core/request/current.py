"""The request that is being answered, for code that is given none: expressions, schemas."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utilmeta.core.request.context import RequestContextVar
    from utilmeta.core.request.request import Request

# A context variable of Python's own: each request's task, thread or lane has its own value.
current_request: "ContextVar[Request | None]" = ContextVar("utilmeta_request", default=None)
_given: "ContextVar[tuple[Request | None, dict[str, Any]] | None]" = ContextVar(
    "utilmeta_values", default=None
)

_SAMPLE: "tuple[Request | None, dict[str, Any]]" = (None, {})


# Whether a schema's instance is being made by code, which may set what clients may not.
in_code: "ContextVar[bool]" = ContextVar("utilmeta_in_code", default=False)


@contextmanager
def using_values(request: "Request | None", values: dict[str, Any] | None = None) -> Iterator[None]:
    """Answer for context variables with these values, then with this request's, in the block.

    Args:
        request: whose values; None takes the request that is being answered.
        values: by name of the variable, before those of the request.
    """
    token = _given.set((request or current_request.get(), values or {}))
    try:
        yield
    finally:
        _given.reset(token)


@contextmanager
def using_sample() -> Iterator[None]:
    """Answer None for every context variable in the block, to show statements."""
    token = _given.set(_SAMPLE)
    try:
        yield
    finally:
        _given.reset(token)


def value_of(variable: "RequestContextVar[Any]") -> Any:
    """Return the value of a context variable for what is being read now.

    Raises:
        LookupError: no request is being answered, and no value was given.
    """
    given = _given.get()
    if given is _SAMPLE:
        return None
    request, values = (current_request.get(), {}) if given is None else given
    if variable.name in values:
        return values[variable.name]
    if request is None:
        raise LookupError(
            f"{variable!r} is used outside of a request; give its value with "
            f"context={{{variable.name!r}: ...}}"
        )
    if variable.is_async and not variable.is_set(request):
        raise LookupError(f"{variable!r} is made by an async function; await its aget first")
    return variable.get(request)
