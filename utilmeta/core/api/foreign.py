"""Classes that neither we nor pydantic know: how they are read, written and described.

A class says so itself by a class method `__utilmeta_foreign__`, or the package that it comes from
has an extension: `EXTENSION` of the module `utilmeta.contrib.<package>.extension`. Nothing has to
be imported or registered; an extension is looked for when a class derived from one of its package's
is met, once for each package.
"""

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema
from pydantic_core import ValidationError as CoreValidationError

from utilmeta.core.request import Request
from utilmeta.core.request.current import current_request
from utilmeta.core.request.request import MULTIPART, URLENCODED
from utilmeta.core.response import Response
from utilmeta.core.response.finish import JSON
from utilmeta.utils.annotations import SEQUENCES, strip_optional, union_members
from utilmeta.utils.exceptions import ConfigError

Schema = dict[str, Any]
Describe = Callable[["ForeignForm"], Schema]

EXTENSIONS = "utilmeta.contrib"
_DUNDER = "__utilmeta_foreign__"
_annotated: Any = typing.Annotated
_union: Any = typing.Union


class FormFields(dict[str, list[Any]]):
    """A form's fields as they were sent: texts and files by name, repeats kept."""


class RefusedError(ValueError):
    """What was sent does not do.

    Args:
        faults: place below the value, code, what was expected and what was got, for each.
    """

    def __init__(self, faults: "Iterable[tuple[tuple[str | int, ...], str, str, object]]") -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults")


class ForeignForm(ABC):
    """How values of one foreign type go in and out.

    Attributes:
        name: its name among the schemas of the API's description.
        key: tells it from other forms, also from those of the same name; the same for equal ones;
            empty for one that is described where it is used.
        media_types: those of a body that it reads, unless the argument says so.
    """

    name: str
    key: str
    media_types: tuple[str, ...] = (JSON, URLENCODED, MULTIPART)

    @abstractmethod
    def read(self, value: Any, request: Request | None) -> Any:
        """Return what an argument is given; may wait, so it never runs on an event loop.

        Args:
            value: what JSON stands for, or `FormFields`.
            request: the request it came in; None outside of one.

        Raises:
            RefusedError: the value does not do.
        """

    @abstractmethod
    def write(self, value: Any, request: Request | None) -> Any:
        """Return what stands for a value in JSON; may wait, as `read`."""

    @abstractmethod
    def describe(self, describe: Describe, *, is_answer: bool) -> Schema:
        """Return the JSON Schema of what is sent, or of what is answered.

        Args:
            describe: returns the schema of another form, such as a nested one's: a reference.
            is_answer: whether it is for an answer.
        """


class Extension(Protocol):
    """What a package's extension knows."""

    def form_of(
        self, cls: type, *, many: bool, metadata: tuple[Any, ...], method: str
    ) -> ForeignForm | None:
        """Return the form of a class, None when it is none that has one.

        Args:
            cls: the class in the annotation.
            many: whether the annotation is a list of it.
            metadata: what else `Annotated` holds.
            method: upper-case HTTP method; `''` for answers.
        """

    def document(self, patterns: list[Any], title: str) -> Mapping[str, Any]:
        """Return the OpenAPI document of those Django URL patterns whose views it knows."""


@cache
def extension_of(package: str) -> Extension | None:
    """Return the extension for a package, None when there is none."""
    module = f"{EXTENSIONS}.{package}.extension"
    try:
        if not package.isidentifier() or find_spec(module) is None:
            return None
    except ModuleNotFoundError:
        return None
    found: Extension = import_module(module).EXTENSION
    return found


def extension_for(cls: Any) -> Extension | None:
    """Return the extension for a class: that of the nearest base whose package has one."""
    for base in getattr(cls, "__mro__", ()):
        found = extension_of(base.__module__.partition(".")[0])
        if found is not None:
            return found
    return None


class Foreign:
    """Stands in `Annotated` beside a foreign class, and tells pydantic what to do with it.

    Args:
        form: how its values go in and out.
    """

    def __init__(self, form: ForeignForm) -> None:
        self.form = form

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        """Return the schema that reads values by the form."""
        return self.core_schema()

    def core_schema(self) -> CoreSchema:
        """Return the schema that reads values by the form, and describes them."""
        return core_schema.no_info_plain_validator_function(
            self._read,
            ref=self.form.key or None,
            metadata={"pydantic_js_functions": [self._describe]},
            serialization=core_schema.plain_serializer_function_ser_schema(self._write),
        )

    def _read(self, value: Any) -> Any:
        try:
            return self.form.read(value, current_request.get())
        except RefusedError as exc:
            raise CoreValidationError.from_exception_data(
                self.form.name, [_detail(*fault) for fault in exc.faults]
            ) from exc

    def _write(self, value: Any) -> Any:
        return self.form.write(value, current_request.get())

    def _describe(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        def describe(form: ForeignForm) -> Schema:
            # Of what is inside of another schema, a handler describes all.
            inside = handler(core_schema.list_schema(Foreign(form).core_schema()))
            found: Schema = inside["items"]
            return found

        return self.form.describe(describe, is_answer=handler.mode == "serialization")


def _detail(
    place: tuple[str | int, ...], code: str, expected: str, got: object
) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(code, expected), loc=place, input=got)


