"""The base of every API class."""

import inspect
from importlib import import_module
from typing import Any, ClassVar, TypeGuard

from utilmeta.core.api.calls import with_defaults
from utilmeta.core.api.declared import ENDPOINT, HOOK, ROUTE, VERBS, place_of
from utilmeta.core.api.decorators import Pending, Reference, Route
from utilmeta.core.api.template import parse_template
from utilmeta.core.request import Request
from utilmeta.core.request.params import as_param
from utilmeta.core.response import Response
from utilmeta.utils.annotations import declared_hints
from utilmeta.utils.exceptions import ConfigError

# Attributes of API itself, which no parameter, endpoint or nested API may hide.
RESERVED = frozenset({"request", "parent", "response"})


class API:
    """A group of endpoints below one path; one instance is made for each request.

    Methods decorated with `@api.get` and the like are endpoints below the class's path; methods
    named `get post put patch delete` answer at the path itself. An attribute annotated with another
    API class nests it; an attribute with a request parameter as its value is a parameter of every
    endpoint below.

    Args:
        request: the request to answer.
        **params: values of the class's own parameters, when it is made by hand.

    Attributes:
        request: the request being answered.
        parent: the instance of the API this one is nested in, when that one is needed.
        response: the template of its answers; without one of its own, that of the nearest class
            above, else a plain `Response`.

    Raises:
        ConfigError: when declared: two endpoints answer for one method and path, two bases give
            different endpoints of one name, or a reserved name is used.
    """

    __utilmeta_route__: ClassVar[Route | None] = None
    response: ClassVar[type[Response[Any]]] = Response

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check what can be checked as soon as the class is declared."""
        super().__init_subclass__(**kwargs)
        _inherit_marks(cls)
        for name, value in list(vars(cls).items()):
            _check_attribute(cls, name, value)
            if name in VERBS and inspect.isfunction(value) and not hasattr(value, ENDPOINT):
                setattr(cls, name, with_defaults(value))
            elif _is_nested(name, value):
                setattr(cls, name, Nested(name, value))
        _check_bases(cls)
        _check_paths(cls)

    def __init__(self, request: Request, **params: Any) -> None:
        self.request = request
        self.parent: API | None = None
        if params:
            known = declared_params(type(self))
            for name in params:
                if name not in known:
                    raise TypeError(f"{type(self).__qualname__} has no parameter {name!r}")
            vars(self).update(params)

    def __getattr__(self, name: str) -> Any:
        """Return a nested API, or a parameter's default, that is declared by annotation only."""
        if not name.startswith("_"):
            hint = declared_hints(type(self)).get(name)
            if is_api(hint):
                return Caller(self, hint)
            for item in getattr(hint, "__metadata__", ()):
                param = as_param(item)
                if param is not None:
                    return param.__get__(self)
            if name in declared_params(type(self)):
                raise AttributeError(
                    f"{type(self).__qualname__} needs its parameter {name!r}; give it as in "
                    f"{type(self).__name__}(request, {name}=...)"
                )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def __as__(
        cls,
        backend: Any,
        route: str,
        asynchronous: bool | None = None,
    ) -> Any:
        """Put this API into an existing project.

        Args:
            backend: module, name or application object of the framework.
            route: path below which the API answers, such as `/v1`.
            asynchronous: as in `UtilMeta(asynchronous=...)`.

        Returns:
            For Django a URL pattern, for Tornado without an application a routing rule, otherwise
            the application, in which the API is now registered.

        Raises:
            ConfigError: the backend is unknown, or the API is declared wrongly.
            DependencyNotInstalled: the framework is missing.
        """
        # The service lives above this room, so it is fetched through the package's public door.
        service_class: Any = import_module("utilmeta").UtilMeta
        return service_class.adapt_api(cls, backend=backend, route=route, asynchronous=asynchronous)


class Nested:
    """A nested API as an attribute: the declaration on the class, a caller on an instance.

    Args:
        name: the attribute.
        value: the class, `api.route(...)` or `api.ref(...)`.
    """

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    def __get__(self, instance: API | None, owner: type[API]) -> Any:
        """Return what was declared, or a caller."""
        if instance is None:
            return self.value
        child: Any = self.value if is_api(self.value) else declared_hints(owner).get(self.name)
        if isinstance(self.value, Reference):
            from utilmeta.utils.references import load_reference

            child = load_reference(self.value.target, what="api.ref(...)")
        return Caller(instance, child)


class Caller:
    """A nested API called from Python: `self.comments.get(slug='a')`.

    The nested class's own parameters are given with the endpoint's arguments, or before them:
    `self.comments(slug='a').get()`.

    Args:
        parent: the instance whose request it shares.
        cls: the nested class.
    """

    def __init__(self, parent: API, cls: type[API]) -> None:
        self._parent = parent
        self._cls = cls

    def __call__(self, **params: Any) -> API:
        """Return an instance of the nested class."""
        instance = self._cls(self._parent.request, **params)
        instance.parent = self._parent
        if self._cls.response is Response:
            instance.response = self._parent.response  # type: ignore[misc]
        return instance

    def __getattr__(self, name: str) -> Any:
        """Return an endpoint that also takes the class's parameters, or another attribute."""
        found = getattr(self._cls, name, None)
        if not inspect.isfunction(found):
            return getattr(self(), name)

        def call(*args: Any, **kwargs: Any) -> Any:
            own = {key: kwargs.pop(key) for key in declared_params(self._cls) if key in kwargs}
            return getattr(self(**own), name)(*args, **kwargs)

        return call


