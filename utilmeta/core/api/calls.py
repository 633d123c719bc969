"""Endpoints called from Python: their declared defaults are filled in as for a request."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from utilmeta.core.request.params import as_param

F = TypeVar("F", bound=Callable[..., Any])
RAW = "__utilmeta_raw__"


def with_defaults(function: F) -> F:
    """Return a function that fills arguments declared as `= request.QueryParam(1)` with their 1.

    A function without such arguments is returned as it is. Called by the engine, the original
    runs: it is given every argument.
    """
    signature = inspect.signature(function)
    declared = {
        name: param
        for name, parameter in signature.parameters.items()
        if (param := as_param(parameter.default)) is not None
    }
    if not declared or hasattr(function, RAW):
        return function

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind_partial(*args, **kwargs)
        for name, param in declared.items():
            if name not in bound.arguments:
                if param.required:
                    raise TypeError(f"{function.__qualname__}() needs {name!r}")
                bound.arguments[name] = _value_of(param, bound.args)
        return function(*bound.args, **bound.kwargs)

    setattr(call, RAW, (call, function))
    return call  # type: ignore[return-value]


def _value_of(param: Any, args: tuple[Any, ...]) -> Any:
    # The API instance is the first argument; context values are those of its request.
    return param.make_default() if param.variable is None else param.variable.get(args[0].request)


def original(function: Any) -> Any:
    """Return the function that `with_defaults` was given."""
    call, raw = getattr(function, RAW, (None, None))
    return raw if call is function else function
