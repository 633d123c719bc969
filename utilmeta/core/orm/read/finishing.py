"""What pydantic adds to records: computed fields, and serializers of fields."""

from collections.abc import Callable
from typing import Any

import pydantic

from utilmeta.core.orm.read.spots import AnySchema, output_name
from utilmeta.core.orm.scopes import Scope
from utilmeta.utils.exceptions import ConfigError

_SERIALIZERS = (pydantic.PlainSerializer, pydantic.WrapSerializer)
Finish = Callable[[dict[str, Any]], dict[str, Any]]


def computed_fields(schema: AnySchema, scope: Scope | None) -> dict[str, str]:
    """Return pydantic's computed fields that are wanted, with their names in records."""
    found = {name: info.alias or name for name, info in schema.model_computed_fields.items()}
    if scope is None:
        return found
    return {name: output for name, output in found.items() if scope.takes(name, output)}


def serialized_fields(schema: AnySchema) -> dict[str, str]:
    """Return the fields that have serializers of their own, with their names in records.

    Raises:
        ConfigError: the whole model has one, which could not be known to hold what it declares.
    """
    decorators = schema.__pydantic_decorators__
    if decorators.model_serializers:
        raise ConfigError(
            f"{schema.__name__}: rows are encoded by field; write field serializers, or computed "
            "fields, in place of a model serializer"
        )
    named = {name for item in decorators.field_serializers.values() for name in item.info.fields}
    found = {
        name: output_name(name, info)
        for name, info in schema.model_fields.items()
        if name in named or "*" in named or any(isinstance(i, _SERIALIZERS) for i in info.metadata)
    }
    for name, info in schema.model_computed_fields.items():
        if name in named or "*" in named:
            found[name] = info.alias or name
    return found


def finisher_of(schema: AnySchema, computed: dict[str, str]) -> Finish | None:
    """Return what completes a record of a schema; None where nothing is left to do.

    Args:
        schema: the schema.
        computed: computed fields, with their names in records.
    """
    serialized = serialized_fields(schema)
    if not (computed or serialized):
        return None

    def finish(record: dict[str, Any]) -> dict[str, Any]:
        instance = schema.from_record(record)
        for name, output in computed.items():
            record[output] = getattr(instance, name)
        there = {name: output for name, output in serialized.items() if output in record}
        kept = {output: record[output] for name, output in there.items() if name not in computed}
        if there:
            record.update(instance.model_dump(mode="json", include=set(there), by_alias=True))
        return kept

    return finish
