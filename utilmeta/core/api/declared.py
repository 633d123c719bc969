"""What decorators say of endpoints, hooks and classes, and where it is kept."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from utilmeta.utils.exceptions import ConfigError

ENDPOINT = "__utilmeta_endpoint__"
HOOK = "__utilmeta_hook__"
ROUTE = "__utilmeta_route__"
PLUGINS = "__utilmeta_plugins__"
VERBS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of an endpoint, or of all endpoints of a class, besides its path.

    Attributes:
        summary: one line; None takes the docstring's first.
        description: more; None takes the docstring's rest.
        tags: groups it is shown in; None takes the class's.
        deprecated: whether clients should move on.
        private: whether it is left out of the API's description.
        idempotent: whether a repeated request does no more than one; None follows the method.
        timeout: seconds after which the answer is 504; None for no limit.
        extension: further members of its description, named `x-...`.
        status: status of its answer when it does not make a Response itself.
        operation_id: its unique name in the API's description; None makes one.
    """

    summary: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    deprecated: bool = False
    private: bool = False
    idempotent: bool | None = None
    timeout: float | None = None
    extension: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None
    operation_id: str | None = None

    def below(self, above: "About") -> "About":
        """Return what is said here, and where nothing is, what the class above says."""
        return replace(
            self,
            tags=above.tags if self.tags is None else self.tags,
            deprecated=self.deprecated or above.deprecated,
            private=self.private or above.private,
            timeout=above.timeout if self.timeout is None else self.timeout,
            extension={**above.extension, **self.extension},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a decorator says of an endpoint.

    Attributes:
        method: upper-case HTTP method; `WS` for a WebSocket.
        templates: its paths below the class's own; None takes the function's name.
        about: the rest.
    """

    method: str
    templates: tuple[str, ...] | None = None
    about: About = field(default_factory=About)

    @property
    def status(self) -> int | None:
        """Status of its answer when it does not make a Response itself."""
        return self.about.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What a decorator says of a hook.

    Attributes:
        kind: `before`, `after` or `handle`.
        targets: endpoint functions, API classes, routes, or `'*'` for everything below.
        excludes: the same, for what is left out.
        errors: exceptions it handles.
    """

    kind: str
    targets: tuple[Any, ...]
    excludes: tuple[Any, ...] = ()
    errors: tuple[type[BaseException], ...] = ()


def make_about(where: str, options: Mapping[str, Any], forbidden: tuple[str, ...] = ()) -> About:
    """Return the options of a decorator, checked.

    Raises:
        ConfigError: one is unknown or has a wrong value.
    """
    known = [name for name in About.__dataclass_fields__ if name not in forbidden]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ConfigError(
            f"{where}({', '.join(unknown)}=...): unknown option; expected route, {', '.join(known)}"
        )
    given = dict(options)
    status, timeout, tags = given.get("status"), given.get("timeout"), given.get("tags")
    if status is not None and status not in range(200, 300):
        raise ConfigError(f"{where}(status={status!r}): expected a number from 200 to 299")
    if timeout is not None:
        seconds = timeout.total_seconds() if hasattr(timeout, "total_seconds") else timeout
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            raise ConfigError(f"{where}(timeout={timeout!r}): expected seconds above 0")
        given["timeout"] = float(seconds)
    if tags is not None:
        if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
            raise ConfigError(f"{where}(tags={tags!r}): expected a list of texts")
        given["tags"] = tuple(tags)
    wrong = [name for name in given.get("extension", ()) if not str(name).startswith("x-")]
    if wrong:
        raise ConfigError(f"{where}(extension=...): {wrong[0]!r} has to begin with 'x-'")
    return About(**given)


def place_of(target: Any) -> str:
    """Return the name of a class or a function with file and line, for messages."""
    code = getattr(inspect.unwrap(target), "__code__", None)
    if code is not None:
        # As the source would tell, which takes a while to read.
        return f"{target.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
    return _place_of_class(target)


@lru_cache(256)
def _place_of_class(target: Any) -> str:
    try:
        _, line = inspect.getsourcelines(target)
        file = inspect.getsourcefile(target)
    except (OSError, TypeError):
        return f"{target.__module__}.{target.__qualname__}"
    return f"{target.__qualname__} ({file}:{line})"
