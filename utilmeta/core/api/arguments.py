"""Readers that turn a request into validated arguments; built once for each operation."""

import copy
import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NotRequired

import pydantic
from pydantic_core import ErrorDetails, SchemaError
from typing_extensions import TypedDict

from utilmeta.core.api.signature import Argument, member_names
from utilmeta.core.file import File
from utilmeta.core.request import Request
from utilmeta.core.request.params import MISSING, Param, Place
from utilmeta.core.request.query import decode, split_list
from utilmeta.utils.annotations import is_many
from utilmeta.utils.exceptions import BadRequest, ConfigError, UnsupportedMediaType
from utilmeta.utils.masking import MASK, is_secret, mask

Values = dict[str, Any]
Source = Callable[[Request], Mapping[str, Any]]

# Type forms made at run time, which type checkers cannot follow.
_annotated: Any = Annotated
_not_required: Any = NotRequired
_optional: Any = typing.Optional
_typed_dict: Any = TypedDict

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
        self._sources: list[tuple[Place, Source]] = []
        fields: dict[str, Any] = {}
        self._wholes: dict[str, str] = {}
        places: tuple[Place, ...] = ("path", "query", "header", "cookie")
        for place in places:
            mine = [argument for argument in arguments if _place(argument) == place]
            if mine:
                fields[place] = self._place(place, mine, where)
        self._validate = _adapter(_typed_dict("Params", fields), where).validate_python

    def _place(self, place: Place, arguments: list[Argument], where: str) -> Any:
        wholes = [item for item in arguments if item.param is not None and item.param.whole]
        if wholes:
            if len(arguments) > 1:
                raise ConfigError(
                    f"{where}: {wholes[0].name!r} is the whole {place}, so no other argument can "
                    "be a part of it; put those into its class"
                )
            argument = wholes[0]
            self._wholes[place] = argument.name
            self._sources.append((place, _whole_source(place, argument)))
            return argument.annotation
        many = {wire_name(item): is_many(item.annotation) for item in arguments}
        self._sources.append((place, _member_source(place, many)))
        return _typed_dict(place, {item.name: _field(item) for item in arguments})

    def read(self, request: Request, faults: list[dict[str, object]]) -> Values:
        """Return the arguments by name; what is wrong is added to `faults`."""
        data = {place: source(request) for place, source in self._sources}
        try:
            valid = self._validate(data)
        except pydantic.ValidationError as exc:
            faults.extend(explain(error) for error in exc.errors(include_url=False))
            return {}
        values: Values = {}
        for place, members in valid.items():
            if place in self._wholes:
                values[self._wholes[place]] = members
            else:
                values.update(members)
        return values


def _place(argument: Argument) -> str:
    return argument.param.place if argument.param is not None else "query"


def _field(argument: Argument) -> Any:
    param = argument.param or Param(kind="QueryParam", place="query")
    info = param.field_info(alias=wire_name(argument), default=argument.default)
    annotation = argument.annotation
    if argument.default is None:
        annotation = _optional[annotation]
    field = _annotated[annotation, info]
    return field if info.is_required() else _not_required[field]


def _adapter(form: Any, where: str) -> pydantic.TypeAdapter[Any]:
    try:
        return pydantic.TypeAdapter(form)
    except (pydantic.errors.PydanticUserError, SchemaError, TypeError, ValueError) as exc:
        raise ConfigError(f"{where}: an argument's type cannot be validated: {exc}") from exc


def _member_source(place: Place, many: Mapping[str, bool]) -> Source:
    if place == "path":
        return lambda request: request.path_params
    if place == "cookie":
        return lambda request: request.cookies
    if place == "header":

        def headers(request: Request) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for name, is_list in many.items():
                value = request.raw.header(name)
                if value is not None:
                    found[name] = [part.strip() for part in value.split(",")] if is_list else value
            return found

        return headers

    def query(request: Request) -> dict[str, Any]:
        encoded = request.encoded_query
        found: dict[str, Any] = {}
        for name, is_list in many.items():
            values = encoded.get(name)
            if values is not None:
                found[name] = split_list(values) if is_list else decode(values[-1])
        return found

    return query


def _whole_source(place: Place, argument: Argument) -> Source:
    members = member_names(argument.annotation)
    if members is not None and place == "query":
        return _member_source(place, {name: is_many(hint) for name, hint in members.items()})
    if members is not None and place == "header":
        names = {name.replace("_", "-").lower(): name for name in members}
        many = {wire: is_many(members[name]) for wire, name in names.items()}
        source = _member_source(place, many)
        return lambda request: {names[wire]: value for wire, value in source(request).items()}
    if place == "query":
        return lambda request: dict(request.query)
    if place == "header":
        return lambda request: dict(request.headers)
    return _member_source(place, {})


