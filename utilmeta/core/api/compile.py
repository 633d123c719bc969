"""From a tree of API classes to compiled operations."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from utilmeta.core.api.answers import (
    error_template,
    hook_finisher,
    make_finisher,
    returned_template,
    template_of,
)
from utilmeta.core.api.arguments import ParamsReader, check_default, default_maker
from utilmeta.core.api.base import API, declared_params
from utilmeta.core.api.bodyplan import make_body_reader
from utilmeta.core.api.declared import About, place_of
from utilmeta.core.api.hooks import BoundHook, Spot, bind_hooks, check_targets, with_reader
from utilmeta.core.api.operation import Level, Operation
from utilmeta.core.api.placing import check_body, placed, sort_arguments
from utilmeta.core.api.plugins.base import Plugin, in_order, plugins_of
from utilmeta.core.api.plugins.retry import IDEMPOTENT, Retry
from utilmeta.core.api.reading import reading_endpoint
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.api.signature import Argument, function_arguments, resolve_hints
from utilmeta.core.api.sockets import make_reader
from utilmeta.core.api.template import Template, check_template, parse_template
from utilmeta.core.api.tree import Endpoint, Place, rest_names, walk
from utilmeta.core.request.params import Param
from utilmeta.core.response import Response
from utilmeta.core.response.finish import Finisher
from utilmeta.utils.annotations import admits_none
from utilmeta.utils.exceptions import ConfigError


def compile_api(root: type[API], rules: CompileRules | None = None) -> list[Operation]:
    """Return every operation below an API class.

    Args:
        root: the class.
        rules: what is known of the service; None stands for any.

    Raises:
        ConfigError: a declaration is wrong, or two endpoints answer for one method and path.
    """
    known = rules or CompileRules()
    operations: list[Operation] = []
    spots: list[Spot] = []
    classes: list[type[API]] = []
    for place, endpoint in walk(root):
        if endpoint is None:
            classes.append(place.classes[-1])
            continue
        for operation, spot in _compile(place, endpoint, known):
            operations.append(operation)
            spots.append(spot)
    check_targets(classes, spots)
    _check_unique(operations)
    return operations


def compile_fallback(root: type[API], rules: CompileRules) -> Operation:
    """Return the operation that answers where no other does: the root's plugins, hooks, template.

    Its endpoint is never run; its steps are given the error.
    """
    spot = Spot(classes=(root,), names=("",), functions=(), templates=(Template(),))

    def finisher_of(function: Any) -> Finisher | None:
        return hook_finisher(function, rules, template_of((root,)))

    handlers = tuple(hook for hook in bind_hooks("handle", spot, finisher_of) if not hook.arguments)
    plugins = plugins_of(root)
    template = template_of((root,))
    # It is never made with its parameters, as no request has been found to hold them.
    params = {name: name for name in declared_params(root)}
    needed = Level(cls=root, params=params, needed=True)
    return Operation(
        where=root.__qualname__,
        method="*",
        template=Template(),
        function=root.__init__,
        levels=(needed,),
        is_async=False,
        params=None,
        body=None,
        finisher=make_finisher(template, rules),
        handlers=handlers,
        plugins=plugins,
        debug=rules.debug,
        simple=not (handlers or plugins),
    )


def _check_unique(operations: Sequence[Operation]) -> None:
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], Operation] = {}
    for operation in operations:
        key = (operation.method, operation.template.shape())
        if key in seen:
            raise ConfigError(
                f"{operation.where} and {seen[key].where} both answer {operation.method} "
                f"{operation.template}; give one of them another path"
            )
        seen[key] = operation


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the operations of one endpoint share."""

    place: Place
    endpoint: Endpoint
    where: str
    spot: str
    own: tuple[Argument, ...]
    rules: CompileRules


def _compile(
    place: Place, endpoint: Endpoint, rules: CompileRules
) -> Iterator[tuple[Operation, Spot]]:
    function = endpoint.raw
    where = f"{place.classes[-1].__name__}.{endpoint.name}"
    given = 2 if endpoint.declared.method == "WS" else 1
    own = tuple(function_arguments(function, where, given=given))
    parts = _Parts(place, endpoint, where, place_of(function), own, rules)
    _check_modes(parts)
    inherited = [argument for found in place.params for argument in found]
    rest = frozenset(rest_names([*inherited, *own]))
    for text in endpoint.declared.templates or ():
        below = parse_template(text, where=where, rest=rest)
        template = place.template + below
        check_template(template, where)
        for variant in _variants(template, list(own)):
            spot = Spot(
                classes=place.classes,
                names=(*place.names, endpoint.name),
                functions=(endpoint.function, function),
                templates=tuple(Template(template.segments[start:]) for start in place.starts),
            )
            yield _operation(parts, variant, spot, frozenset(template.names)), spot


