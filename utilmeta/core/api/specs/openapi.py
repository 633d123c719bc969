"""The OpenAPI 3.1 document of a service."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from utilmeta.core.api.operation import Operation
from utilmeta.core.api.specs.answers import AnswerWriter
from utilmeta.core.api.specs.external import merge_external
from utilmeta.core.api.specs.inputs import body_of, parameters_of
from utilmeta.core.api.specs.schemas import SchemaBook
from utilmeta.core.api.specs.security import SecurityBook
from utilmeta.utils.exceptions import ConfigError

Document = dict[str, Any]
External = Mapping[str, Any] | str | Path | Callable[[], Mapping[str, Any]]

VERSION = "3.1.1"


class Described(Protocol):
    """What the document is told of a service."""

    title: str
    description: str
    version: str
    route: str
    origin: str | None

    @property
    def engine(self) -> Any:
        """The engine, with its operations."""

    def external_documents(self) -> Iterable[tuple[str, External]]:
        """Return documents of what is mounted beside the API, by route."""


class OpenAPI:
    """The OpenAPI 3.1 document of a service: `OpenAPI(service)()`.

    Args:
        service: the service.
        external: further documents by the route they answer below: a mapping, the path of a JSON
            file, or a function that returns a mapping.

    Source: the OpenAPI Specification 3.1.1.
    """

    def __init__(
        self, service: Described, *, external: Sequence[tuple[str, External]] = ()
    ) -> None:
        self._service = service
        self._external = tuple(external)
        self._document: Document | None = None

    def __call__(self) -> Document:
        """Return the document, made once.

        Raises:
            ConfigError: two operations share an id, or two types a name; an external document
                cannot be read, or describes a path that is there already.
        """
        if self._document is None:
            self._document = self._make()
        return self._document

    def _make(self) -> Document:
        service = self._service
        document = make_document(
            service.engine.operations,
            title=service.title,
            description=service.description,
            version=service.version,
            route=service.route,
            origin=service.origin,
        )
        for route, source in (*service.external_documents(), *self._external):
            merge_external(document, route, source)
        return document

    @staticmethod
    def as_api(path: str = "openapi.json", *, ui: bool = False) -> Any:
        """Return an API class that answers with the running service's document.

        Args:
            path: where it answers, below the class it is nested in.
            ui: whether `docs` beside it shows the document to people.
        """
        from utilmeta.core.api.specs.docs import make_docs_api

        return make_docs_api(_running_document, path=path, ui=ui)


def _running_document() -> Document:
    from utilmeta.conf import current

    service = current.get()
    if service is None:
        raise ConfigError("OpenAPI.as_api(): no service exists in this process")
    document: Document = service.openapi()
    return document


def make_document(
    operations: Iterable[Operation],
    *,
    title: str,
    version: str,
    description: str = "",
    route: str = "",
    origin: str | None = None,
) -> Document:
    """Return the document of compiled operations; private ones and WebSockets are left out.

    Raises:
        ConfigError: two operations share an id, or two types a name.
    """
    book = SchemaBook()
    answers = AnswerWriter(book)
    security = SecurityBook()
    paths: dict[str, dict[str, Any]] = {}
    ids: dict[str, Operation] = {}
    tags: dict[str, None] = {}
    for operation in operations:
        if operation.about.private or operation.method == "WS":
            continue
        path = f"{route.rstrip('/')}{operation.template}".rstrip("/") or "/"
        entry = _operation(operation, book, answers)
        entry["operationId"] = _operation_id(operation, ids)
        requirements = security.requirements(operation)
        if requirements:
            entry["security"] = requirements
        tags.update(dict.fromkeys(entry["tags"]))
        paths.setdefault(path, {})[operation.method.lower()] = entry
    book.fill()
    info = {"title": title, "version": version}
    if description:
        info["description"] = inspect.cleandoc(description)
    components: dict[str, Any] = {"schemas": dict(sorted(book.definitions.items()))}
    if security.schemes:
        components["securitySchemes"] = security.schemes
    return {
        "openapi": VERSION,
        "info": info,
        "servers": [{"url": origin or "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": components,
    }


def _operation(operation: Operation, book: SchemaBook, answers: AnswerWriter) -> dict[str, Any]:
    about = operation.about
    summary, description = _texts(operation)
    entry: dict[str, Any] = {
        "tags": list(about.tags if about.tags is not None else _tags(operation))
    }
    if about.summary or summary:
        entry["summary"] = about.summary or summary
    if about.description or description:
        entry["description"] = about.description or description
    entry["operationId"] = ""
    parameters = parameters_of(operation, book)
    if parameters is not None:
        entry["parameters"] = parameters
    if operation.body is not None:
        entry["requestBody"] = body_of(operation, book)
    entry["responses"] = answers.responses(operation)
    if about.deprecated:
        entry["deprecated"] = True
    entry.update(about.extension)
    return entry


def _texts(operation: Operation) -> tuple[str, str]:
    """Return the first line and the rest of the endpoint's docstring, without its sections."""
    text = inspect.cleandoc(operation.function.__doc__ or "")
    text = re.split(r"\n\n?(?:Args|Returns|Raises|Yields|Source|Note):\s*\n", text)[0]
    first, _, rest = text.partition("\n")
    return first.strip().removesuffix("."), rest.strip()


def _tags(operation: Operation) -> list[str]:
    """Return the first fixed part of the path as the group of an operation."""
    fixed = [segment.text for segment in operation.template.segments if segment.kind == "fixed"]
    return fixed[:1] if len(operation.template.segments) > 1 or len(operation.levels) > 1 else []


def _operation_id(operation: Operation, ids: dict[str, Operation]) -> str:
    """Return the operation's unique name, made of its method and path unless it has one.

    Raises:
        ConfigError: another endpoint was given the same.
    """
    name = operation.about.operation_id
    if name is None:
        words = [operation.method.lower()]
        for segment in operation.template.segments:
            words += [re.sub(r"\W+", "_", part) for part in re.split(r"[{}]", segment.text) if part]
        name = "_".join(word.strip("_") for word in words if word.strip("_"))
    unique, number = name, 2
    while unique in ids:
        other = ids[unique]
        if operation.about.operation_id is not None and other.function is not operation.function:
            raise ConfigError(
                f"{operation.where} and {other.where} both have operation_id={name!r}; rename one"
            )
        unique = f"{name}_{number}"
        number += 1
    ids[unique] = operation
    return unique
