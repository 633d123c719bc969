"""Serializers and their fields as JSON Schemas."""

import inspect
import json
import re
import typing
from collections.abc import Callable, Iterator
from functools import singledispatch
from typing import Any

import pydantic
from django.core import validators
from django.db import models
from rest_framework import fields, relations, serializers
from rest_framework.settings import api_settings

Schema = dict[str, Any]
Nested = Callable[[Any], Schema]

# What expressions of Python's have that those of JSON Schema (ECMA 262) have not.
_PYTHON_ONLY = re.compile(r"\(\?(?!:|=|!|<=|<!)|\\[AZ]")

_TEXT = "string"


def component_of(cls: type) -> str:
    """Return the name of a serializer class among the schemas: without `Serializer`."""
    return cls.__name__.removesuffix("Serializer") or cls.__name__


def is_anonymous(cls: type) -> bool:
    """Return whether REST framework made a serializer class itself, for `depth`."""
    return "<locals>.NestedSerializer" in cls.__qualname__


def describe_serializer(
    serializer: Any, nested: Nested, *, is_answer: bool, partial: bool = False
) -> Schema:
    """Return the schema of a serializer's fields.

    Args:
        serializer: an instance.
        nested: returns the schema of a serializer that is a field, or in a list.
        is_answer: whether it is for answers: without `write_only` fields, with all others; for what
            is sent those are left out that cannot be.
        partial: whether every member may be left out.
    """
    if isinstance(serializer, serializers.ListSerializer):
        return _with_bounds({"type": "array", "items": nested(serializer.child)}, serializer)
    if not isinstance(serializer, serializers.Serializer):
        # A base serializer says nothing of its form.
        return {}
    properties: Schema = {}
    required = []
    for name, field in serializer.fields.items():
        left_out = field.write_only if is_answer else field.read_only
        if left_out or isinstance(field, fields.HiddenField):
            continue
        properties[name] = describe_field(field, nested, is_answer=is_answer)
        if is_answer or (field.required and not partial):
            required.append(name)
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    text = inspect.cleandoc(type(serializer).__doc__ or "")
    if text and type(serializer).__module__.partition(".")[0] != "rest_framework":
        schema["description"] = text
    return schema


def describe_field(field: Any, nested: Nested, *, is_answer: bool) -> Schema:
    """Return the schema of a serializer's field."""
    if isinstance(field, serializers.ListSerializer):
        schema = _with_bounds({"type": "array", "items": nested(field.child)}, field)
    elif isinstance(field, serializers.BaseSerializer):
        schema = nested(field)
    elif isinstance(field, fields.ListField | fields.DictField):
        child = describe_field(field.child, nested, is_answer=is_answer)
        schema = (
            _with_bounds({"type": "array", "items": child}, field)
            if isinstance(field, fields.ListField)
            else {"type": "object", "additionalProperties": child}
        )
    elif isinstance(field, relations.ManyRelatedField):
        child = describe_field(field.child_relation, nested, is_answer=is_answer)
        schema = {"type": "array", "items": child}
        if not (is_answer or field.allow_empty):
            schema["minItems"] = 1
    else:
        schema = dict(_schema_of(field, is_answer))
        if not is_answer:
            schema.update(_constraints(field, schema))
    return _with_about(field, schema, is_answer=is_answer)


def _with_about(field: Any, schema: Schema, *, is_answer: bool) -> Schema:
    """Return a schema with what holds for fields of all kinds: null, text for people, default."""
    if field.allow_null or (is_answer and _may_be_null(field)):
        schema = _nullable(schema)
    about: Schema = {}
    if field.help_text:
        about["description"] = str(field.help_text)
    if not is_answer and field.default is not fields.empty and not callable(field.default):
        try:
            about["default"] = json.loads(json.dumps(field.default))
        except (TypeError, ValueError):
            # A default that JSON has no form for is not described.
            about.pop("default", None)
    if about and "$ref" in schema:
        return {"allOf": [schema], **about}
    return {**schema, **about}


def _nullable(schema: Schema) -> Schema:
    if not schema:
        return schema
    if isinstance(schema.get("type"), str) and "$ref" not in schema:
        made = {**schema, "type": [schema["type"], "null"]}
        if "enum" in made:
            made["enum"] = [*made["enum"], *([] if None in made["enum"] else [None])]
        return made
    if isinstance(schema.get("type"), list):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def _may_be_null(field: Any) -> bool:
    """Return whether an answer may hold null where nothing may be sent."""
    found = _column_of(field)
    return found is not None and field.read_only and bool(getattr(found, "null", False))