def _is_nested(name: str, value: object) -> bool:
    is_ours = is_api(value) or isinstance(value, Route | Reference)
    return is_ours and not name.startswith("__") and name not in RESERVED


def is_api(value: object) -> TypeGuard[type[API]]:
    """Return whether a value is an API class."""
    return isinstance(value, type) and issubclass(value, API) and value is not API


def declared_params(cls: type[API]) -> frozenset[str]:
    """Return the names of a class's parameters, inherited ones included; worked out once."""
    found = cls.__dict__.get("__utilmeta_params__")
    if found is None:
        names = {
            name
            for base in cls.__mro__
            for name, value in vars(base).items()
            if not name.startswith("__") and as_param(value) is not None
        }
        for name, hint in declared_hints(cls).items():
            metadata = getattr(hint, "__metadata__", ())
            if any(as_param(item) is not None for item in metadata):
                names.add(name)
        found = frozenset(names)
        cls.__utilmeta_params__ = found  # type: ignore[attr-defined]
    result: frozenset[str] = found
    return result


def _inherit_marks(cls: type[API]) -> None:
    """Let methods that override endpoints and hooks be such, as what they stand in for was.

    Raises:
        ConfigError: another kind of method hides a hook, which would then be left out in silence.
    """
    names = {name for base in cls.__mro__[1:] for name in vars(base)}
    for name in names:
        current = inspect.getattr_static(cls, name)
        for mark in (HOOK, ENDPOINT):
            before = next(
                (found for base in cls.__mro__[1:] if (found := _mark_of(base, name, mark))), None
            )
            if before is None or _mark_of_value(current, mark) is not None:
                continue
            if inspect.isfunction(current) and name in vars(cls) and not _is_marked(current):
                replacement = with_defaults(current)
                setattr(replacement, mark, before)
                setattr(cls, name, replacement)
                current = replacement
            elif current is not None:
                what = "a hook" if mark == HOOK else "an endpoint"
                raise ConfigError(
                    f"{place_of(cls)}.{name}: it hides {what} of a base class; decorate it, "
                    "rename it, or set the name to None to leave that one out"
                )


def _mark_of(base: type, name: str, mark: str) -> Any:
    return _mark_of_value(vars(base).get(name), mark)


def _mark_of_value(value: Any, mark: str) -> Any:
    return getattr(value, mark, None) if inspect.isfunction(value) else None


def _is_marked(function: Any) -> bool:
    return hasattr(function, ENDPOINT) or hasattr(function, HOOK)


def _check_attribute(cls: type[API], name: str, value: object) -> None:
    if isinstance(value, Pending):
        raise ConfigError(
            f"{place_of(cls)}.{name}: decorated twice; write one method for each verb, and name "
            "the other endpoint's path where both answer at it"
        )
    if name == "response":
        if not (isinstance(value, type) and issubclass(value, Response)):
            raise ConfigError(
                f"{place_of(cls)}.response: this name is the API's own, for the template of the "
                "class's answers; expected a subclass of response.Response"
            )
        return
    if isinstance(value, staticmethod | classmethod) and _is_marked(value.__func__):
        raise ConfigError(f"{place_of(cls)}.{name}: an endpoint or a hook is a plain method")
    is_ours = hasattr(value, ENDPOINT) or hasattr(value, HOOK) or as_param(value) is not None
    if name in RESERVED and (is_ours or is_api(value) or isinstance(value, Route)):
        raise ConfigError(f"{place_of(cls)}.{name}: this name is the API's own; choose another")


def _check_bases(cls: type[API]) -> None:
    """Refuse endpoints of one name from bases that do not know of each other."""
    own = vars(cls)
    for index, base in enumerate(cls.__bases__):
        for other in cls.__bases__[index + 1 :]:
            for name in dir(base):
                mine, theirs = getattr(base, name, None), getattr(other, name, None)
                both = hasattr(mine, ENDPOINT) and hasattr(theirs, ENDPOINT)
                related = issubclass(base, other) or issubclass(other, base)
                if both and mine is not theirs and name not in own and not related:
                    raise ConfigError(
                        f"{place_of(cls)}: {base.__name__} and {other.__name__} both have an "
                        f"endpoint {name!r}; define it here, or rename one of them"
                    )


def _check_paths(cls: type[API]) -> None:
    """Refuse two endpoints of the class for one method and path."""
    seen: dict[tuple[str, Any], str] = {}
    for name in dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)):
        declared = getattr(getattr(cls, name, None), ENDPOINT, None)
        if declared is None:
            continue
        where = f"{place_of(cls)}.{name}"
        own = name.upper() == declared.method
        for text in declared.templates or ("" if own else name,):
            shape = parse_template(text, where=where).shape()
            first = seen.setdefault((declared.method, shape), name)
            if first != name:
                raise ConfigError(
                    f"{where} and {first} both answer {declared.method} /{text.strip('/')}; give "
                    "one of them another path"
                )


__all__ = ["API", "RESERVED", "ROUTE", "declared_params", "is_api"]
