"""Type annotations, looked at."""

import enum
import types
import typing
from typing import Any

import pydantic
from typing_extensions import TypeAliasType, is_typeddict

SEQUENCES = (list, set, frozenset, tuple)


def admits_none(annotation: Any) -> bool:
    """Return whether an annotation names None beside another type."""
    if isinstance(annotation, TypeAliasType):
        return admits_none(annotation.__value__)
    if typing.get_origin(annotation) is typing.Literal:
        return None in typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return admits_none(typing.get_args(annotation)[0])
    return typing.get_origin(annotation) in (
        typing.Union,
        types.UnionType,
    ) and types.NoneType in typing.get_args(annotation)


def strip_optional(annotation: Any) -> Any:
    """Return the type without `Annotated` and without None."""
    if isinstance(annotation, TypeAliasType):
        return strip_optional(annotation.__value__)
    if typing.get_origin(annotation) is typing.Annotated:
        return strip_optional(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [item for item in typing.get_args(annotation) if item is not types.NoneType]
        if len(inner) == 1:
            return strip_optional(inner[0])
    return annotation


def is_many(annotation: Any) -> bool:
    """Return whether a type takes several values: a list, set or tuple, or None beside one."""
    annotation = strip_optional(annotation)
    return (typing.get_origin(annotation) or annotation) in SEQUENCES


def collection_of(annotation: Any) -> type | None:
    """Return the type of the collection that a type is, None for a list and for no collection."""
    bare = strip_optional(annotation)
    origin = typing.get_origin(bare) or bare
    return origin if origin in (set, frozenset, tuple) else None


def element_of(annotation: Any) -> tuple[Any, bool]:
    """Return what a type holds, without None, and whether it holds many of it."""
    bare = strip_optional(annotation)
    if not is_many(bare):
        return bare, False
    arguments = [item for item in typing.get_args(bare) if item is not ...]
    return (strip_optional(arguments[0]) if arguments else Any), True


def spell(annotation: Any) -> str:
    """Return an annotation as people write it."""
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def member_names(annotation: Any) -> dict[str, Any] | None:
    """Return the input names and types of a model's members, None for an open mapping.

    A member with several aliases is there under each of them.
    """
    annotation = strip_optional(annotation)
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        config = annotation.model_config
        by_name = config.get("populate_by_name") or config.get("validate_by_name")
        return {
            alias: info.annotation
            for name, info in annotation.model_fields.items()
            for alias in (*_aliases(info.validation_alias, name), *([name] if by_name else ()))
        }
    if isinstance(annotation, type) and (
        is_typeddict(annotation) or hasattr(annotation, "__dataclass_fields__")
    ):
        return typing.get_type_hints(annotation)
    return None


def _aliases(
    alias: str | pydantic.AliasChoices | pydantic.AliasPath | None, name: str
) -> list[str]:
    if isinstance(alias, pydantic.AliasChoices):
        return [found for choice in alias.choices for found in _aliases(choice, name)]
    if isinstance(alias, pydantic.AliasPath):
        return [str(alias.path[0])]
    return [alias or name]


def takes_others(annotation: Any) -> bool:
    """Return whether a model does something with members it does not name: keep or refuse them."""
    bare = strip_optional(annotation)
    is_model = isinstance(bare, type) and issubclass(bare, pydantic.BaseModel)
    return is_model and bare.model_config.get("extra") in {"allow", "forbid"}


def union_members(annotation: Any) -> list[Any]:
    """Return the types of a union, None left out; of any other type a list of itself."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [item for item in typing.get_args(annotation) if item is not types.NoneType]
    return [annotation]


def declared_hints(cls: type) -> dict[str, Any]:
    """Return the annotations of a class that can be resolved; none when one of them cannot."""
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (AttributeError, NameError, SyntaxError, TypeError):
        return {}


def text_values(annotation: Any) -> dict[str, Any] | None:
    """Return what texts stand for in an enumeration that holds other values than texts.

    None for every other type: validators turn texts into numbers, not into members.
    """
    bare = strip_optional(annotation)
    if typing.get_origin(bare) is typing.Literal:
        values = list(typing.get_args(bare))
    elif isinstance(bare, type) and issubclass(bare, enum.Enum):
        values = [member.value for member in bare]
    else:
        return None
    if all(isinstance(value, str) for value in values):
        return None
    return {_spelled(value): value for value in values}


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
