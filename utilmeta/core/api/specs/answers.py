"""Responses in an OpenAPI document: what endpoints return, and each error they may answer with."""

import typing
from collections.abc import AsyncIterator, Iterator
from types import NoneType
from typing import Any

from utilmeta.core.api.operation import Operation
from utilmeta.core.api.plugins import Cache, Idempotency, RateLimit
from utilmeta.core.api.signature import resolve_hints
from utilmeta.core.api.specs.schemas import Schema, SchemaBook
from utilmeta.core.api.specs.security import asked_of
from utilmeta.core.file import File
from utilmeta.core.response import Response
from utilmeta.core.response.files import BINARY
from utilmeta.core.response.finish import JSON
from utilmeta.core.response.problem import PROBLEM
from utilmeta.core.response.response import headers_type, result_type
from utilmeta.utils.annotations import union_members
from utilmeta.utils.exceptions.http import ClientError, phrase_of

TEXT = "text/plain"

PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["type", "title", "status"],
}


class AnswerWriter:
    """Writes the responses of operations.

    Args:
        book: keeps the schemas.
    """

    def __init__(self, book: SchemaBook) -> None:
        self._book = book

    def responses(self, operation: Operation) -> dict[str, Schema]:
        """Return an operation's responses by status, `default` for errors not named."""
        found: dict[str, Schema] = {}
        returns = operation.returns
        members = [returns] if returns is None else union_members(returns)
        if operation.null_is_json and len(members) == 1:
            members = [returns]
        for member in members:
            self._success(operation, member, found)
        error = self._error(operation.finisher.errors)
        refusal = self._refusal(operation, error)
        for status in _error_statuses(operation):
            told = refusal if status < 500 else error
            found.setdefault(str(status), {"description": phrase_of(status), **told})
        if any(isinstance(plugin, Cache) for plugin in operation.plugins):
            found.setdefault("304", {"description": phrase_of(304)})
        if refusal is not error:
            error = {"content": {**error["content"]}}
            _join(error["content"], refusal["content"])
        found["default"] = {"description": "Any other error", **error}
        return found

    def _refusal(self, operation: Operation, error: Schema) -> Schema:
        """Return the content of errors that are the client's fault, as hooks answer for them."""
        for hook in reversed(operation.handlers):
            if not any(issubclass(ClientError, kind) for kind in hook.errors):
                continue
            returns = resolve_hints(hook.function, hook.where).get("return")
            content: dict[str, Schema] = {}
            for member in union_members(returns) if returns is not None else ():
                template, kind, _ = _put_into(operation, member)
                _join(content, self._content(template, kind, declared=True) or {})
            if content:
                return {"content": content}
        return error

    def _success(self, operation: Operation, member: Any, found: dict[str, Schema]) -> None:
        template, kind, status = _put_into(operation, member)
        content = self._content(template, kind, declared=operation.returns is not None)
        if content is None and status is None:
            status = 204
        key = str(status or 200)
        entry: Schema = {"description": template.description or template.name or _phrase(key)}
        headers = self._headers(template)
        if headers is not None:
            entry["headers"] = headers
        if content is not None:
            entry["content"] = content
        if key in found and "content" in found[key] and content is not None:
            _join(found[key]["content"], content)
        else:
            found[key] = entry

    def _headers(self, template: type[Response[Any]]) -> Schema | None:
        kind = headers_type(template)
        if kind is None:
            return None
        headers: Schema = {}
        schema = self._book.schema(kind, "serialization")

        def expand() -> None:
            for name, member in self._book.resolve(schema).get("properties", {}).items():
                headers[name] = {"schema": member}

        self._book.later(expand)
        return headers

    def _content(
        self, template: type[Response[Any]], kind: Any, *, declared: bool
    ) -> dict[str, Schema] | None:
        """Return the body by media type; None for no body."""
        own = result_type(template) if kind is None or kind is template else kind
        given = template.content_type
        if hasattr(template, "encode_item"):
            entry: Schema = {"schema": {"type": "string"}}
            if own is not None:
                # What one record is; OpenAPI has a member of its own for it from 3.2 on.
                entry["x-item-schema"] = self._book.schema(own, "serialization")
            return {str(given): entry}
        if template.keys:
            return {given or JSON: {"schema": self._envelope(template, own)}}
        if own is NoneType or (own is None and declared and template is Response):
            return None
        media_type, schema = self._plain(own)
        return {given or media_type: {"schema": schema}}

    def _plain(self, kind: Any) -> tuple[str, Schema]:
        origin = typing.get_origin(kind) or kind
        if origin is str:
            return TEXT, {"type": "string"}
        if isinstance(origin, type) and issubclass(origin, bytes | bytearray | File):
            return BINARY, {"type": "string", "format": "binary"}
        if origin in (Iterator, AsyncIterator, typing.Generator, typing.AsyncGenerator):
            return BINARY, {"type": "string", "format": "binary"}
        if hasattr(origin, "__next__") or hasattr(origin, "__anext__"):
            return BINARY, {"type": "string", "format": "binary"}
        if kind is None:
            return "*/*", {}
        return JSON, self._book.schema(kind, "serialization")

    def _envelope(self, template: type[Response[Any]], kind: Any) -> Schema:
        parts: dict[str, Schema] = {
            "result": {} if kind is None else self._book.schema(kind, "serialization"),
            "message": {"type": "string"},
            "state": {},
            "count": {"type": ["integer", "null"]},
            "errors": {"type": ["array", "null"], "items": {"type": "object"}},
        }
        return {
            "type": "object",
            "properties": {key: parts[part] for part, key in template.keys},
            "required": [key for _, key in template.keys],
        }

    def _error(self, template: type[Response[Any]] | None) -> Schema:
        """Return the content of an operation's errors."""
        if template is not None:
            schema = self._envelope(template, None)
            return {"content": {template.content_type or JSON: {"schema": schema}}}
        self._book.definitions.setdefault("Problem", PROBLEM_SCHEMA)
        return {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _put_into(operation: Operation, member: Any) -> tuple[type[Response[Any]], Any, int | None]:
    """Return what a type of an annotation is put into, what is put there, and the status."""
    member = _as_template(member)
    origin = typing.get_origin(member) or member
    status = operation.finisher.status
    if isinstance(origin, type) and issubclass(origin, Response):
        status = origin.status if isinstance(origin.status, int) else status
        return origin, _parameter_of(member), status
    return operation.finisher.template, member, status


def _as_template(member: Any) -> Any:
    """Return `R[T]` for `Annotated[Iterator[T], R]`; everything else as it is."""
    for item in getattr(member, "__metadata__", ()):
        if isinstance(item, type) and issubclass(item, Response):
            inner = typing.get_args(typing.get_args(member)[0])
            generic: Any = item
            return generic[inner[0]] if inner and hasattr(item, "encode_item") else item
    return member


def _parameter_of(member: Any) -> Any:
    """Return the `T` of `Response[T]`; the class itself when it has none."""
    arguments = [item for item in typing.get_args(member) if not isinstance(item, typing.TypeVar)]
    return arguments[0] if arguments else typing.get_origin(member) or member


def _phrase(key: str) -> str:
    phrase = phrase_of(int(key))
    return "OK" if phrase == "Unknown" else phrase


def _join(known: dict[str, Schema], more: dict[str, Schema]) -> None:
    """Put further content beside what a status has already."""
    for media_type, entry in more.items():
        if media_type not in known:
            known[media_type] = entry
            continue
        one, other = known[media_type]["schema"], entry["schema"]
        options = one["anyOf"] if set(one) == {"anyOf"} else [one]
        known[media_type] = {"schema": {"anyOf": [*options, other]}}


def _error_statuses(operation: Operation) -> list[int]:
    """Return the statuses that an operation's own declaration may lead to."""
    found = []
    if operation.params is not None or operation.body is not None:
        found.append(400)
    if operation.template.names:
        found.append(404)
    if operation.body is not None:
        found += [413, 415]
    for asked in asked_of(operation):
        by_cookie = any(scheme.get("in") == "cookie" for scheme in asked.schemes.values())
        found += [] if asked.optional else [401]
        found += [403] if asked.scopes or by_cookie or not asked.schemes else []
    for plugin in operation.plugins:
        if isinstance(plugin, RateLimit):
            found += [429, 503]
        if isinstance(plugin, Idempotency):
            found += [409, 422, 503]
    if operation.timeout is not None:
        found.append(504)
    return sorted(set(found))