def _column_of(field: Any) -> Any:
    """Return the column of the model that a field reads, None for others."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    if model is None or not field.source or "." in field.source or field.source == "*":
        return None
    return next((item for item in model._meta.get_fields() if item.name == field.source), None)  # noqa: SLF001


def _with_bounds(schema: Schema, field: Any) -> Schema:
    if getattr(field, "min_length", None):
        schema["minItems"] = field.min_length
    elif getattr(field, "allow_empty", True) is False:
        schema["minItems"] = 1
    if getattr(field, "max_length", None):
        schema["maxItems"] = field.max_length
    return schema


def _constraints(field: Any, schema: Schema) -> Schema:
    """Return what a field's validators ask for, in the words of JSON Schema."""
    found: Schema = {}
    if schema.get("type") not in {_TEXT, "integer", "number"}:
        return found
    is_text = schema["type"] == _TEXT
    for validator in field.validators:
        limit = getattr(validator, "limit_value", None)
        limit = limit() if callable(limit) else limit
        for kind, on_text, on_number in (
            (validators.MaxLengthValidator, "maxLength", None),
            (validators.MinLengthValidator, "minLength", None),
            (validators.MaxValueValidator, None, "maximum"),
            (validators.MinValueValidator, None, "minimum"),
        ):
            word = on_text if is_text else on_number
            if type(validator) is kind and word and isinstance(limit, int | float):
                found[word] = limit
        if is_text and "format" not in schema and type(validator) is validators.RegexValidator:
            found.update(_pattern(validator))
    blank = isinstance(field, fields.CharField) and not field.allow_blank
    if blank and "enum" not in schema and "format" not in schema:
        found.setdefault("minLength", 1)
    return found


def _pattern(validator: validators.RegexValidator) -> Schema:
    # A field's validators are ready; the stubs also know those that are not.
    text = str(re.compile(validator.regex).pattern).replace(r"\Z", "$").replace(r"\A", "^")
    if validator.inverse_match or validator.flags or _PYTHON_ONLY.search(text):
        return {}
    return {"pattern": text}


@singledispatch
def _schema_of(field: Any, _is_answer: bool) -> Schema:
    """Return what a kind of field holds; `{}` for one that says nothing of it."""
    return {}


@_schema_of.register
def _(field: fields.CharField, _is_answer: bool) -> Schema:
    formats = {
        fields.EmailField: "email",
        fields.URLField: "uri",
        fields.UUIDField: "uuid",
    }
    found = next((word for kind, word in formats.items() if isinstance(field, kind)), None)
    protocol = getattr(field, "protocol", "").lower()
    if protocol in {"ipv4", "ipv6"}:
        found = protocol
    # Nothing that is blank is of a format.
    return {"type": _TEXT, "format": found} if found and not field.allow_blank else {"type": _TEXT}


@_schema_of.register
def _(_field: fields.UUIDField, _is_answer: bool) -> Schema:
    return {"type": _TEXT, "format": "uuid"}


@_schema_of.register
def _(_field: fields.BooleanField, _is_answer: bool) -> Schema:
    return {"type": "boolean"}


@_schema_of.register
def _(_field: fields.IntegerField, _is_answer: bool) -> Schema:
    return {"type": "integer"}


@_schema_of.register
def _(_field: fields.FloatField, _is_answer: bool) -> Schema:
    return {"type": "number"}


@_schema_of.register
def _(field: fields.DecimalField, is_answer: bool) -> Schema:
    text = {"type": _TEXT, "format": "decimal"}
    if is_answer:
        as_text = getattr(field, "coerce_to_string", api_settings.COERCE_DECIMAL_TO_STRING)
        return text if as_text else {"type": "number"}
    number: Schema = {"type": "number"}
    if field.max_value is not None:
        number["maximum"] = float(field.max_value)
    if field.min_value is not None:
        number["minimum"] = float(field.min_value)
    return {"anyOf": [number, text]}


@_schema_of.register
def _(field: fields.DateTimeField, is_answer: bool) -> Schema:
    return _moment(field, "date-time", is_answer=is_answer)


@_schema_of.register
def _(field: fields.DateField, is_answer: bool) -> Schema:
    return _moment(field, "date", is_answer=is_answer)


@_schema_of.register
def _(_field: fields.TimeField, _is_answer: bool) -> Schema:
    # Without an offset it is none of JSON Schema's times.
    return {"type": _TEXT}


@_schema_of.register
def _(_field: fields.DurationField, _is_answer: bool) -> Schema:
    return {"type": _TEXT}


def _moment(field: Any, word: str, *, is_answer: bool) -> Schema:
    """Return the schema of a date, which has JSON Schema's form unless the field has another."""
    prefix = "DATETIME" if isinstance(field, fields.DateTimeField) else "DATE"
    shown = getattr(field, "format", getattr(api_settings, f"{prefix}_FORMAT"))
    taken = getattr(field, "input_formats", getattr(api_settings, f"{prefix}_INPUT_FORMATS"))
    is_iso = (shown or "").lower() == "iso-8601" if is_answer else list(taken) == ["iso-8601"]
    return {"type": _TEXT, "format": word} if is_iso else {"type": _TEXT}


