"""From a tree of API classes to compiled operations."""

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from utilmeta.core.api.arguments import ParamsReader, default_maker, make_body_reader
from utilmeta.core.api.base import API
from utilmeta.core.api.decorators import ENDPOINT, ROUTE, VERBS, Declared, Route
from utilmeta.core.api.operation import Level, Operation
from utilmeta.core.api.signature import (
    Argument,
    function_arguments,
    is_body_type,
    make_argument,
    resolve_hints,
)
from utilmeta.core.api.template import Template, check_template, parse_template
from utilmeta.core.request import Request
from utilmeta.core.request.params import MISSING, Param, as_param
from utilmeta.utils.annotations import admits_none
from utilmeta.utils.exceptions import ConfigError

# Attributes of API itself, which no parameter, endpoint or nested API may hide.
_RESERVED = frozenset({"request", "parent", "response"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a class stands: its path, its classes, the parameters above it."""

    template: Template
    levels: tuple[Level, ...]
    params: tuple[Argument, ...]


def compile_api(root: type[API]) -> list[Operation]:
    """Return every operation below an API class.

    Raises:
        ConfigError: a declaration is wrong, or two endpoints answer for one method and path.
    """
    operations = list(_walk(root, Place(Template(), (), ())))
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], Operation] = {}
    for operation in operations:
        key = (operation.method, operation.template.shape())
        if key in seen:
            raise ConfigError(
                f"{operation.where} and {seen[key].where} both answer {operation.method} "
                f"{operation.template}; give one of them another path"
            )
        seen[key] = operation
    return operations


def _walk(cls: type[API], place: Place) -> Iterator[Operation]:
    where = _where(cls)
    if any(level.cls is cls for level in place.levels):
        raise ConfigError(f"{where}: the class is nested in itself")
    hints = resolve_hints(cls, where)
    params = _class_params(cls, hints, where)
    for argument in params:
        if any(argument.name == above.name for above in place.params):
            raise ConfigError(
                f"{where}: a class above has a parameter {argument.name!r} too; rename one of them"
            )
    level = Level(cls=cls, names=frozenset(argument.name for argument in params))
    here = Place(place.template, (*place.levels, level), (*place.params, *params))
    for name, function, declared in _endpoints(cls):
        if name in _RESERVED:
            raise ConfigError(f"{where}.{name}: this name is the API's own; choose another")
        yield from _compile(cls, name, function, declared, here)
    for name, child, templates in _children(cls, hints, where):
        for text in templates:
            rest = frozenset(_rest_names(params))
            template = here.template + parse_template(text, where=f"{where}.{name}", rest=rest)
            yield from _walk(child, Place(template, here.levels, here.params))


def _where(target: Any) -> str:
    try:
        _, line = inspect.getsourcelines(target)
        file = inspect.getsourcefile(target)
    except (OSError, TypeError):
        return f"{target.__module__}.{target.__qualname__}"
    return f"{target.__qualname__} ({file}:{line})"


def _class_params(cls: type[API], hints: dict[str, Any], where: str) -> list[Argument]:
    found: dict[str, Argument] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if as_param(value) is not None:
                found[name] = make_argument(name, hints.get(name, MISSING), value, where)
    for name, hint in hints.items():
        if name not in found and typing.get_origin(hint) is typing.Annotated:
            argument = make_argument(name, hint, getattr(cls, name, MISSING), where)
            if argument.param is not None:
                found[name] = argument
    for name in found.keys() & (_RESERVED | set(VERBS)):
        raise ConfigError(f"{where}.{name}: this name is the API's own; choose another")
    return list(found.values())


def _endpoints(cls: type[API]) -> Iterator[tuple[str, Callable[..., Any], Declared]]:
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        function = getattr(cls, name, None)
        if not inspect.isfunction(function):
            continue
        declared = getattr(function, ENDPOINT, None)
        if declared is None and name in VERBS:
            declared = Declared(method=name.upper(), templates=("",))
        if declared is not None:
            if declared.templates is None:
                own = name.upper() == declared.method
                declared = replace(declared, templates=("",) if own else (name,))
            yield name, function, declared


def _children(
    cls: type[API], hints: dict[str, Any], where: str
) -> Iterator[tuple[str, type[API], tuple[str, ...]]]:
    names = dict.fromkeys(
        [*hints, *(name for base in reversed(cls.__mro__) for name in vars(base))]
    )
    for name in names:
        value, hint = getattr(cls, name, None), hints.get(name)
        child = value if _is_api(value) else hint
        if name.startswith("__") or child is None or not _is_api(child):
            if isinstance(value, Route):
                raise ConfigError(
                    f"{where}.{name}: api.route(...) needs an API class as annotation"
                )
            continue
        if name in _RESERVED:
            raise ConfigError(f"{where}.{name}: this name is the API's own; choose another")
        if isinstance(value, Route):
            yield name, child, value.templates
        else:
            yield name, child, getattr(child, ROUTE, None) or (name,)


def _is_api(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, API) and value is not API


def _rest_names(arguments: list[Argument]) -> Iterator[str]:
    for argument in arguments:
        if argument.param is not None and argument.param.convertor == "rest":
            yield argument.name


def _compile(
    cls: type[API], name: str, function: Callable[..., Any], declared: Declared, place: Place
) -> Iterator[Operation]:
    where = f"{cls.__name__}.{name}"
    own = function_arguments(function, where)
    rest = frozenset(_rest_names([*place.params, *own]))
    for text in declared.templates or ():
        template = place.template + parse_template(text, where=where, rest=rest)
        check_template(template, where)
        for variant in _variants(template, own):
            yield _operation(where, function, declared, place, variant, own)


def _variants(template: Template, own: list[Argument]) -> Iterator[Template]:
    """Yield the template, and the shorter ones that leave out trailing optional parameters."""
    yield template
    optional = {argument.name for argument in own if argument.has_default}
    segments = template.segments
    while (
        segments and segments[-1].kind in {"variable", "rest"} and segments[-1].names[0] in optional
    ):
        segments = segments[:-1]
        yield Template(segments)


def _operation(
    where: str,
    function: Callable[..., Any],
    declared: Declared,
    place: Place,
    template: Template,
    own: list[Argument],
) -> Operation:
    spot = _where(function)
    names = {argument.name for argument in own}
    for argument in place.params:
        if argument.name in names:
            raise ConfigError(
                f"{spot}: {argument.name!r} is a parameter of the class above it as well; "
                f"use self.{argument.name} and drop the argument"
            )
    arguments = [_placed(item, template, declared, spot) for item in (*place.params, *own)]
    known = {argument.name for argument in arguments}
    whole = any(
        item.param is not None and item.param.whole and item.param.place == "path"
        for item in arguments
    )
    for name in template.names:
        if name not in known and not whole:
            takes = ", ".join(repr(item.name) for item in own) or "nothing"
            raise ConfigError(
                f"{spot}: the path {template} names {name!r} but the function takes {takes}; "
                "rename one of them"
            )
    body = [item for item in arguments if item.param is not None and item.param.place == "body"]
    absent = [item for item in arguments if _is_absent(item, template)]
    others = [item for item in arguments if item not in body and item not in absent]
    makers = {item.name: default_maker(item) for item in absent}
    if body and declared.method == "GET":
        raise ConfigError(
            f"{spot}: {body[0].name!r} is a body, which GET has not; use request.Query for a "
            "model of query parameters"
        )
    return Operation(
        where=where,
        method=declared.method,
        template=template,
        function=function,
        levels=place.levels,
        is_async=inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
        params=ParamsReader(others, spot) if others else None,
        body=make_body_reader(body, spot),
        absent={name: make for name, make in makers.items() if make is not None},
        status=declared.status,
        null_is_json=admits_none(resolve_hints(function, spot).get("return")),
    )


def _is_absent(argument: Argument, template: Template) -> bool:
    """Return whether an optional path parameter is not part of this variant of the path."""
    return (
        argument.param is not None
        and argument.param.place == "path"
        and not argument.param.whole
        and argument.name not in template.names
    )


def _placed(argument: Argument, template: Template, declared: Declared, where: str) -> Argument:
    """Return the argument with its place worked out."""
    in_path = argument.name in template.names
    param = argument.param
    if param is not None:
        if param.place == "path" and not param.whole and not in_path and not argument.has_default:
            raise ConfigError(
                f"{where}: {argument.name!r} is a path parameter but the path {template} does "
                f"not name it; put {{{argument.name}}} into the path"
            )
        if in_path and param.place != "path":
            raise ConfigError(
                f"{where}: {argument.name!r} is a {param.place} parameter but the path {template} "
                "names it; rename one of them"
            )
        return argument
    if isinstance(argument.annotation, type) and issubclass(argument.annotation, Request):
        raise ConfigError(f"{where}: the request is self.request; drop {argument.name!r}")
    if in_path:
        return replace(argument, param=Param(kind="PathParam", place="path"))
    if is_body_type(argument.annotation) and declared.method != "GET":
        return replace(argument, param=Param(kind="Body", place="body", whole=True))
    if is_body_type(argument.annotation):
        raise ConfigError(
            f"{where}: {argument.name!r} is a model, which would be the body, but GET has none; "
            "write '= request.Query' to take it from the query string"
        )
    return replace(argument, param=Param(kind="QueryParam", place="query"))
