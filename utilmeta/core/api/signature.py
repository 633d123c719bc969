"""What a function or an API class asks of a request."""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pydantic
from typing_extensions import is_typeddict

from utilmeta.core.request.params import MISSING, Param, ParamKind, as_param
from utilmeta.utils.annotations import SEQUENCES, admits_none, strip_optional
from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of an endpoint, or one parameter of an API class.

    Attributes:
        name: its Python name.
        annotation: its type, without the parameter's own marker.
        param: where it comes from; None when that is still to be worked out.
        default: Python default, `MISSING` without one.
        owner: whose argument it is: `''` for the endpoint and the API classes, a hook's name.
    """

    name: str
    annotation: Any
    param: Param | None
    default: object = MISSING
    owner: str = ""

    @property
    def key(self) -> str:
        """Its name among all values of an operation."""
        return f"{self.owner}:{self.name}" if self.owner else self.name

    @property
    def has_default(self) -> bool:
        """Whether it may be left out."""
        if self.param is not None and not self.param.required:
            return True
        return self.default is not MISSING


def function_arguments(
    function: Callable[..., Any], where: str, *, given: int = 1, owner: str = ""
) -> list[Argument]:
    """Return the arguments of an endpoint or a hook that a request fills.

    Args:
        function: the method.
        where: its name, for messages.
        given: how many arguments are given otherwise; `self` is the first.
        owner: put on each argument.

    Raises:
        ConfigError: an annotation cannot be resolved, there is no `self`, or an argument is
            positional-only or a `*args`/`**kwargs`.
    """
    hints = resolve_hints(function, where)
    parameters = list(inspect.signature(function).parameters.values())
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not parameters or parameters[0].kind not in positional:
        raise ConfigError(f"{where}: an endpoint is a method; give it 'self' as its first argument")
    found = [_argument(parameter, hints, where) for parameter in parameters[given:]]
    return [replace(argument, owner=owner) for argument in found] if owner else found


def _argument(parameter: inspect.Parameter, hints: Mapping[str, Any], where: str) -> Argument:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise ConfigError(
            f"{where}: {parameter} cannot be filled from a request; name each argument"
        )
    default = MISSING if parameter.default is parameter.empty else parameter.default
    annotation = hints.get(parameter.name, MISSING)
    return make_argument(parameter.name, annotation, default, where)


def make_argument(name: str, annotation: Any, default: object, where: str) -> Argument:
    """Return an argument from its annotation and default, whichever holds the marker.

    A type that admits None may be left out of the request.

    Raises:
        ConfigError: both hold one.
    """
    declared = as_param(default)
    annotation, annotated = _split_annotated(annotation)
    if declared is not None and annotated is not None:
        raise ConfigError(f"{where}: {name!r} is declared both in Annotated and as default")
    if annotation is MISSING:
        annotation = str if declared is None or not declared.whole else dict[str, Any]
        if declared is None and default is not MISSING and default is not None:
            annotation = type(default)
    plain = MISSING if declared is not None else default
    param = declared or annotated
    # Some types say themselves where their values come from.
    own = getattr(strip_optional(annotation), "__utilmeta_param__", None)
    if own is not None and (param is None or param.place == "context"):
        param = own() or param
    if param is not None and param.place == "context":
        return Argument(name=name, annotation=annotation, param=param)
    if plain is MISSING and admits_none(annotation):
        plain = None
    return Argument(name=name, annotation=annotation, param=declared or annotated, default=plain)


def _split_annotated(annotation: Any) -> tuple[Any, Param | None]:
    if typing.get_origin(annotation) is not typing.Annotated:
        return annotation, None
    base, *metadata = typing.get_args(annotation)
    markers = [item for item in metadata if isinstance(item, Param | ParamKind)]
    others = [item for item in metadata if not isinstance(item, Param | ParamKind)]
    if others:
        base = typing.Annotated[(base, *others)]
    return base, as_param(markers[-1]) if markers else None


def resolve_hints(target: Any, where: str) -> dict[str, Any]:
    """Return the annotations, names resolved.

    Raises:
        ConfigError: a name does not exist.
    """
    try:
        return typing.get_type_hints(target, include_extras=True)
    except (AttributeError, SyntaxError, TypeError) as exc:
        raise ConfigError(f"{where}: an annotation cannot be resolved: {exc}") from exc
    except NameError as exc:
        raise ConfigError(
            f"{where}: an annotation names {exc.name!r}, which does not exist"
        ) from exc


def is_body_type(annotation: Any) -> bool:
    """Return whether a bare argument of this type is the body: a model, a mapping, or many."""
    annotation = strip_optional(annotation)
    origin = typing.get_origin(annotation) or annotation
    if origin in SEQUENCES:
        return any(is_body_type(item) for item in typing.get_args(annotation) if item is not ...)
    if not isinstance(origin, type):
        return False
    return (
        issubclass(origin, pydantic.BaseModel | dict)
        or origin is Mapping
        or is_typeddict(origin)
        or hasattr(origin, "__dataclass_fields__")
    )
