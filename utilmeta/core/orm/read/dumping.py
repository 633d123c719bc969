"""Instances of schemas as plain members, where pydantic would add nothing to them."""

import datetime
import decimal
import enum
import uuid
from typing import Any

from pydantic_core import MISSING

from utilmeta.core.orm.read.finishing import serialized_fields
from utilmeta.core.orm.read.spots import AnySchema, output_name
from utilmeta.core.response.models import is_made_of

# Types whose values pydantic leaves as they are.
_LEAVES = frozenset(
    {
        Any,
        bool,
        bytes,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        decimal.Decimal,
        dict,
        float,
        int,
        list,
        str,
        type(None),
        uuid.UUID,
    }
)
Names = tuple[tuple[str, str], ...]


def _is_leaf(annotation: Any) -> bool:
    is_type = isinstance(annotation, type)
    if is_type and hasattr(annotation, "__utilmeta_schema__"):
        return True
    return annotation in _LEAVES or (is_type and issubclass(annotation, enum.Enum))


def dumped_names(schema: AnySchema) -> Names | None:
    """Return the members of answers with their names in them; None where pydantic has to write.

    It has where a field has a serializer, is left out by its value, or is of a type whose values
    have a form of their own.
    """
    config, fields = schema.model_config, schema.model_fields
    if schema.model_computed_fields or config.get("extra") == "allow":
        return None
    if any(config.get(name) for name in ("json_encoders", "use_enum_values")):
        return None
    if schema.__pydantic_decorators__.model_serializers or serialized_fields(schema):
        return None
    for info in fields.values():
        if getattr(info, "exclude_if", None) is not None:
            return None
        if not is_made_of(info.annotation, _is_leaf):
            return None
    return tuple(
        (name, output_name(name, info)) for name, info in fields.items() if not info.exclude
    )


def members_of(instance: Any) -> dict[str, Any] | None:
    """Return what an answer holds of an instance; None where pydantic has to write it."""
    schema = type(instance)
    names: Names | bool | None = schema.__dict__.get("__utilmeta_dumped__", False)
    if names is False:
        names = dumped_names(schema)
        schema.__utilmeta_dumped__ = names
    if not isinstance(names, tuple):
        return None
    values = instance.__dict__
    return {
        output: values[name]
        for name, output in names
        if name in values and values[name] is not MISSING
    }