def _check_modes(parts: _Parts) -> None:
    """Refuse what the service cannot run.

    Raises:
        ConfigError: a WebSocket on a framework that has none, or a sync one.
    """
    if parts.endpoint.declared.method != "WS":
        return
    if not (parts.rules.asynchronous and parts.rules.has_sockets):
        raise ConfigError(
            f"{parts.spot}: WebSockets need starlette, fastapi, sanic, tornado or django with "
            f"asynchronous=True; this service runs on {parts.rules.backend or 'a sync server'}"
        )
    if not inspect.iscoroutinefunction(parts.endpoint.raw):
        raise ConfigError(f"{parts.spot}: a WebSocket endpoint is 'async def'")


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


def _operation(parts: _Parts, template: Template, spot: Spot, in_full: frozenset[str]) -> Operation:
    declared, place, rules = parts.endpoint.declared, parts.place, parts.rules
    function = parts.endpoint.raw
    about = declared.about.below(place.about)
    returns = resolve_hints(function, parts.spot).get("return")
    inherited = template_of(place.classes)
    finisher = make_finisher(
        returned_template(returns) or inherited,
        rules,
        returns=returns,
        status=about.status,
        null_is_json=admits_none(returns),
        errors=error_template(place.classes),
    )

    def finisher_of(hook: Any) -> Finisher | None:
        return hook_finisher(hook, rules, finisher.template)

    before = bind_hooks("before", spot, finisher_of)
    # Inner classes first; within a class as they were declared.
    is_socket = declared.method == "WS"
    found = () if is_socket else bind_hooks("after", spot, finisher_of)
    after = tuple(sorted(found, key=lambda hook: -hook.level))
    handlers = bind_hooks("handle", spot, finisher_of)
    arguments = _arguments(parts, template, (*before, *after), in_full)
    body, absent, context, others = sort_arguments(arguments, template)
    plugins = in_order(_plugins(parts), _guards(context))
    check_body(body, declared.method, parts.spot)
    handlers = tuple(
        with_reader(hook, [placed(item, template, "GET", hook.where) for item in hook.arguments])
        for hook in handlers
    )
    makers = {item.key: default_maker(item) for item in absent}
    limits = (declared.about.timeout, _nearest(plugins, "timeout"), about.timeout)
    timeout = next((limit for limit in limits if limit is not None), None)
    is_quick = all(item.param is None or item.param.variable.is_quick for item in context)
    operation = Operation(
        where=parts.where,
        method=declared.method,
        template=template,
        function=reading_endpoint(function, returns),
        levels=_levels(place, inherited, (*before, *after, *handlers)),
        is_async=inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
        arguments=tuple(arguments),
        returns=returns,
        about=about,
        params=ParamsReader(others, parts.spot) if others else None,
        body=make_body_reader(body, parts.spot, _nearest(plugins, "max_bytes")),
        context={item.key: item.param.variable for item in context if item.param is not None},
        absent={name: make for name, make in makers.items() if make is not None},
        finisher=finisher,
        before=before,
        after=after,
        handlers=handlers,
        plugins=plugins,
        read_message=_message_reader(parts) if is_socket else None,
        retry=_retry(plugins, declared.method, about),
        timeout=timeout,
        debug=rules.debug,
        simple=is_quick and not (before or after or handlers or plugins or timeout),
    )
    _prepare(operation, plugins, rules)
    return operation


def _plugins(parts: _Parts) -> list[Plugin]:
    """Return the plugins of an endpoint, the outermost class's first."""
    around = [plugin for cls in parts.place.classes for plugin in plugins_of(cls)]
    return [*around, *plugins_of(parts.endpoint.function)]


def _guards(context: Sequence[Argument]) -> list[Plugin]:
    """Return the plugins that find out the values of context arguments."""
    return [
        plugin
        for item in context
        if item.param is not None
        for plugin in item.param.variable.guards(required=not admits_none(item.annotation))
    ]


