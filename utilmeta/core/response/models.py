"""Which models pydantic writes as JSON just as this project does, in one call instead of two."""

import types
import typing
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pydantic

# Types of which both have one form; of moments, decimals and bytes they have different ones.
_LEAVES = frozenset({str, int, float, bool, type(None), uuid.UUID})
_UNIONS = (typing.Union, types.UnionType)
# What a model may be told that changes how its values are written.
_TOLD = ("json_encoders", "ser_json_bytes", "ser_json_inf_nan", "use_enum_values")


@lru_cache(1024)
def is_plain_model(model: type[pydantic.BaseModel]) -> bool:
    """Return whether a model is made of texts, numbers and truth values, lists of them, and such.

    Models that hold themselves, or that have serializers, computed fields or options of their own,
    are not.
    """
    return _is_plain_model(model, ())


def _is_plain_model(model: type[pydantic.BaseModel], above: tuple[Any, ...]) -> bool:
    config, decorators = model.model_config, model.__pydantic_decorators__
    is_told = any(config.get(name) is not None for name in _TOLD)
    has_own = (
        decorators.field_serializers or decorators.model_serializers or decorators.computed_fields
    )
    builds: Any = model.__get_pydantic_core_schema__
    usual: Any = pydantic.BaseModel.__get_pydantic_core_schema__
    if model in above or is_told or has_own or builds.__func__ is not usual.__func__:
        return False
    if config.get("extra") == "allow" or issubclass(model, pydantic.RootModel):
        return False
    above = (*above, model)

    def is_leaf(annotation: Any) -> bool:
        if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
            return _is_plain_model(annotation, above)
        return annotation in _LEAVES

    return all(
        all(map(_is_constraint, info.metadata)) and is_made_of(info.annotation, is_leaf)
        for info in model.model_fields.values()
    )


def is_made_of(annotation: Any, is_leaf: Callable[[Any], bool]) -> bool:
    """Return whether a type is made of some types alone: as it is, or by lists, unions and such."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return all(is_leaf(type(item)) for item in arguments)
    if origin is typing.Annotated:
        return all(map(_is_constraint, arguments[1:])) and is_made_of(arguments[0], is_leaf)
    if origin is dict:
        return arguments[0] is str and is_made_of(arguments[1], is_leaf)
    if origin is list or origin in _UNIONS:
        return all(is_made_of(item, is_leaf) for item in arguments)
    return is_leaf(annotation)


def _is_constraint(item: object) -> bool:
    """Return whether a part of an annotation only says which values are valid."""
    module = type(item).__module__
    return module.startswith(("annotated_types", "pydantic.fields", "pydantic._internal._fields"))
