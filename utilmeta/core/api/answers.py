"""Which template answers are put into: the nearest of annotations and classes."""

import typing
from collections.abc import Callable, Sequence
from typing import Any

from utilmeta.core.api.base import API
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.api.signature import resolve_hints
from utilmeta.core.response import Response
from utilmeta.core.response.finish import Finisher
from utilmeta.core.response.response import make_checker, result_type
from utilmeta.utils.annotations import union_members


def template_of(classes: Sequence[type[API]]) -> type[Response[Any]]:
    """Return the template of the nearest class that has one."""
    return next(
        (cls.response for cls in reversed(classes) if cls.response is not Response), Response
    )


def error_template(classes: Sequence[type[API]]) -> type[Response[Any]] | None:
    """Return the nearest template of classes that has a place for messages; None without any."""
    found = (cls.response for cls in reversed(classes) if cls.response.message_key is not None)
    return next(found, None)


def make_finisher(
    template: type[Response[Any]],
    rules: CompileRules,
    *,
    returns: Any = None,
    status: int | None = None,
    null_is_json: bool = False,
    errors: type[Response[Any]] | None = None,
) -> Finisher:
    """Return how results become responses.

    Args:
        template: what plain results are put into.
        rules: what is known of the service.
        returns: the endpoint's return annotation, which may tell the type of the result.
        status: status of plain results; None follows their kind.
        null_is_json: whether None is JSON `null`.
        errors: template of errors where `template` has no place for them.

    Raises:
        ConfigError: the type of a strict template cannot be validated.
    """
    check = None
    if template.strict:
        arguments = [arg for arg in typing.get_args(returns) if not isinstance(arg, typing.TypeVar)]
        parametrized = typing.get_origin(returns) is template and arguments
        kind = arguments[0] if parametrized else result_type(template)
        check = make_checker(kind, template.__qualname__)
    return Finisher(
        encode=rules.encode,
        template=template,
        check=check,
        null_is_json=null_is_json,
        status=status,
        secure=rules.production,
        errors=template if template.message_key is not None else errors,
    )


def returned_template(returns: Any) -> type[Response[Any]] | None:
    """Return the response class that a return annotation names, the first of several."""
    for member in union_members(returns):
        for item in getattr(member, "__metadata__", ()):
            # Annotated[Iterator[T], SSEResponse], which type checkers know for a generator's.
            if isinstance(item, type) and issubclass(item, Response):
                return item
        origin = typing.get_origin(member) or member
        if isinstance(origin, type) and issubclass(origin, Response) and origin is not Response:
            return origin
    return None


def hook_finisher(
    function: Callable[..., Any], rules: CompileRules, template: type[Response[Any]]
) -> Finisher | None:
    """Return how a hook's results become responses; None for as the endpoint's.

    Args:
        function: the hook, whose return annotation may name a template.
        rules: what is known of the service.
        template: the endpoint's.
    """
    own = returned_template(resolve_hints(function, function.__qualname__).get("return"))
    return None if own is None or own is template else make_finisher(own, rules)
