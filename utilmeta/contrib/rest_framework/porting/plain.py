"""Fields of serializers that have no model, as fields of plain models."""

from typing import Any

from rest_framework import fields, relations

from utilmeta.contrib.rest_framework.porting.source import (
    Source,
    call,
    comment,
    literal,
    text_type,
)

_KINDS: tuple[tuple[type[Any], str, str | None], ...] = (
    (fields.BooleanField, "bool", None),
    (fields.IntegerField, "int", None),
    (fields.FloatField, "float", None),
    (fields.DecimalField, "Decimal", "decimal"),
    (fields.UUIDField, "UUID", "uuid"),
    (fields.DateTimeField, "datetime", "datetime"),
    (fields.DateField, "date", "datetime"),
    (fields.TimeField, "time", "datetime"),
    (fields.DurationField, "timedelta", "datetime"),
)


def plain_line(name: str, field: Any, source: Source, *, nested: str | None = None) -> list[str]:
    """Return the lines that declare a field.

    Args:
        name: its name.
        field: the serializer's field.
        source: the module it is written into.
        nested: its type, where that is another schema.
    """
    is_known = not isinstance(
        field, fields.HiddenField | fields.SerializerMethodField | relations.RelatedField
    )
    if not is_known:
        return comment(f"{name}: a {type(field).__name__} is to be moved by hand.")
    kind = nested or _type_of(field, source)
    if field.allow_null or (not field.required and field.default is fields.empty):
        kind += " | None"
    options = _options(field)
    if len(options) == 1 and options[0].startswith("default="):
        return [f"    {name}: {kind} = {options[0].removeprefix('default=')}"]
    if not options:
        return [f"    {name}: {kind}"]
    source.need("pydantic")
    return [call(f"{name}: {kind} = pydantic.Field", options)]


def _type_of(field: Any, source: Source) -> str:
    if isinstance(field, fields.MultipleChoiceField):
        return f"set[{_choices(field, source)}]"
    if isinstance(field, fields.ChoiceField):
        return _choices(field, source)
    if isinstance(field, fields.ListField):
        return f"list[{_type_of(field.child, source)}]"
    if isinstance(field, fields.DictField):
        return f"dict[str, {_type_of(field.child, source)}]"
    if isinstance(field, fields.CharField):
        return text_type(field, source)
    for kind, name, module in _KINDS:
        if isinstance(field, kind):
            return name if module is None else source.need(module, name)
    return source.need("typing", "Any")


def _choices(field: Any, source: Source) -> str:
    values = ", ".join(map(literal, field.choices))
    return f"{source.need('typing', 'Literal')}[{values}]"


def _options(field: Any) -> list[str]:
    options = []
    if field.default is not fields.empty and not callable(field.default):
        options.append(f"default={literal(field.default)}")
    elif not field.required:
        # As REST framework leaves it out of what is valid.
        options.append("default=None")
    for attribute, option in (
        ("min_length", "min_length"),
        ("max_length", "max_length"),
        ("min_value", "ge"),
        ("max_value", "le"),
        ("max_digits", "max_digits"),
        ("decimal_places", "decimal_places"),
    ):
        limit = getattr(field, attribute, None)
        if isinstance(limit, int | float):
            options.append(f"{option}={literal(limit)}")
    return options
