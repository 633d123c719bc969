"""Decorators that turn methods of an API class into endpoints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from utilmeta.utils.exceptions import ConfigError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

ENDPOINT = "__utilmeta_endpoint__"
ROUTE = "__utilmeta_route__"
VERBS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a decorator says of an endpoint.

    Attributes:
        method: upper-case HTTP method.
        templates: its paths below the class's own; None takes the function's name.
        status: status of its answer when it does not make a Response itself.
    """

    method: str
    templates: tuple[str, ...] | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A path for a nested API, given as the value of an attribute.

    Attributes:
        templates: its paths below the class that holds it.
    """

    templates: tuple[str, ...]

    def __call__(self, cls: type[T]) -> type[T]:
        """Give an API class its path."""
        if not isinstance(cls, type):
            raise ConfigError(f"@api.route belongs on an API class, not on {cls!r}")
        setattr(cls, ROUTE, self.templates)
        return cls


def route(*templates: str) -> Any:
    """Give a nested API its path: on the class, or as the attribute's value.

    Args:
        *templates: such as `'{slug}/comments'`.

    Raises:
        ConfigError: no path is given.
    """
    if not templates or not all(isinstance(template, str) for template in templates):
        raise ConfigError("api.route(...): expected a path, such as '{slug}/comments'")
    return Route(templates)


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
    def __call__(self, /, *templates: str, status: int | None = None) -> Callable[[F], F]: ...

    def __call__(self, /, *templates: Any, status: int | None = None, **unknown: Any) -> Any:
        """Declare an endpoint.

        Args:
            *templates: its paths below the class's own, `''` for the class's own; without one
                it is the function's name.
            status: status of its answer when it does not make a Response itself.
            **unknown: refused.

        Raises:
            ConfigError: a path is no text, the status is no status of success, or an option is
                unknown.
        """
        where = f"@api.{self.method.lower()}"
        if unknown:
            raise ConfigError(f"{where}({', '.join(unknown)}=...): unknown option; expected status")
        if len(templates) == 1 and callable(templates[0]):
            return self._mark(templates[0], None, None)
        for template in templates:
            if not isinstance(template, str):
                raise ConfigError(f"{where}({template!r}): expected a path, such as '{{id}}'")
        if status is not None and status not in range(200, 300):
            raise ConfigError(f"{where}(status={status!r}): expected a number from 200 to 299")
        return lambda function: self._mark(function, templates or None, status)

    def _mark(self, function: F, templates: tuple[str, ...] | None, status: int | None) -> F:
        if hasattr(function, ENDPOINT):
            raise ConfigError(
                f"{function.__qualname__}: decorated twice; write one method for each verb"
            )
        declared = Declared(method=self.method, templates=templates, status=status)
        setattr(function, ENDPOINT, declared)
        return function


get = Verb("GET")
post = Verb("POST")
put = Verb("PUT")
patch = Verb("PATCH")
delete = Verb("DELETE")
