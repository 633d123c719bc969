"""Readers that turn a request into validated arguments; built once for each operation."""

import copy
import typing
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, NotRequired

import pydantic
from pydantic_core import ErrorDetails, SchemaError
from typing_extensions import TypedDict

from utilmeta.core.api.signature import Argument
from utilmeta.core.request import Request
from utilmeta.core.request.params import MISSING, Param, Place
from utilmeta.core.request.query import decode, split_list
from utilmeta.core.request.shapes import TEXT, FieldReader, Shape, shape_of
from utilmeta.utils.annotations import is_many, member_names, takes_others, text_values
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.masking import MASK, is_secret, mask

Values = dict[str, Any]
Source = Callable[[Request], Mapping[str, Any]]

# Type forms made at run time, which type checkers cannot follow.
_annotated: Any = Annotated
_not_required: Any = NotRequired
_optional: Any = typing.Optional
_typed_dict: Any = TypedDict

# Faults that one place of a request is told of.
MAX_FAULTS = 100

# Longest text of a refused value that an answer repeats.
_SHOWN = 200


def wire_name(argument: Argument) -> str:
    """Return the name an argument has in the request."""
    param = argument.param
    if param is not None and param.alias is not None:
        return param.alias.lower() if param.place == "header" else param.alias
    if param is not None and param.place == "header":
        return argument.name.replace("_", "-")
    return argument.name


class ParamsReader:
    """Reads and validates all path, query, header and cookie arguments in one call.

    Args:
        arguments: those with such a place.
        where: the endpoint, for messages.
    """

    def __init__(self, arguments: list[Argument], where: str) -> None:
        self._sources: list[tuple[str, Source]] = []
        self._wholes: dict[str, str] = {}
        fields: dict[str, Any] = {}
        places: tuple[Place, ...] = ("path", "query", "header", "cookie")
        for place in places:
            mine = [argument for argument in arguments if _place(argument) == place]
            parts = [item for item in mine if not (item.param is not None and item.param.whole)]
            # Each hook reads for itself: it may take the same name as another type.
            for index, owner in enumerate(dict.fromkeys(item.owner for item in parts)):
                own = [item for item in parts if item.owner == owner]
                name = place if index == 0 else f"{place} of {index}"
                fields[name] = typed_dict(place, own)
                self._sources.append((name, _part_source(place, own)))
            for index, whole in enumerate(item for item in mine if item not in parts):
                # The place comes first, so that faults can be told by it.
                name = f"{place} {index}"
                fields[name] = whole.annotation
                self._wholes[name] = whole.key
                others = _names_of([item for item in mine if item is not whole])
                self._sources.append((name, _whole_source(place, whole, where, others)))
        self._validate = adapter_of(_typed_dict("Params", fields), where).validate_python

    def read(self, request: Request, faults: list[dict[str, object]]) -> Values:
        """Return the arguments by key; what is wrong is added to `faults`."""
        data = {name: source(request) for name, source in self._sources}
        try:
            valid = self._validate(data)
        except pydantic.ValidationError as exc:
            faults.extend(explain_all(exc.errors(include_url=False)))
            return {}
        values: Values = {}
        for name, members in valid.items():
            if name in self._wholes:
                values[self._wholes[name]] = members
            else:
                values.update(members)
        return values


def _place(argument: Argument) -> str:
    return argument.param.place if argument.param is not None else "query"


def typed_dict(name: str, arguments: list[Argument]) -> Any:
    """Return a type whose members are these arguments, read by their names in the request."""
    return _typed_dict(name, {item.key: field_of(item) for item in arguments})


def field_of(argument: Argument) -> Any:
    """Return the annotation that validates an argument, with its name in the request."""
    param = argument.param or Param(kind="QueryParam", place="query")
    info = param.field_info(alias=wire_name(argument), default=argument.default)
    annotation = argument.annotation
    values = None if param.place == "body" else text_values(annotation)
    if values is not None:
        known = values
        annotation = _annotated[
            annotation,
            pydantic.BeforeValidator(lambda v: known.get(v, v) if isinstance(v, str) else v),
        ]
    if argument.default is None:
        annotation = _optional[annotation]
    field = _annotated[annotation, info]
    return field if info.is_required() else _not_required[field]


def adapter_of(form: Any, where: str) -> pydantic.TypeAdapter[Any]:
    """Return the validator of a type.

    Raises:
        ConfigError: it cannot be validated.
    """
    try:
        return pydantic.TypeAdapter(form)
    except (pydantic.errors.PydanticUserError, SchemaError, TypeError, ValueError) as exc:
        raise ConfigError(f"{where}: an argument's type cannot be validated: {exc}") from exc


def _part_source(place: Place, arguments: list[Argument]) -> Source:
    if place == "path":
        return lambda request: request.path_params
    if place == "cookie":
        return lambda request: request.cookies
    if place == "header":
        return _header_source({wire_name(item): is_many(item.annotation) for item in arguments})
    return _query_source({wire_name(item): item.annotation for item in arguments})