def _message_reader(parts: _Parts) -> Any:
    """Return what turns a WebSocket's messages into values.

    Raises:
        ConfigError: the endpoint has no argument for the socket, or one of another type.
    """
    names = list(inspect.signature(parts.endpoint.raw).parameters)
    if parts.endpoint.declared.about.timeout is not None:
        raise ConfigError(f"{parts.spot}: a WebSocket has no time limit; use asyncio.timeout in it")
    if len(names) < 2:
        raise ConfigError(f"{parts.spot}: a WebSocket endpoint takes the socket after 'self'")
    hints = resolve_hints(parts.endpoint.raw, parts.spot)
    return make_reader(hints.get(names[1]), parts.spot)


def _nearest(plugins: Sequence[Plugin], name: str) -> Any:
    """Return what the innermost plugin that says so says; None when none does."""
    found = (getattr(plugin, name) for plugin in reversed(plugins))
    return next((value for value in found if value is not None), None)


def _retry(plugins: Sequence[Plugin], method: str, about: About) -> Retry | None:
    """Return what runs an endpoint again; None where a second run could do more than the first."""
    is_idempotent = method in IDEMPOTENT if about.idempotent is None else about.idempotent
    found = (plugin for plugin in reversed(plugins) if isinstance(plugin, Retry))
    return next(found, None) if is_idempotent else None


def _prepare(operation: Operation, plugins: Sequence[Plugin], rules: CompileRules) -> None:
    """Check hooks and plugins against the service.

    Raises:
        ConfigError: one is async and the service is not, or a plugin says that it cannot work.
    """
    for hook in (*operation.before, *operation.after, *operation.handlers):
        if hook.is_async and not rules.asynchronous:
            raise ConfigError(
                f"{hook.where}: an async hook on a sync service; write a plain function, or give "
                "UtilMeta(asynchronous=True)"
            )
    for variable in operation.context.values():
        if variable.is_async and not rules.asynchronous:
            raise ConfigError(
                f"{operation.where}: {variable!r} has an async factory, but the service is sync"
            )
    if operation.retry is not None and operation.body is not None and operation.body.streams:
        raise ConfigError(
            f"{operation.where}: api.Retry cannot send a streamed body again; take it as bytes or "
            "a File"
        )
    for plugin in plugins:
        if plugin.is_async and not rules.asynchronous:
            raise ConfigError(
                f"{operation.where}: {type(plugin).__name__} has async methods, but the service is "
                "sync; write plain functions, or give UtilMeta(asynchronous=True)"
            )
        plugin.prepare(rules)
        plugin.see(operation)


def _arguments(
    parts: _Parts, template: Template, hooks: Sequence[BoundHook], in_full: frozenset[str]
) -> list[Argument]:
    """Return everything an endpoint, its classes and its hooks ask for, each with its place.

    Args:
        parts: the endpoint.
        template: the path.
        hooks: those with arguments among the operation's.
        in_full: variables of the path with all of its optional ends.
    """
    inherited = [argument for found in parts.place.params for argument in found]
    names = {argument.name for argument in parts.own}
    for argument in inherited:
        if argument.name in names:
            raise ConfigError(
                f"{parts.spot}: {argument.name!r} is a parameter of the class above it as well; "
                f"use self.{argument.name} and drop the argument"
            )
    method = parts.endpoint.declared.method
    own = [
        # What this path leaves out is not looked for elsewhere.
        replace(item, param=Param(kind="PathParam", place="path"))
        if item.param is None and item.name in in_full and item.name not in template.names
        else item
        for item in parts.own
    ]
    found = [placed(item, template, method, parts.spot) for item in (*inherited, *own)]
    known = {argument.name for argument in found}
    whole = any(item.param and item.param.whole and item.param.place == "path" for item in found)
    for name in template.names:
        if name not in known and not whole:
            takes = ", ".join(repr(item.name) for item in parts.own) or "nothing"
            raise ConfigError(
                f"{parts.spot}: the path {template} names {name!r} but the function takes {takes}; "
                "rename one of them"
            )
    for hook in hooks:
        found += [placed(item, template, "GET", hook.where) for item in hook.arguments]
    for item in found:
        check_default(item, parts.spot)
    return found


def _levels(
    place: Place, template: type[Response[Any]], hooks: Sequence[BoundHook]
) -> tuple[Level, ...]:
    last = len(place.classes) - 1
    found = []
    for index, (cls, params) in enumerate(zip(place.classes, place.params, strict=True)):
        nearest = template_of(place.classes[: index + 1])
        found.append(
            Level(
                cls=cls,
                params={argument.name: argument.key for argument in params},
                needed=bool(params) or index == last or any(hook.level == index for hook in hooks),
                template=None if cls.response is nearest else nearest,
            )
        )
    return tuple(found)
