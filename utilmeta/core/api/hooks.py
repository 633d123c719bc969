"""Hooks, bound to the endpoints they are for."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from utilmeta.core.api.arguments import ParamsReader, Values
from utilmeta.core.api.base import API
from utilmeta.core.api.declared import HOOK, Hook, place_of
from utilmeta.core.api.signature import Argument, function_arguments
from utilmeta.core.api.template import Template
from utilmeta.core.response.finish import Finisher
from utilmeta.utils.exceptions import ConfigError

# What a hook is given besides `self` and its own parameters.
_GIVEN = {"before": 0, "after": 1, "handle": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """An endpoint, as hooks see it.

    Attributes:
        classes: the API classes from the root to its own.
        names: the attributes that lead from each class to the next, then its own name.
        functions: the endpoint's function, as decorated and as written.
        templates: its path below each of the classes.
    """

    classes: tuple[type[API], ...]
    names: tuple[str, ...]
    functions: tuple[Any, ...]
    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundHook:
    """A hook of one operation.

    Attributes:
        function: the method.
        level: which of the operation's instances it is called on.
        arguments: its own parameters.
        is_async: whether it is a coroutine function.
        takes: whether it is given the response or the error.
        errors: exceptions it handles.
        finisher: how what it returns becomes a response; None takes the operation's.
        reader: reads the parameters of a `handle` hook, which runs when nothing else was read.
    """

    function: Callable[..., Any]
    level: int
    arguments: tuple[Argument, ...]
    is_async: bool
    takes: bool
    errors: tuple[type[BaseException], ...]
    finisher: Finisher | None = None
    reader: ParamsReader | None = None

    @property
    def where(self) -> str:
        """The method's name, for messages."""
        return self.function.__qualname__

    def values(self, values: Values) -> Values:
        """Return its own arguments, taken out of those of the whole operation."""
        return {item.name: values.pop(item.key) for item in self.arguments}

    def distance(self, error: Exception) -> int | None:
        """Return how far the nearest handled type is from an exception's; None for not handled."""
        steps = [
            type(error).__mro__.index(kind)
            for kind in self.errors
            if isinstance(error, kind) and kind in type(error).__mro__
        ]
        return min(steps, default=None)


def declared_hooks(cls: type[API]) -> Iterator[tuple[str, Callable[..., Any], Hook]]:
    """Yield name, method and declaration of a class's hooks, bases first."""
    for name in dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)):
        function = getattr(cls, name, None)
        hook = getattr(function, HOOK, None)
        if isinstance(hook, Hook) and function is not None:
            yield name, function, hook


def bind_hooks(
    kind: str, spot: Spot, finisher_of: Callable[[Any], Finisher | None]
) -> tuple[BoundHook, ...]:
    """Return the hooks of a kind for an endpoint, from the root's to its own class's.

    Args:
        kind: `before`, `after` or `handle`.
        spot: the endpoint.
        finisher_of: from a return annotation to what it says of answers; None when nothing.

    Raises:
        ConfigError: a hook's arguments cannot be filled.
    """
    found = []
    for level, cls in enumerate(spot.classes):
        for _, function, hook in declared_hooks(cls):
            if hook.kind == kind and _is_for(hook, spot, level):
                found.append(_bind(function, hook, level, cls, finisher_of))
    return tuple(found)


def _bind(
    function: Callable[..., Any],
    hook: Hook,
    level: int,
    cls: type[API],
    finisher_of: Callable[[Any], Finisher | None],
) -> BoundHook:
    where = f"{place_of(cls)}.{function.__name__}"
    count = len(inspect.signature(function).parameters) - 1
    takes = _GIVEN[hook.kind] == 1 and count > 0
    owner = f"{level} {function.__qualname__}"
    arguments = function_arguments(function, where, given=1 + takes, owner=owner)
    if hook.kind == "before" and any(item.name == "response" for item in arguments):
        raise ConfigError(f"{where}: there is no response yet before the endpoint; see @api.after")
    for argument in arguments:
        if argument.param is not None and argument.param.place == "body" and argument.param.whole:
            raise ConfigError(
                f"{where}: {argument.name!r} is the whole body, which is the endpoint's; read "
                "self.request.data, or take members with request.BodyParam where the endpoint does"
            )
    return BoundHook(
        function=function,
        level=level,
        arguments=tuple(arguments),
        is_async=inspect.iscoroutinefunction(function),
        takes=takes,
        errors=hook.errors,
        finisher=finisher_of(function),
    )


def with_reader(hook: BoundHook, arguments: Sequence[Argument]) -> BoundHook:
    """Return a `handle` hook that reads its own parameters.

    Raises:
        ConfigError: one of them is in the body, which may be what is wrong.
    """
    if not arguments:
        return hook
    for argument in arguments:
        if argument.param is not None and argument.param.place in {"body", "context"}:
            raise ConfigError(
                f"{hook.where}: it handles errors, so its {argument.name!r} cannot come from the "
                f"{argument.param.place}; read self.request"
            )
    return replace(
        hook, arguments=tuple(arguments), reader=ParamsReader(list(arguments), hook.where)
    )


def _is_for(hook: Hook, spot: Spot, level: int) -> bool:
    wanted = any(_fits(target, spot, level) for target in hook.targets)
    return wanted and not any(_fits(target, spot, level) for target in hook.excludes)


def _fits(target: Any, spot: Spot, level: int) -> bool:
    """Return whether a target of a hook in the class at a level is, or holds, an endpoint."""
    if target == "*":
        return True
    if isinstance(target, type):
        return any(issubclass(cls, target) for cls in spot.classes[level:])
    if isinstance(target, str):
        return _is_below(target.strip("/"), spot, level)
    if target in spot.functions:
        return True
    # An endpoint that a subclass has overridden is still the one that was meant.
    is_own = level == len(spot.classes) - 1
    return is_own and target.__name__ == spot.names[-1]


def _is_below(text: str, spot: Spot, level: int) -> bool:
    path = str(spot.templates[level]).strip("/")
    return spot.names[level] == text or path == text or path.startswith(text + "/")


def check_targets(classes: Sequence[type[API]], spots: Sequence[Spot]) -> None:
    """Refuse hooks that name what is not there.

    Raises:
        ConfigError: a target is no endpoint below the hook's class.
    """
    for cls in dict.fromkeys(classes):
        below = [(spot, spot.classes.index(cls)) for spot in spots if cls in spot.classes]
        for name, _, hook in declared_hooks(cls):
            for target in (*hook.targets, *hook.excludes):
                if target == "*" or any(_fits(target, spot, level) for spot, level in below):
                    continue
                shown = target if isinstance(target, str) else target.__name__
                raise ConfigError(
                    f"{place_of(cls)}.{name}: nothing below the class is {shown!r}; expected "
                    "an endpoint, an API class or a route below it, or '*'"
                )