def _header_source(many: Mapping[str, bool]) -> Source:
    def headers(request: Request) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, is_list in many.items():
            value = request.raw.header(name)
            if value is not None:
                found[name] = [part.strip() for part in value.split(",")] if is_list else value
        return found

    return headers


def _query_source(members: Mapping[str, Any], others: Shape | None = None) -> Source:
    shapes = {name: shape_of(annotation) for name, annotation in members.items()}
    read = FieldReader(shapes, decode=decode, split=split_list, others=others).read
    return lambda request: read(request.encoded_query)


def _names_of(arguments: list[Argument]) -> frozenset[str]:
    """Return the names that arguments take from their place."""
    names: set[str] = set()
    for item in arguments:
        if item.param is not None and item.param.whole:
            names.update(member_names(item.annotation) or ())
        else:
            names.add(wire_name(item))
    return frozenset(names)


def _without(source: Source, names: frozenset[str]) -> Source:
    """Return a source without what other arguments take, which this one would keep or refuse."""

    def read(request: Request) -> dict[str, Any]:
        return {name: value for name, value in source(request).items() if name not in names}

    return read


def _whole_source(place: Place, argument: Argument, where: str, others: frozenset[str]) -> Source:
    members = member_names(argument.annotation)
    if place == "query":
        if members is None and shape_of(argument.annotation).kind in {"text", "many"}:
            raise ConfigError(
                f"{where}: {argument.name!r} is the whole query, which has named fields; its type "
                "is a model, a dataclass, a typed dictionary or a dict"
            )
        if members is None:
            return _query_source({}, shape_of(argument.annotation).item or TEXT)
        if not takes_others(argument.annotation):
            return _query_source(members)
        source = _query_source(members, TEXT)
        foreign = others - frozenset(members)
        return _without(source, foreign) if foreign else source
    if place == "header":
        if members is None:
            return lambda request: dict(request.headers)
        names = {name.replace("_", "-").lower(): name for name in members}
        source = _header_source({wire: is_many(members[name]) for wire, name in names.items()})
        return lambda request: {names[wire]: value for wire, value in source(request).items()}
    return _part_source(place, [])


def default_maker(argument: Argument) -> Callable[[], object] | None:
    """Return what makes an argument's default anew for each request; None without a default."""
    param = argument.param
    if param is not None and param.default_factory is not None:
        return param.default_factory
    declared = MISSING if param is None else param.default
    default = argument.default if declared is MISSING else declared
    return None if default is MISSING else partial(copy.deepcopy, default)


def check_default(argument: Argument, where: str) -> None:
    """Refuse a plain default of another type than the argument's, which no request could send.

    Constraints are left alone: a default may stand for something that cannot be sent.

    Raises:
        ConfigError: it is one.
    """
    param = argument.param
    declared = MISSING if param is None else param.default
    default = argument.default if declared is MISSING else declared
    if type(default) not in (bool, int, float, str):
        return
    try:
        adapter_of(argument.annotation, where).validate_python(default)
    except pydantic.ValidationError as exc:
        message = exc.errors(include_url=False)[0]["msg"]
        raise ConfigError(
            f"{where}: the default {default!r} of {argument.name!r} does not fit its type: "
            f"{message}"
        ) from exc


def explain_all(errors: list[ErrorDetails], *, root: str | None = None) -> list[dict[str, object]]:
    """Return the first faults as they are answered; a long list of them helps nobody."""
    return [explain(error, root=root) for error in errors[:MAX_FAULTS]]


def explain(error: ErrorDetails, *, root: str | None = None) -> dict[str, object]:
    """Return a fault as it is answered: its place, what was expected, what was got.

    Args:
        error: pydantic's description.
        root: put before the place.
    """
    place, is_hidden = _place_of(error["loc"], root)
    fault: dict[str, object] = {"place": place, "code": error["type"], "expected": error["msg"]}
    if error["type"] != "missing":
        fault["got"] = MASK if is_hidden else _shorten(error["input"])
        if is_hidden:
            fault["expected"] = "a valid value"
    return fault


def _place_of(location: tuple[int | str, ...], root: str | None) -> tuple[str, bool]:
    """Return a fault's place as text, and whether what is there is a secret."""
    parts = [part if part.__class__ is str else str(part) for part in location]
    if root is not None:
        parts.insert(0, root)
    elif parts:
        # A whole place is known by its number too.
        parts[0] = parts[0].partition(" ")[0]
    for part in parts:
        if is_secret(part):
            return ".".join(parts), True
    return ".".join(parts), False


def _shorten(value: object) -> object:
    """Return a value, secrets masked, no longer than it may be shown."""
    if value is None or isinstance(value, bool | int | float):
        return value
    masked = mask(value)
    text = masked if isinstance(masked, str) else repr(masked)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
