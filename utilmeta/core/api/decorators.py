"""Decorators that turn methods of an API class into endpoints and hooks."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypedDict, TypeVar, overload

from typing_extensions import Unpack

from utilmeta.core.api.calls import with_defaults
from utilmeta.core.api.declared import (
    ENDPOINT,
    HOOK,
    PLUGINS,
    ROUTE,
    VERBS,
    About,
    Declared,
    Hook,
    make_about,
)
from utilmeta.utils.exceptions import ConfigError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route:
    """A path for a nested API, given on the class or as the value of an attribute.

    Attributes:
        templates: its paths below the class that holds it; None takes the attribute's name.
        about: what is said of all endpoints below.
    """

    templates: tuple[str, ...] | None
    about: About = field(default_factory=About)

    def __call__(self, cls: type[T]) -> type[T]:
        """Give an API class its path."""
        if not isinstance(cls, type):
            raise ConfigError(f"@api.route belongs on an API class, not on {cls!r}")
        setattr(cls, ROUTE, self)
        return cls


def route(*templates: str, **options: Any) -> Any:
    """Give a nested API its path: on the class, or as the attribute's value.

    Args:
        *templates: such as `'{slug}/comments'`.
        **options: `summary description tags deprecated private timeout extension` of all endpoints
            below; see `About`.

    Raises:
        ConfigError: neither a path nor an option is given, or an option is unknown or wrong.
    """
    if not (templates or options) or not all(isinstance(item, str) for item in templates):
        raise ConfigError("api.route(...): expected a path, such as '{slug}/comments'")
    about = make_about("api.route", options, forbidden=("status", "idempotent", "operation_id"))
    return Route(templates or None, about)


@dataclass(frozen=True, slots=True)
class Reference:
    """An API class to be nested, named by where it will be found.

    Attributes:
        target: such as `'shop.items.ItemAPI'`.
    """

    target: str


def ref(target: str) -> Any:
    """Nest an API class by reference; it is imported when the service is set up.

    Args:
        target: such as `'shop.items.ItemAPI'`.

    Raises:
        ConfigError: it is no dotted path.
    """
    if not isinstance(target, str) or "." not in target:
        raise ConfigError(f"api.ref({target!r}): expected a path such as 'shop.items.ItemAPI'")
    return Reference(target)


class Options(TypedDict, total=False):
    """Options of an endpoint; see `About`."""

    route: str | Sequence[str]
    summary: str | None
    description: str | None
    tags: Sequence[str] | None
    deprecated: bool
    private: bool
    idempotent: bool | None
    timeout: float | timedelta | None
    extension: Mapping[str, Any]
    status: int | None
    operation_id: str | None


@dataclass(frozen=True, slots=True)
class Verb:
    """A decorator for one HTTP method: `@api.get`, `@api.get('a/{id}', 'b/{id}', status=200)`.

    Attributes:
        method: upper-case HTTP method.
    """

    method: str

    @overload
    def __call__(self, function: F, /) -> F: ...

    @overload
    def __call__(self, /, *templates: str, **options: Unpack[Options]) -> Callable[[F], F]: ...

    def __call__(self, /, *templates: Any, **options: Any) -> Any:
        """Declare an endpoint.

        Args:
            *templates: its paths below the class's own, `''` for the class's own, or another
                endpoint whose paths it shares; without one it is the function's name.
            **options: `summary description tags deprecated private idempotent timeout extension
                status operation_id`, and `route` in place of the paths; see `About`.

        Raises:
            ConfigError: a path is no text, or an option is unknown or wrong.
        """
        where = f"@api.{self.method.lower()}"
        if len(templates) == 1 and callable(templates[0]) and not options:
            if not hasattr(templates[0], ENDPOINT):
                return self.mark(templates[0], Declared(method=self.method))
            if self.method == getattr(templates[0], ENDPOINT).method:
                raise ConfigError(
                    f"{templates[0].__qualname__}: decorated twice; write one method for each verb"
                )
        given = options.pop("route", None)
        paths = (*templates, *([given] if isinstance(given, str) else given or ()))
        texts: list[str] = []
        for template in paths:
            texts += _texts(template, where)
        about = make_about(where, options)
        declared = Declared(method=self.method, templates=tuple(texts) or None, about=about)
        return Pending(self, declared)

    def mark(self, function: F, declared: Declared) -> F:
        """Make a method an endpoint.

        Raises:
            ConfigError: it is one already, or a hook.
        """
        if hasattr(function, ENDPOINT):
            raise ConfigError(
                f"{function.__qualname__}: decorated twice; write one method for each verb"
            )
        if hasattr(function, HOOK):
            raise ConfigError(f"{function.__qualname__}: a hook cannot be an endpoint as well")
        marked = with_defaults(function)
        setattr(marked, ENDPOINT, declared)
        return marked


@dataclass(frozen=True, slots=True)
class Pending:
    """A verb with its options, which waits for the method it decorates."""

    verb: Verb
    declared: Declared

    def __call__(self, function: F) -> F:
        """Make the method an endpoint."""
        if not inspect.isfunction(function):
            raise ConfigError(
                f"@api.{self.verb.method.lower()}: expected a method, not {function!r}"
            )
        return self.verb.mark(function, self.declared)


def _texts(template: Any, where: str) -> tuple[str, ...]:
    if isinstance(template, str):
        return (template,)
    other: Declared | None = getattr(template, ENDPOINT, None)
    if other is None:
        raise ConfigError(f"{where}({template!r}): expected a path, such as '{{id}}'")
    return other.templates or (template.__name__,)


get = Verb("GET")
post = Verb("POST")
put = Verb("PUT")
patch = Verb("PATCH")
delete = Verb("DELETE")
ws = Verb("WS")


@overload
def before(target: Callable[..., Any], /) -> Callable[..., Any]: ...


@overload
def before(*targets: Any, excludes: Any = ()) -> Callable[[F], F]: ...


def before(*targets: Any, excludes: Any = ()) -> Any:
    """Declare a method that runs before endpoints, once the request has been found valid.

    It may take request parameters of its own, set attributes of `self`, raise, or return a
    `Response`, which is then the answer. Hooks of outer classes run first.

    Args:
        *targets: endpoints, API classes or routes below this class; `'*'`, or none, is all.
        excludes: the same, for what is left out.

    Raises:
        ConfigError: a target is none of these.
    """
    return _hook("before", targets, excludes)


@overload
def after(target: Callable[..., Any], /) -> Callable[..., Any]: ...


@overload
def after(*targets: Any, excludes: Any = ()) -> Callable[[F], F]: ...


def after(*targets: Any, excludes: Any = ()) -> Any:
    """Declare a method that is given the `Response` of endpoints; it may change or replace it.

    Hooks of inner classes run first. What one returns is the answer from there on, None leaves
    the response as it is. Errors do not come by; see `handle`.

    Args:
        *targets: endpoints, API classes or routes below this class; `'*'`, or none, is all.
        excludes: the same, for what is left out.

    Raises:
        ConfigError: a target is none of these.
    """
    return _hook("after", targets, excludes)


@overload
def handle(target: Callable[..., Any], /) -> Callable[..., Any]: ...


@overload
def handle(*targets: Any, excludes: Any = ()) -> Callable[[F], F]: ...


def handle(*targets: Any, excludes: Any = ()) -> Any:
    """Declare a method that answers for exceptions of endpoints, hooks and invalid requests.

    It is given an `Error` and returns the answer; it may raise instead, which the next outer hook
    then gets. The nearest class's hooks come first, and among them the nearest type.

    Args:
        *targets: exception types (none means `Exception`), and targets as for `before`.
        excludes: targets that are left out.

    Raises:
        ConfigError: a target is none of these.
    """
    return _hook("handle", targets, excludes)


def _hook(kind: str, targets: tuple[Any, ...], excludes: Any) -> Any:
    if len(targets) == 1 and _is_plain_function(targets[0]):
        return _mark_hook(targets[0], Hook(kind=kind, targets=("*",)))
    left_out = excludes if isinstance(excludes, list | tuple | set) else (excludes,)
    errors = tuple(item for item in targets if _is_error(item)) if kind == "handle" else ()
    wanted = tuple(item for item in targets if not (errors and _is_error(item)))
    for target in (*wanted, *left_out):
        if not (isinstance(target, str | type) or _is_endpoint(target)):
            raise ConfigError(
                f"@api.{kind}({target!r}): expected an endpoint, an API class, a route or '*'"
            )
        if isinstance(target, type) and not hasattr(target, ROUTE):
            raise ConfigError(f"@api.{kind}({target.__name__}): expected an API class")
    hook = Hook(
        kind=kind,
        targets=wanted or ("*",),
        excludes=tuple(left_out),
        errors=errors or ((Exception,) if kind == "handle" else ()),
    )
    return lambda function: _mark_hook(function, hook)


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def _is_endpoint(value: object) -> bool:
    return hasattr(value, ENDPOINT) or (callable(value) and getattr(value, "__name__", "") in VERBS)


def _is_plain_function(value: object) -> bool:
    return callable(value) and not isinstance(value, type) and not _is_endpoint(value)


def _mark_hook(function: F, hook: Hook) -> F:
    if hasattr(function, ENDPOINT) or hasattr(function, HOOK):
        raise ConfigError(f"{function.__qualname__}: decorated twice; a hook is one method")
    if hasattr(function, PLUGINS):
        raise ConfigError(
            f"{function.__qualname__}: plugins are around endpoints and classes, not around hooks"
        )
    setattr(function, HOOK, hook)
    return function