def form_of(
    cls: Any, *, many: bool = False, metadata: tuple[Any, ...] = (), method: str = ""
) -> ForeignForm | None:
    """Return the form of a class; None when pydantic, or nobody, knows it."""
    if not isinstance(cls, type):
        return None
    make = getattr(cls, _DUNDER, None)
    if make is None:
        extension = extension_for(cls)
        make = None if extension is None else lambda **told: extension.form_of(cls, **told)
    found: ForeignForm | None = (
        None if make is None else make(many=many, metadata=metadata, method=method)
    )
    return found


def adapted(annotation: Any, method: str = "") -> Any:
    """Return an annotation with a `Foreign` beside each foreign class in it.

    Args:
        annotation: a foreign class, a list of one, also inside of unions and `Annotated`.
        method: upper-case HTTP method of the endpoint that reads it; `''` for answers.
    """
    return _adapted(annotation, method, ())


def _adapted(annotation: Any, method: str, metadata: tuple[Any, ...]) -> Any:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *items = typing.get_args(annotation)
        if any(isinstance(item, Foreign) for item in items):
            return annotation
        changed = _adapted(inner, method, (*metadata, *items))
        return annotation if changed is inner else _annotated[(changed, *items)]
    members = union_members(annotation)
    if members != [annotation]:
        nulls = [item for item in typing.get_args(annotation) if item is type(None)]
        made = [_adapted(item, method, metadata) for item in members]
        same = all(new is old for new, old in zip(made, members, strict=True))
        return annotation if same else _union[(*made, *nulls)]
    arguments = typing.get_args(annotation)
    is_list = origin in SEQUENCES and bool(arguments)
    element = strip_optional(arguments[0]) if is_list else annotation
    form = form_of(element, many=is_list, metadata=metadata, method=method)
    return annotation if form is None else _annotated[annotation, Foreign(form)]


def foreign_in(annotation: Any) -> ForeignForm | None:
    """Return the form that an adapted annotation is of, None beside it or without one."""
    if typing.get_origin(annotation) is typing.Annotated:
        for item in typing.get_args(annotation)[1:]:
            if isinstance(item, Foreign):
                return item.form
        return foreign_in(typing.get_args(annotation)[0])
    members = union_members(annotation)
    found = [] if members == [annotation] else [foreign_in(item) for item in members]
    return next((form for form in found if form is not None), None)


def check_place(annotation: Any, name: str, place: str, where: str) -> None:
    """Refuse a foreign class that is not taken from the body.

    Raises:
        ConfigError: it is taken from elsewhere, or is to be.
    """
    form = foreign_in(annotation)
    if form is not None and place not in {"body", "context"}:
        raise ConfigError(
            f"{where}: {name!r} is {form.name}, which is read from a body, not from the {place}; "
            "take single parameters there"
        )


def writer_of(returns: Any) -> "Callable[[Any], Any] | None":
    """Return what turns an endpoint's results into JSON values; None where nothing is foreign.

    Args:
        returns: the return annotation: a foreign class or a list of it, also in `Response[...]`.
    """
    from utilmeta.core.response.response import result_type

    for member in union_members(returns):
        bare = strip_optional(member)
        origin = typing.get_origin(bare) or bare
        if isinstance(origin, type) and issubclass(origin, Response):
            given = [item for item in typing.get_args(bare) if not isinstance(item, typing.TypeVar)]
            found = writer_of(given[0] if given else result_type(origin))
            if found is not None:
                return found
            continue
        form = foreign_in(adapted(member))
        if form is not None:
            return _writer(form)
    return None


def _writer(form: ForeignForm) -> Callable[[Any], Any]:
    def write(result: Any) -> Any:
        if isinstance(result, Response):
            if result.result is not None:
                result.result = form.write(result.result, current_request.get())
            return result
        return result if result is None else form.write(result, current_request.get())

    return write