@dataclass(frozen=True, slots=True)
class BodyReader:
    """Reads and validates the body.

    Attributes:
        name: the argument that takes it; None when its members are arguments of their own.
        kind: `json`, `text`, `bytes`, `file` or `stream`.
        validate: from JSON bytes to the value; None for the other kinds.
        media_type: the accepted media type.
        limit: bytes; None takes the service's.
        make_default: makes the value of an empty body; None when there must be one.
    """

    name: str | None
    kind: str
    validate: Callable[[bytes], Any] | None
    media_type: str | None
    limit: int | None
    make_default: Callable[[], object] | None

    def check(self, request: Request) -> None:
        """Check the media type before anything is read.

        Raises:
            UnsupportedMediaType: it is not the accepted one.
        """
        if self.media_type is None:
            return
        got = request.content_type
        if got == self.media_type:
            return
        if self.media_type == "application/json" and got is not None and got.endswith("+json"):
            return
        if self.make_default is not None and got is None:
            return
        raise UnsupportedMediaType(
            f"The body is {got or 'of no declared type'}, expected {self.media_type}"
        )

    def read(self, request: Request, body: bytes, faults: list[dict[str, object]]) -> Values:
        """Return the arguments the body stands for; what is wrong is added to `faults`."""
        if not body and self.make_default is not None:
            if self.name is not None:
                return {self.name: self.make_default()}
            body = b"{}"
        if self.validate is None:
            return {str(self.name): self._plain(request, body, faults)}
        try:
            value = self.validate(body)
        except pydantic.ValidationError as exc:
            for error in exc.errors(include_url=False):
                if error["type"] == "json_invalid":
                    raise BadRequest(f"The body is not JSON: {error['msg']}") from None
                faults.append(explain(error, root="body"))
            return {}
        return value if self.name is None else {self.name: value}

    def _plain(self, request: Request, body: bytes, faults: list[dict[str, object]]) -> object:
        if self.kind == "text":
            try:
                return body.decode()
            except UnicodeDecodeError:
                faults.append({"place": "body", "code": "utf8", "expected": "UTF-8 text"})
                return ""
        if self.kind == "file":
            return File(body, content_type=request.content_type or "application/octet-stream")
        return body

    def limit_for(self, request: Request) -> int | None:
        """Return the bytes the body may have."""
        return request.rules.max_body_size if self.limit is None else self.limit


def make_body_reader(arguments: list[Argument], where: str) -> BodyReader | None:
    """Return the reader of an operation's body, None when it takes none.

    Raises:
        ConfigError: two arguments are the whole body, or a type cannot be validated.
    """
    if not arguments:
        return None
    wholes = [item for item in arguments if item.param is not None and item.param.whole]
    if len(wholes) > 1:
        names = " and ".join(repr(item.name) for item in wholes)
        raise ConfigError(f"{where}: {names} are both the whole body")
    if wholes and len(arguments) > 1:
        raise ConfigError(
            f"{where}: {wholes[0].name!r} is the whole body, so no other argument can be a part "
            "of it; put those into its class"
        )
    if not wholes:
        form = _typed_dict("Body", {item.name: _field(item) for item in arguments})
        optional = all(item.has_default for item in arguments)
        adapter = _adapter(form, where)
        return BodyReader(
            name=None,
            kind="json",
            validate=adapter.validate_json,
            media_type="application/json",
            limit=None,
            make_default=dict if optional else None,
        )
    return _whole_body(wholes[0], where)


def default_maker(argument: Argument) -> Callable[[], object] | None:
    """Return what makes an argument's default anew for each request; None without a default."""
    param = argument.param
    if param is not None and param.default_factory is not None:
        return param.default_factory
    declared = MISSING if param is None else param.default
    default = argument.default if declared is MISSING else declared
    return None if default is MISSING else partial(copy.deepcopy, default)


def _whole_body(argument: Argument, where: str) -> BodyReader:
    param = argument.param
    assert param is not None  # noqa: S101 - the caller picked arguments that have one
    kind, media_type = _body_kind(argument.annotation)
    validate = None
    if kind == "json":
        form = _annotated[argument.annotation, param.field_info(default=argument.default)]
        validate = _adapter(form, where).validate_json
    return BodyReader(
        name=argument.name,
        kind=kind,
        validate=validate,
        media_type=param.content_type or media_type,
        limit=param.max_bytes,
        make_default=default_maker(argument),
    )


def _body_kind(annotation: Any) -> tuple[str, str | None]:
    origin = typing.get_origin(annotation) or annotation
    if origin is bytes:
        return "bytes", None
    if origin is str:
        return "text", "text/plain"
    if origin is File:
        return "file", None
    if origin in (Iterator, AsyncIterator):
        return "stream", None
    return "json", "application/json"


def explain(error: ErrorDetails, *, root: str | None = None) -> dict[str, object]:
    """Return a fault as it is answered: its place, what was expected, what was got.

    Args:
        error: pydantic's description.
        root: put before the place.
    """
    parts = [str(part) for part in error["loc"]]
    place = ".".join([root, *parts] if root else parts)
    fault: dict[str, object] = {"place": place, "code": error["type"], "expected": error["msg"]}
    if error["type"] != "missing":
        secret = any(is_secret(part) for part in parts)
        fault["got"] = MASK if secret else _shorten(mask(error["input"]))
        if secret:
            fault["expected"] = "a valid value"
    return fault


def _shorten(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
