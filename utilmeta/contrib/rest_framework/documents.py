"""The OpenAPI document of REST framework's views, with serializers described as in our own."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLResolver
from rest_framework import permissions, renderers, serializers
from rest_framework.schemas.generators import EndpointEnumerator

from utilmeta.contrib.rest_framework.describing import column_schema
from utilmeta.contrib.rest_framework.schemes import Scheme, schemes_of
from utilmeta.core.api.foreign import adapted
from utilmeta.core.api.specs.external import upgrade
from utilmeta.core.api.specs.openapi import VERSION
from utilmeta.core.api.specs.schemas import Schema, SchemaBook

_SENT = ("POST", "PUT", "PATCH")
_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CONVERTERS: Mapping[str, Schema] = {
    "int": {"type": "integer", "minimum": 0},
    "uuid": {"type": "string", "format": "uuid"},
}
_CONVERTER = re.compile(r"<(\w+):(\w+)>")

_ERROR: Schema = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
_FAULTS: Schema = {
    "type": "object",
    "description": "Texts by field; `non_field_errors` holds those of no single one.",
}


def make_document(
    patterns: Any, *, title: str = "REST framework", version: str = "1.0.0"
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of URL patterns that lead to REST framework's views.

    Args:
        patterns: Django URL patterns, or a router; views of other kinds are left out.
        title: name of what is described.
        version: its version.
    """
    found = getattr(patterns, "urls", patterns)
    book = SchemaBook()
    writer = _Writer(book)
    for operation in sorted(_operations(list(found)), key=lambda item: item.path):
        writer.add(operation)
    book.fill()
    components: dict[str, Any] = {"schemas": dict(sorted(book.definitions.items()))}
    if writer.schemes:
        components["securitySchemes"] = writer.schemes
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": version},
        "tags": [{"name": name} for name in writer.tags],
        "paths": writer.paths,
        "components": components,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """One method of one view.

    Attributes:
        path: with its variables in braces.
        method: upper case.
        view: an instance that answers no request.
        kinds: names of converters by the path's variables.
    """

    path: str
    method: str
    view: Any
    kinds: Mapping[str, str]

    @property
    def action(self) -> str | None:
        """The view set's action; None for other views."""
        return getattr(self.view, "action", None)

    @property
    def is_list(self) -> bool:
        """Whether it answers with many rows."""
        if self.action is not None:
            return self.action == "list"
        return self.method == "GET" and hasattr(self.view, "list")

    @property
    def names(self) -> list[str]:
        """The path's variables."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def handler(self) -> Any:
        """What answers."""
        return getattr(self.view, self.action or self.method.lower(), None)


def _operations(patterns: list[Any]) -> Iterator[_Operation]:
    kinds = dict(_converters(patterns))
    for path, method, callback in EndpointEnumerator(patterns).get_api_endpoints():
        if method not in _ORDER:
            continue
        view = callback.cls(**getattr(callback, "initkwargs", {}))
        view.args, view.kwargs, view.format_kwarg, view.request = (), {}, None, None
        actions = getattr(callback, "actions", None)
        if actions is not None:
            view.action_map, view.action = actions, actions.get(method.lower())
        yield _Operation(path=path, method=method, view=view, kinds=kinds)


def _converters(patterns: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        yield from ((name, kind) for kind, name in _CONVERTER.findall(str(pattern.pattern)))
        if isinstance(pattern, URLResolver):
            yield from _converters(pattern.url_patterns)


class _Writer:
    """Writes the operations of a document.

    Args:
        book: keeps the schemas.

    Attributes:
        paths: what has been written.
        tags: names of groups.
        schemes: ways to say who one is, by name.
    """

    def __init__(self, book: SchemaBook) -> None:
        self._book = book
        self._ids: set[str] = set()
        self.paths: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, None] = {}
        self.schemes: dict[str, Scheme] = {}

    def add(self, operation: _Operation) -> None:
        """Describe an operation."""
        tag = self._tag(operation)
        entry: dict[str, Any] = {"operationId": self._id(operation)}
        if tag:
            entry["tags"] = [tag]
            self.tags[tag] = None
        entry.update(_texts(operation))
        parameters = [*self._in_path(operation), *_in_query(operation)]
        if parameters:
            entry["parameters"] = parameters
        serializer = serializer_of(operation.view)
        if operation.method in _SENT:
            schema = self._sent(serializer, operation)
            entry["requestBody"] = {
                "content": {kind: {"schema": schema} for kind in _parsed(operation.view)},
            }
        entry["responses"] = self._responses(operation, serializer)
        security = self._security(operation.view)
        if security:
            entry["security"] = security
        self.paths.setdefault(operation.path, {})[operation.method.lower()] = entry

    def _tag(self, operation: _Operation) -> str:
        fixed = [part for part in operation.path.split("/") if part and "{" not in part]
        return getattr(operation.view, "basename", None) or (fixed[0] if fixed else "")

    def _id(self, operation: _Operation) -> str:
        if operation.action is not None:
            name = f"{operation.view.basename or type(operation.view).__name__}_{operation.action}"
        else:
            name = f"{operation.method.lower()}_{operation.path}"
        name = re.sub(r"\W+", "_", name).strip("_")
        unique, number = name, 2
        while unique in self._ids:
            unique = f"{name}_{number}"
            number += 1
        self._ids.add(unique)
        return unique

    def _in_path(self, operation: _Operation) -> Iterator[Schema]:
        view = operation.view
        model = getattr(getattr(view, "queryset", None), "model", None)
        for name in operation.names:
            schema = dict(_CONVERTERS.get(operation.kinds.get(name, ""), {"type": "string"}))
            lookup = getattr(view, "lookup_field", None)
            if model is not None and name == (getattr(view, "lookup_url_kwarg", None) or lookup):
                column = model._meta.pk if lookup == "pk" else _column(model, str(lookup))  # noqa: SLF001
                schema = column_schema(column) if column is not None else schema
            yield {"name": name, "in": "path", "required": True, "schema": schema}

    def _sent(self, serializer: type[Any] | None, operation: _Operation) -> Schema:
        if serializer is None:
            return {}
        return self._book.schema(adapted(serializer, operation.method), "validation")

    def _responses(self, operation: _Operation, serializer: type[Any] | None) -> dict[str, Schema]:
        status = "201" if operation.method == "POST" else "200"
        if operation.action not in {None, "create"}:
            status = "200"
        found: dict[str, Schema] = {}
        if operation.method == "DELETE":
            found["204"] = {"description": "No Content"}
        else:
            content = self._answered(operation, serializer)
            found[status] = {"description": "Created" if status == "201" else "OK"}
            found[status]["content"] = content
        if operation.method in _SENT:
            found["400"] = _error("Bad Request", _FAULTS)
        kinds = [kind for kind in operation.view.permission_classes if kind is not None]
        if any(kind is not permissions.AllowAny for kind in kinds):
            found["401"], found["403"] = _error("Unauthorized"), _error("Forbidden")
        if operation.names:
            found["404"] = _error("Not Found")
        if operation.view.throttle_classes:
            found["429"] = _error("Too Many Requests")
        return found

    def _answered(
        self, operation: _Operation, serializer: type[Any] | None
    ) -> dict[str, dict[str, Any]]:
        entry: dict[str, Any] = {"schema": {}}
        if serializer is not None:
            kind: Any = serializer
            many: Any = list[kind]
            entry["schema"] = self._book.schema(
                many if operation.is_list else kind, "serialization"
            )
        paginator = getattr(operation.view, "paginator", None)
        if operation.is_list and paginator is not None:
            rows = entry["schema"]

            def wrap() -> None:
                entry["schema"] = upgrade(paginator.get_paginated_response_schema(rows))

            self._book.later(wrap)
        return dict.fromkeys(_rendered(operation.view), entry)

    def _security(self, view: Any) -> list[dict[str, list[str]]]:
        found = schemes_of(view.get_authenticators())
        for name, scheme in found.items():
            self.schemes.setdefault(name, scheme)
        options = [{name: list[str]()} for name in found]
        is_open = set(view.permission_classes) <= {permissions.AllowAny}
        return [{}, *options] if options and is_open else options


def _error(phrase: str, schema: Schema = _ERROR) -> Schema:
    return {"description": phrase, "content": {"application/json": {"schema": schema}}}


def _column(model: Any, name: str) -> Any:
    return next((item for item in model._meta.concrete_fields if item.name == name), None)  # noqa: SLF001


def serializer_of(view: Any) -> type[Any] | None:
    """Return the serializer class of a view, None where only a request tells it, or nothing."""
    found = getattr(view, "serializer_class", None)
    if hasattr(view, "get_serializer_class"):
        try:
            found = view.get_serializer_class()
        except (AssertionError, AttributeError, KeyError, TypeError):
            # A method that looks at the request has none to look at here.
            found = getattr(view, "serializer_class", None)
    is_one = isinstance(found, type) and issubclass(found, serializers.BaseSerializer)
    return found if is_one else None


def _texts(operation: _Operation) -> dict[str, str]:
    """Return the first line and the rest of what the project says of an operation."""
    handler = operation.handler
    module = getattr(handler, "__module__", None) or ""
    if module.partition(".")[0] == "rest_framework":
        return {}
    text = inspect.cleandoc(getattr(handler, "__doc__", None) or "")
    first, _, rest = text.partition("\n")
    texts = {"summary": first.strip().removesuffix("."), "description": rest.strip()}
    return {name: value for name, value in texts.items() if value}


def _in_query(operation: _Operation) -> Iterator[Schema]:
    """Yield the parameters that filters and pages take from the query string."""
    if not operation.is_list:
        return
    view = operation.view
    sources = [backend() for backend in getattr(view, "filter_backends", ())]
    paginator = getattr(view, "paginator", None)
    seen = set()
    for source in [*sources, *([] if paginator is None else [paginator])]:
        if not hasattr(source, "get_schema_operation_parameters"):
            continue
        for parameter in source.get_schema_operation_parameters(view):
            if parameter["name"] not in seen:
                seen.add(parameter["name"])
                yield upgrade({**parameter, "description": str(parameter.get("description", ""))})


def _parsed(view: Any) -> list[str]:
    return list(dict.fromkeys(parser.media_type for parser in view.parser_classes))


def _rendered(view: Any) -> list[str]:
    """Return the media types of answers, without those that only people look at."""
    kinds = [
        kind.media_type
        for kind in view.renderer_classes
        if not issubclass(kind, renderers.BrowsableAPIRenderer | renderers.TemplateHTMLRenderer)
    ]
    return list(dict.fromkeys(kinds)) or ["application/json"]
