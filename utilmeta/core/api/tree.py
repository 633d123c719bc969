"""The tree of API classes: what each class holds, and what lies below it."""

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from utilmeta.core.api.base import API, RESERVED, is_api
from utilmeta.core.api.calls import original
from utilmeta.core.api.declared import ENDPOINT, ROUTE, VERBS, About, Declared, place_of
from utilmeta.core.api.decorators import Reference, Route
from utilmeta.core.api.signature import Argument, make_argument, resolve_hints
from utilmeta.core.api.template import Template, parse_template
from utilmeta.core.request.params import MISSING, as_param
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.references import load_reference


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a class stands.

    Attributes:
        template: its path.
        classes: from the root to it.
        params: the parameters of each of these classes.
        starts: how many segments of the path lie above each of them.
        names: the attributes that lead from class to class.
        about: what is said of everything below.
    """

    template: Template = field(default_factory=Template)
    classes: tuple[type[API], ...] = ()
    params: tuple[tuple[Argument, ...], ...] = ()
    starts: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    about: About = field(default_factory=About)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it was declared.

    Attributes:
        name: the method's name.
        function: the method as decorated.
        declared: what its decorator says.
    """

    name: str
    function: Callable[..., Any]
    declared: Declared

    @property
    def raw(self) -> Callable[..., Any]:
        """The method as it was written."""
        found: Callable[..., Any] = original(self.function)
        return found


def walk(cls: type[API], place: Place | None = None) -> Iterator[tuple[Place, Endpoint | None]]:
    """Yield every class of a tree (with None), followed by its endpoints, depth first.

    Raises:
        ConfigError: a declaration is wrong.
    """
    above = place or Place()
    where = place_of(cls)
    if cls in above.classes:
        raise ConfigError(f"{where}: the class is nested in itself")
    hints = resolve_hints(cls, where)
    params = tuple(class_params(cls, hints, where))
    for argument in params:
        if any(argument.name == other.name for found in above.params for other in found):
            raise ConfigError(
                f"{where}: a class above has a parameter {argument.name!r} too; rename one of them"
            )
    here = replace(
        above,
        classes=(*above.classes, cls),
        params=(*above.params, params),
        starts=(*above.starts, len(above.template.segments)),
        about=_about(cls).below(above.about),
    )
    yield here, None
    for endpoint in endpoints(cls):
        if endpoint.name in RESERVED:
            raise ConfigError(
                f"{where}.{endpoint.name}: this name is the API's own; choose another"
            )
        yield here, endpoint
    rest = frozenset(rest_names(params))
    for name, child, route in children(cls, hints, where):
        for text in route.templates or (name,):
            template = here.template + parse_template(text, where=f"{where}.{name}", rest=rest)
            below = replace(
                here,
                template=template,
                names=(*here.names, name),
                about=route.about.below(here.about),
            )
            yield from walk(child, below)


def _about(cls: type[API]) -> About:
    route = getattr(cls, ROUTE, None)
    return route.about if isinstance(route, Route) else About()


def class_params(cls: type[API], hints: dict[str, Any], where: str) -> Iterator[Argument]:
    """Yield the parameters that a class has for every endpoint below it.

    Raises:
        ConfigError: one has a name that is the API's own, or is declared twice over.
    """
    found: dict[str, Argument] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if not name.startswith("__") and as_param(value) is not None:
                found[name] = make_argument(name, hints.get(name, MISSING), value, where)
    for name, hint in hints.items():
        if name not in found and typing.get_origin(hint) is typing.Annotated:
            argument = make_argument(name, hint, getattr(cls, name, MISSING), where)
            if argument.param is not None:
                found[name] = argument
    for name in found.keys() & (RESERVED | set(VERBS)):
        raise ConfigError(f"{where}.{name}: this name is the API's own; choose another")
    yield from found.values()


def endpoints(cls: type[API]) -> Iterator[Endpoint]:
    """Yield the endpoints of a class, those of its bases included."""
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        function = inspect.getattr_static(cls, name, None)
        if not inspect.isfunction(function):
            continue
        declared: Declared | None = getattr(function, ENDPOINT, None)
        if declared is None and name in VERBS:
            declared = Declared(method=name.upper(), templates=("",))
        if declared is not None:
            if declared.templates is None:
                own = name.upper() == declared.method
                declared = replace(declared, templates=("",) if own else (name,))
            yield Endpoint(name, function, declared)


def children(
    cls: type[API], hints: dict[str, Any], where: str
) -> Iterator[tuple[str, type[API], Route]]:
    """Yield name, class and path of what is nested in a class.

    Raises:
        ConfigError: a reference or a path leads to no API class.
    """
    names = dict.fromkeys(
        [*hints, *(name for base in reversed(cls.__mro__) for name in vars(base))]
    )
    for name in names:
        if name.startswith("__"):
            continue
        value, child = getattr(cls, name, None), hints.get(name)
        if is_api(value):
            child = value
        elif isinstance(value, Reference):
            child = load_reference(value.target, what=f"{where}.{name} = api.ref(...)")
        if not is_api(child):
            if isinstance(value, Route):
                raise ConfigError(
                    f"{where}.{name}: api.route(...) needs an API class as annotation"
                )
            if isinstance(value, Reference):
                raise ConfigError(
                    f"{where}.{name}: api.ref({value.target!r}) is {child!r}, expected an API class"
                )
            continue
        if name in RESERVED:
            raise ConfigError(f"{where}.{name}: this name is the API's own; choose another")
        own = getattr(child, ROUTE, None)
        route = value if isinstance(value, Route) else own
        yield name, child, route if isinstance(route, Route) else Route(None)


def rest_names(arguments: tuple[Argument, ...] | list[Argument]) -> Iterator[str]:
    """Yield the names of path parameters that take everything that follows."""
    for argument in arguments:
        if argument.param is not None and argument.param.convertor == "rest":
            yield argument.name
