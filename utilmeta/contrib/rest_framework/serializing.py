"""Serializer classes as the types of arguments and answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Manager
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from rest_framework.fields import empty
from rest_framework.serializers import BaseSerializer, ListSerializer
from rest_framework.settings import api_settings

from utilmeta.contrib.rest_framework.describing import (
    component_of,
    describe_serializer,
    is_anonymous,
)
from utilmeta.contrib.rest_framework.errors import translated
from utilmeta.contrib.rest_framework.requests import request_of
from utilmeta.core.api.foreign import Describe, ForeignForm, FormFields, RefusedError, Schema
from utilmeta.core.file import File
from utilmeta.core.request import Request

Fault = tuple[tuple[str | int, ...], str, str, object]
Find = Callable[[Request], Any]


@dataclass(frozen=True, slots=True)
class Existing:
    """Beside a serializer in `Annotated`: the row that it updates.

    Attributes:
        rows: the model, a manager or a queryset; or a function from the request to the row.
        param: variable of the path that tells the row.
        lookup: field of the model that it is compared with.

    The row is found before validation, as validators that ask whether a value is unique have to
    leave it out; without it the answer is 404.
    """

    rows: Any
    param: str = "id"
    lookup: str = "pk"

    def find(self, request: Request | None) -> Any:
        """Return the row of a request.

        Raises:
            Http404: there is none.
        """
        if request is None:
            return None
        if not isinstance(self.rows, type) and callable(self.rows):
            return self.rows(request)
        rows = self.rows.all() if isinstance(self.rows, Manager) else self.rows
        rows = rows if isinstance(rows, type) else rows.all()
        try:
            return get_object_or_404(rows, **{self.lookup: request.path_params[self.param]})
        except (TypeError, ValueError, OverflowError) as exc:
            from django.http import Http404

            raise Http404 from exc


class SerializerForm(ForeignForm):
    """How values of a serializer class go in and out.

    Args:
        cls: the class.
        many: whether it is for lists.
        partial: whether members may be left out, as for PATCH.
        metadata: what else stands in `Annotated`, such as `Existing`.
    """

    def __init__(
        self,
        cls: type[Any],
        *,
        many: bool = False,
        partial: bool = False,
        metadata: tuple[Any, ...] = (),
    ) -> None:
        self.cls = cls
        self.many = many
        self.partial = partial
        self._existing = next((item for item in metadata if isinstance(item, Existing)), None)
        self.name = ("Patched" if partial else "") + component_of(cls) + ("List" if many else "")
        self.key = "" if many else f"{cls.__module__}.{self.name}:{id(cls)}"

    def read(self, value: Any, request: Request | None) -> Any:
        """Return the valid serializer of what was sent, ready for `save`."""
        instance = None if self._existing is None else self._existing.find(request)
        given = _form_data(value) if isinstance(value, FormFields) else value
        options: dict[str, Any] = {"many": True} if self.many else {}
        serializer: Any = self.cls(
            instance,
            data=empty if given is None else given,
            partial=self.partial,
            context=_context(request),
            **options,
        )
        with translated():
            is_valid = serializer.is_valid()
        if not is_valid:
            raise RefusedError(faults_of(serializer.errors, given))
        return serializer

    def write(self, value: Any, request: Request | None) -> Any:
        """Return the representation of an instance, a queryset or list of them, or a serializer."""
        if isinstance(value, BaseSerializer):
            return value.data
        if self.many or issubclass(self.cls, ListSerializer):
            rows = value.all() if isinstance(value, Manager) else value
            options = {"many": True} if self.many else {}
            return self.cls(rows, context=_context(request), **options).data
        if hasattr(value, "_meta") or not hasattr(value, "first"):
            return self.cls(value, context=_context(request)).data
        # A queryset of which the first row is meant.
        row = value.first()
        if row is None:
            from django.http import Http404

            raise Http404
        return self.cls(row, context=_context(request)).data

    def describe(self, describe: Describe, *, is_answer: bool) -> Schema:
        """Return the schema of the serializer's fields."""
        if self.many:
            return {"type": "array", "items": describe(SerializerForm(self.cls))}
        partial = self.partial and not is_answer

        def nested(serializer: Any) -> Schema:
            if is_anonymous(type(serializer)):
                return describe_serializer(serializer, nested, is_answer=is_answer, partial=partial)
            return describe(SerializerForm(type(serializer), partial=partial))

        return describe_serializer(self.cls(), nested, is_answer=is_answer, partial=partial)


def _context(request: Request | None) -> dict[str, Any]:
    """Return what serializers know of the request, as REST framework's views tell them."""
    return {
        "request": None if request is None else request_of(request),
        "format": None,
        "view": None,
    }


def _form_data(fields: FormFields) -> Any:
    """Return a form as REST framework reads forms, its files as Django's."""
    data: Any = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(
            name, [_uploaded(value) if isinstance(value, File) else value for value in values]
        )
    return data


def _uploaded(file: File) -> Any:
    file.seek(0)
    content: Any = file._file  # noqa: SLF001 - Django wants the open file itself
    return UploadedFile(
        file=content,
        name=file.filename or "file",
        content_type=file.content_type,
        size=file.size,
    )


def faults_of(errors: Any, got: Any, place: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    """Yield the place, code, text and refused value of each error of a serializer.

    Args:
        errors: its `errors`, or those of one of its members.
        got: what was sent there.
        place: where that is.
    """
    if isinstance(errors, Mapping):
        for name, found in errors.items():
            if name == api_settings.NON_FIELD_ERRORS_KEY:
                yield from faults_of(found, got, place)
            else:
                yield from faults_of(found, _member(got, name), (*place, name))
        return
    if isinstance(errors, str):
        errors = [errors]
    for index, found in enumerate(errors):
        if isinstance(found, str):
            code = getattr(found, "code", None) or "invalid"
            yield place, "missing" if code == "required" else str(code), str(found), _shown(got)
        else:
            yield from faults_of(found, _member(got, index), (*place, index))


def _shown(got: Any) -> Any:
    return dict(got.items()) if isinstance(got, QueryDict) else got


def _member(value: Any, name: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list) and isinstance(name, int) and name < len(value):
        return value[name]
    return None
