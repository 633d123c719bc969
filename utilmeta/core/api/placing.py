"""Where each argument of an endpoint comes from, once its path is known."""

from dataclasses import replace

from utilmeta.core.api.bodyplan import holds_file
from utilmeta.core.api.foreign import adapted, check_place, foreign_in
from utilmeta.core.api.signature import Argument, is_body_type
from utilmeta.core.api.template import Template
from utilmeta.core.request import Request
from utilmeta.core.request.params import Param
from utilmeta.utils.annotations import is_many, strip_optional
from utilmeta.utils.exceptions import ConfigError

# Methods whose requests have no body to read.
BODILESS = frozenset({"GET", "WS"})


def placed(argument: Argument, template: Template, method: str, where: str) -> Argument:
    """Return the argument with its place worked out.

    Raises:
        ConfigError: the path and the declaration disagree, or it cannot come from a request.
    """
    argument = replace(argument, annotation=adapted(argument.annotation, method))
    in_path = argument.name in template.names
    if in_path and is_many(argument.annotation):
        raise ConfigError(
            f"{where}: {argument.name!r} is a list, but a path holds one text for it; take it as "
            "text, or from the query string"
        )
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
        check_place(argument.annotation, argument.name, param.place, where)
        return argument
    if foreign_in(argument.annotation) is not None and not in_path and method not in BODILESS:
        return replace(argument, param=Param(kind="Body", place="body", whole=True))
    found = _bare(argument, method, where, in_path=in_path)
    check_place(found.annotation, found.name, found.param.place if found.param else "", where)
    return found


def _bare(argument: Argument, method: str, where: str, *, in_path: bool) -> Argument:
    """Return an argument that does not say where it comes from, with its place."""
    if isinstance(argument.annotation, type) and issubclass(argument.annotation, Request):
        raise ConfigError(f"{where}: the request is self.request; drop {argument.name!r}")
    if in_path:
        return replace(argument, param=Param(kind="PathParam", place="path"))
    bare = strip_optional(argument.annotation)
    if getattr(bare, "__utilmeta_place__", None) == "query":
        # What does not fit the model is told at set-up.
        bare.check()
        return replace(argument, param=Param(kind="Query", place="query", whole=True))
    if holds_file(argument.annotation) and not is_body_type(argument.annotation):
        raise ConfigError(
            f"{where}: {argument.name!r} is a file, which comes in the body; write "
            "'= request.BodyParam' for a part of a form, '= request.Body' for the whole body"
        )
    if is_body_type(argument.annotation) and method not in BODILESS:
        return replace(argument, param=Param(kind="Body", place="body", whole=True))
    if is_body_type(argument.annotation):
        raise ConfigError(
            f"{where}: {argument.name!r} is a model, which would be the body, but {method} has "
            "none; write '= request.Query' to take it from the query string"
        )
    return replace(argument, param=Param(kind="QueryParam", place="query"))


def sort_arguments(
    arguments: list[Argument], template: Template
) -> tuple[list[Argument], list[Argument], list[Argument], list[Argument]]:
    """Return arguments of the body, those that are absent, those of the context, the others."""
    body, absent, context, others = [], [], [], []
    for item in arguments:
        place = item.param.place if item.param is not None else "query"
        if place == "body":
            body.append(item)
        elif place == "context":
            context.append(item)
        elif _is_absent(item, template):
            absent.append(item)
        else:
            others.append(item)
    return body, absent, context, others


def check_body(body: list[Argument], method: str, spot: str) -> None:
    """Refuse a body where a request has none.

    Raises:
        ConfigError: there is one.
    """
    if body and method in BODILESS:
        raise ConfigError(
            f"{spot}: {body[0].name!r} is a body, which {method} has not; use request.Query for a "
            "model of query parameters"
        )


def _is_absent(argument: Argument, template: Template) -> bool:
    """Return whether an optional path parameter is not part of this variant of the path."""
    return (
        argument.param is not None
        and argument.param.place == "path"
        and not argument.param.whole
        and argument.name not in template.names
    )