@_schema_of.register
def _(field: fields.ChoiceField, is_answer: bool) -> Schema:
    schema = _enumerated(field)
    if field.allow_blank or is_answer:
        # A row may hold what is no choice any more, so an answer only has the type.
        blank = [] if "" in schema["enum"] or not field.allow_blank else [""]
        schema["enum"] = [*schema["enum"], *blank]
    return schema


@_schema_of.register
def _(field: fields.MultipleChoiceField, _is_answer: bool) -> Schema:
    return {"type": "array", "uniqueItems": True, "items": _enumerated(field)}


def _enumerated(field: Any) -> Schema:
    values = list(field.choices)
    schema: Schema = {"enum": values}
    kinds = {type(value) for value in values}
    if kinds <= {str}:
        schema["type"] = _TEXT
    elif kinds == {int}:
        schema["type"] = "integer"
    return schema


@_schema_of.register
def _(field: fields.FileField, is_answer: bool) -> Schema:
    if not is_answer:
        return {"type": _TEXT, "format": "binary"}
    return {"type": [_TEXT, "null"]}


@_schema_of.register
def _(field: fields.SerializerMethodField, _is_answer: bool) -> Schema:
    return _returned(getattr(field.parent, field.method_name, None))


@_schema_of.register
def _(field: fields.ReadOnlyField, _is_answer: bool) -> Schema:
    column = _column_of(field)
    if isinstance(column, models.Field):
        return column_schema(column)
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    found = inspect.getattr_static(model, field.source or "", None)
    return _returned(found.fget if isinstance(found, property) else found)


def _returned(function: Any) -> Schema:
    """Return the schema of what a function's annotation says it returns."""
    if not callable(function):
        return {}
    try:
        hint = typing.get_type_hints(function).get("return")
        found = {} if hint is None else pydantic.TypeAdapter(hint).json_schema(mode="serialization")
    except (NameError, TypeError, pydantic.errors.PydanticUserError):
        return {}
    return {} if "$defs" in found else found


@_schema_of.register
def _(field: fields.ModelField, _is_answer: bool) -> Schema:
    return column_schema(field.model_field)


@_schema_of.register
def _(_field: relations.StringRelatedField, _is_answer: bool) -> Schema:
    return {"type": _TEXT}


@_schema_of.register
def _(_field: relations.HyperlinkedRelatedField, _is_answer: bool) -> Schema:
    return {"type": _TEXT, "format": "uri-reference"}


@_schema_of.register
def _(field: relations.PrimaryKeyRelatedField, is_answer: bool) -> Schema:
    if field.pk_field is not None:
        return _schema_of(field.pk_field, is_answer)
    model = _related_model(field)
    return {} if model is None else column_schema(model._meta.pk)  # noqa: SLF001


@_schema_of.register
def _(field: relations.SlugRelatedField, _is_answer: bool) -> Schema:
    model = _related_model(field)
    names = (
        [] if model is None else [item for item in _columns(model) if item.name == field.slug_field]
    )
    return column_schema(names[0]) if names else {}


def _columns(model: Any) -> Iterator[Any]:
    return iter(model._meta.concrete_fields)  # noqa: SLF001


def _related_model(field: Any) -> Any:
    queryset = getattr(field, "queryset", None)
    if queryset is not None:
        return queryset.model
    source = field.parent if isinstance(field.parent, relations.ManyRelatedField) else field
    return getattr(_column_of(source), "related_model", None)


def column_schema(column: Any) -> Schema:
    """Return the schema of a model's column, as serializers show it."""
    if column.remote_field is not None:
        return column_schema(column.target_field)
    mapping = serializers.ModelSerializer.serializer_field_mapping
    found = next((mapping[kind] for kind in type(column).__mro__ if kind in mapping), None)
    kinds: tuple[tuple[Any, Schema], ...] = (
        (fields.BooleanField, {"type": "boolean"}),
        (fields.IntegerField, {"type": "integer"}),
        (fields.FloatField, {"type": "number"}),
        (fields.DecimalField, {"type": _TEXT, "format": "decimal"}),
        (fields.UUIDField, {"type": _TEXT, "format": "uuid"}),
        (fields.DateTimeField, {"type": _TEXT, "format": "date-time"}),
        (fields.DateField, {"type": _TEXT, "format": "date"}),
        (fields.JSONField, {}),
    )
    if found is None:
        return {}
    return next(
        (dict(schema) for kind, schema in kinds if issubclass(found, kind)), {"type": _TEXT}
    )
