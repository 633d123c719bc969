"""Parameters and bodies in an OpenAPI document."""

import typing
from dataclasses import replace
from typing import Any

from utilmeta.core.api.arguments import wire_name
from utilmeta.core.api.operation import Operation
from utilmeta.core.api.signature import Argument
from utilmeta.core.api.specs.schemas import Schema, SchemaBook
from utilmeta.core.request.params import MISSING
from utilmeta.core.request.shapes import shape_of
from utilmeta.utils.annotations import union_members

_annotated: Any = typing.Annotated

_PLACES = ("path", "query", "header", "cookie")
# Header parameters by these names are ignored by readers of a document (OpenAPI 3.1.1, 4.8.12).
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


def parameters_of(operation: Operation, book: SchemaBook) -> list[Schema] | None:
    """Return an operation's parameters; None without any.

    Whole places become one parameter for each member, once their types are described.
    """
    found: list[Schema] = []
    names = set(operation.template.names)
    has_any = False
    for argument in operation.arguments:
        param = argument.param
        place = "query" if param is None else param.place
        if place not in _PLACES:
            continue
        if place == "path" and argument.name not in names and not (param and param.whole):
            continue
        has_any = True
        if param is not None and param.whole:
            _whole(argument, place, book, found)
        else:
            _add(found, _one(argument, place, book))
    missing = names - {item["name"] for item in found if item["in"] == "path"}
    for name in operation.template.names:
        if name in missing and not any(_is_whole_path(item) for item in operation.arguments):
            text = {"type": "string"}
            _add(found, {"name": name, "in": "path", "required": True, "schema": text})
    return found if has_any or found else None


def _is_whole_path(argument: Argument) -> bool:
    return argument.param is not None and argument.param.whole and argument.param.place == "path"


def _add(found: list[Schema], parameter: Schema) -> None:
    """Take in a parameter unless an endpoint's hook or class has described it already."""
    key = (parameter["name"].lower(), parameter["in"])
    ignored = parameter["in"] == "header" and key[0] in _IGNORED_HEADERS
    if not ignored and all((item["name"].lower(), item["in"]) != key for item in found):
        found.append(parameter)


def _one(argument: Argument, place: str, book: SchemaBook) -> Schema:
    param = argument.param
    schema = book.schema(_described(argument), "validation")
    has_default = argument.has_default
    parameter: Schema = {
        "name": wire_name(argument),
        "in": place,
        "required": place == "path" or not has_default,
        "schema": schema,
    }
    about = {} if param is None else param.about
    if about.get("description"):
        parameter["description"] = about["description"]
    if about.get("deprecated"):
        parameter["deprecated"] = True
    if place == "query" and shape_of(argument.annotation).kind in {"object", "open"}:
        parameter["style"] = "deepObject"
        parameter["explode"] = True
    return parameter


def _whole(argument: Argument, place: str, book: SchemaBook, found: list[Schema]) -> None:
    schema = book.schema(argument.annotation, "validation")

    def expand() -> None:
        known = book.resolve(schema)
        required = known.get("required", ())
        for name, member in known.get("properties", {}).items():
            wire = name.replace("_", "-").lower() if place == "header" else name
            parameter: Schema = {
                "name": wire,
                "in": place,
                "required": place == "path" or name in required,
                "schema": member,
            }
            if "description" in member:
                parameter["description"] = member["description"]
            if place == "query" and book.resolve(member).get("type") == "object":
                parameter.update(style="deepObject", explode=True)
            _add(found, parameter)

    book.later(expand)


def _described(argument: Argument) -> Any:
    """Return an argument's type with its constraints; null cannot be sent in a text."""
    annotation, param = argument.annotation, argument.param
    members = union_members(annotation)
    if param is None or param.place != "body":
        annotation = members[0] if len(members) == 1 else annotation
        if param is not None and param.default is None:
            param = replace(param, default=MISSING)
    return annotation if param is None else _annotated[annotation, param.field_info()]


def body_of(operation: Operation, book: SchemaBook) -> Schema:
    """Return the request body of an operation that has one."""
    reader = operation.body
    assert reader is not None  # noqa: S101 - the caller has looked
    content: dict[str, Schema] = {}
    if reader.name is None:
        schema = _members_of(operation, book)
        for media_type in reader.choices[0].media_types:
            content[media_type] = {"schema": schema}
        return {"required": reader.make_default is None, "content": content}
    for choice in reader.choices:
        for media_type in choice.media_types or ("*/*",):
            content[media_type] = _content(choice, book)
    return {"required": reader.make_default is None, "content": content}


def _members_of(operation: Operation, book: SchemaBook) -> Schema:
    """Return the schema of a body whose members are arguments of their own."""
    members = [
        item
        for item in operation.arguments
        if item.param is not None and item.param.place == "body"
    ]
    schema: Schema = {
        "type": "object",
        "properties": {
            wire_name(item): book.schema(_described(item), "validation") for item in members
        },
    }
    required = [wire_name(item) for item in members if not item.has_default]
    if required:
        schema["required"] = required
    return schema


def _content(choice: Any, book: SchemaBook) -> Schema:
    if choice.kind in {"bytes", "file", "stream"}:
        return {"schema": {"type": "string", "format": "binary"}}
    if choice.kind == "text":
        return {"schema": book.schema(choice.annotation, "validation") or {"type": "string"}}
    return {"schema": book.schema(choice.annotation, "validation")}
