"""A schema's fields made ready before pydantic builds its validator.

Expressions that stand as values become sources, the model's columns are carried in, and a schema in
a mode keeps what belongs to it.
"""

import copy
import typing
from collections.abc import Mapping
from dataclasses import replace
from types import UnionType
from typing import TYPE_CHECKING, Any, Union

from django.db.models import (
    AutoField,
    BinaryField,
    Field,
    GeneratedField,
    ManyToManyField,
    Model,
    QuerySet,
)
from pydantic.fields import FieldInfo
from pydantic_core import MISSING, PydanticUndefined, core_schema

from utilmeta.core.orm.columns import carry
from utilmeta.core.orm.fields import Options, is_computed, is_expression, options_of
from utilmeta.core.orm.guards import WriteGuard
from utilmeta.core.orm.keys import names_of_key
from utilmeta.core.orm.modes import WP, Mode
from utilmeta.core.orm.read.compile import as_schema
from utilmeta.core.orm.relations import find_field, is_property, need_field
from utilmeta.core.response.response import ANSWER
from utilmeta.utils.annotations import element_of
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

AnySchema = type["Schema[Any]"]


def prepare(schema: AnySchema, model: type[Model] | None, mode: Mode | None) -> None:
    """Make the fields of a schema ready; harmless when repeated.

    Raises:
        ConfigError: what is said of a field cannot be.
    """
    fields: Any = schema.__pydantic_fields__
    for name, info in fields.items():
        _take_expression(info)
        if model is not None:
            _keep_from_answers(info, name, model, schema)
    if mode is not None and schema.__dict__.get("__utilmeta_projected__") is not True:
        kept = {
            name: info
            for name, info in fields.items()
            if mode.letter in letters_of(name, info, model)
        }
        schema.__pydantic_fields__ = kept
        _drop_decorators(schema, kept)
        for name, info in kept.items():
            _fit(info, name, model, mode)
        schema.__utilmeta_projected__ = True
    for name, info in schema.__pydantic_fields__.items():
        if model is not None:
            _carry(info, name, model)
            if mode is None and info.is_required() and _is_made(find_field(model, name)):
                # A new row has none; the database makes it.
                info.default = MISSING
        _hide(info, sent=is_sent(name, info, model, mode))
        _guard_write(info, name)


def _is_made(column: Any) -> bool:
    """Return whether the database makes a column's value."""
    return isinstance(column, AutoField | GeneratedField)


def _names_row(column: Any) -> bool:
    """Return whether a column is a key, or another value, that rows get without being sent one."""
    if not getattr(column, "primary_key", False):
        return _is_made(column)
    return _is_made(column) or bool(column.has_default() or column.has_db_default())


def _take_expression(info: FieldInfo) -> None:
    """Make a value such as `models.Count('comments')` the field's source."""
    if isinstance(info.default, QuerySet) or is_expression(info.default):
        info.metadata.append(Options(source=info.default))
        info.default = PydanticUndefined


def _keep_from_answers(info: FieldInfo, name: str, model: type[Model], schema: AnySchema) -> None:
    """Make a field that stands for a password, or the like, one that is only written.

    Raises:
        ConfigError: it is said to be read.
    """
    column = column_of(name, info, model)
    if not getattr(column, "utilmeta_write_only", False):
        return
    options = options_of(info)
    if "r" in (options.mode or ""):
        raise ConfigError(
            f"{schema.__name__}.{name}: mode={options.mode!r}: a {type(column).__name__} is "
            "written, never read; use 'a', 'w' or 'aw'"
        )
    if options.mode is None:
        info.metadata.append(replace(options, mode="aw"))


def _carry(info: FieldInfo, name: str, model: type[Model]) -> None:
    column = column_of(name, info, model)
    if column is not None:
        carry(info, column)


def column_of(name: str, info: FieldInfo, model: type[Model]) -> Any:
    """Return the model's own column that a field stands for; None for everything else."""
    options = options_of(info)
    source = options.source
    if is_computed(source) or "." in (source or ""):
        return None
    if as_schema(element_of(info.annotation)[0]) is not None:
        return None
    found = find_field(model, source or name)
    if not isinstance(found, Field) or isinstance(found, ManyToManyField):
        return None
    return found if found.concrete else None


def _guard_write(info: FieldInfo, name: str) -> None:
    """Put a mark on a field that not every client may set."""
    rule = options_of(info).write
    if rule is not None and not any(isinstance(item, WriteGuard) for item in info.metadata):
        info.metadata.append(WriteGuard(rule, info.alias or name))


def _hide(info: FieldInfo, sent: bool) -> None:
    """Keep clients from setting, and answers from holding, what they should not."""
    options = options_of(info)
    if options.no_output or (options.mode is not None and "r" not in options.mode):
        info.exclude = True
        # Logs and tracebacks are read by more than code.
        info.repr = False
    kept = [item for item in info.metadata if not isinstance(item, _Ignored)]
    info.metadata[:] = kept if sent else [*kept, _Ignored(info)]
    if not sent and info.is_required():
        info.default = MISSING


def is_sent(name: str, info: FieldInfo, model: type[Model] | None, mode: Mode | None) -> bool:
    """Return whether clients may set a field.

    They set what can be written. Which row is meant is said in a schema for updates, or where
    `orm.Field(mode=...)` says so.
    """
    options = options_of(info)
    if options.no_input and not (mode is not None and mode.letter == "r"):
        return False
    if mode is not None:
        return True
    if options.mode is not None or model is None:
        return options.mode is None or bool(set(options.mode) & {"a", "w"})
    if is_computed(options.source) or _names_row(find_field(model, options.source or name)):
        return False
    return bool(set(letters_of(name, info, model, strict=False)) & {"a", "w"})


class _Ignored:
    """A mark on fields whose value from clients is thrown away.

    Args:
        info: the field, whose default stands in its place.
    """

    def __init__(self, info: FieldInfo) -> None:
        self._info = info

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return a validator that takes nothing, described and serialized as the type."""
        return core_schema.with_info_wrap_validator_function(self._replace, handler(source))

    def _replace(self, value: Any, handler: Any, told: Any) -> Any:
        if told.context is ANSWER:
            return handler(value)
        if self._info.is_required():
            return MISSING
        return self._info.get_default(call_default_factory=True, validated_data={})


def letters_of(
    name: str, info: FieldInfo, model: type[Model] | None, *, strict: bool = True
) -> str:
    """Return the letters of the uses a field belongs to.

    What can be written by itself can be used for all: editable columns, and many-to-many lists of
    keys. Everything else is read, unless `mode` says more.
    """
    options = options_of(info)
    if options.mode is not None:
        return options.mode
    if model is None or is_computed(options.source) or "." in (options.source or ""):
        return "r"
    if as_schema(element_of(info.annotation)[0]) is not None:
        return "raw" if options.on_write is not None else "r"
    found = find_field(model, options.source or name)
    if strict and found is None and model._meta.apps.models_ready and not is_property(model, name):
        # A name that is none of the model's must not vanish silently.
        need_field(model, options.source or name, name)
    return _column_letters(found, options)


def _column_letters(found: Any, options: Options) -> str:
    if isinstance(found, ManyToManyField):
        through: Any = found.remote_field.through
        return "raw" if through._meta.auto_created else "r"
    if not isinstance(found, Field) or not found.concrete or isinstance(found, GeneratedField):
        return "r"
    if found.primary_key:
        # It tells which row is updated.
        return "rw" if isinstance(found, AutoField) or not found.editable else "raw"
    if getattr(found, "auto_now", False) or getattr(found, "auto_now_add", False):
        return "r"
    if options.version:
        return "rw"
    # Django's forms do not edit bytes, which says nothing of an API.
    is_editable = found.editable or isinstance(found, BinaryField)
    return "raw" if is_editable or options.no_input else "r"


def _fit(info: FieldInfo, name: str, model: type[Model] | None, mode: Mode) -> None:
    """Change a field for a mode: what is nested, and whether it has to be sent."""
    if mode.writes:
        info.annotation = _nested_in(info.annotation, name, mode, options_of(info))
    if mode.partial:
        info.default, info.default_factory = MISSING, None
    elif mode.writes and info.is_required() and _may_be_left_out(info, name, model, mode):
        info.default = MISSING


def _may_be_left_out(info: FieldInfo, name: str, model: type[Model] | None, mode: Mode) -> bool:
    """Return whether the database or the model has a value when none is sent."""
    if model is None:
        return False
    found = find_field(model, options_of(info).source or name)
    if not isinstance(found, Field):
        return True
    if found.primary_key:
        is_made = found.has_default() or isinstance(found, AutoField)
        return mode.letter == "w" or bool(is_made)
    if isinstance(found, ManyToManyField):
        return bool(found.blank)
    return bool(
        found.has_default()
        or found.has_db_default()
        or found.null
        or found.blank
        or options_of(info).version
    )


def _nested_in(annotation: Any, name: str, mode: Mode, options: Options) -> Any:
    """Return a type with its schemas in a mode."""
    nested = as_schema(annotation)
    if nested is not None:
        if options.on_write is None:
            raise ConfigError(
                f"{nested.__name__} as {name!r}: a nested schema that is written says how: "
                "orm.Field(mode='rwa', on_write='create' | 'update' | 'replace' | 'link')"
            )
        made: Any = nested
        # What is only linked is not written: its key is all that counts.
        return made[WP if options.on_write == "link" else mode]
    origin = typing.get_origin(annotation)
    if origin is None:
        return annotation
    arguments = tuple(_nested_in(item, name, mode, options) for item in typing.get_args(annotation))
    if arguments == typing.get_args(annotation):
        return annotation
    if origin in (Union, UnionType):
        union: Any = Union
        return union[arguments]
    return origin[arguments]


def _drop_decorators(schema: AnySchema, kept: Mapping[str, FieldInfo]) -> None:
    """Forget validators of fields that a mode has not.

    Source: pydantic._internal._decorators.DecoratorInfos, of pydantic 2.12 to 2.14.
    """
    decorators: Any = copy.copy(schema.__pydantic_decorators__)
    for kind in ("validators", "field_validators", "field_serializers"):
        found = {}
        for key, decorator in getattr(decorators, kind).items():
            names = tuple(n for n in decorator.info.fields if n == "*" or n in kept)
            if names:
                changed = copy.copy(decorator)
                changed.info = copy.copy(decorator.info)
                object.__setattr__(changed.info, "fields", names)
                found[key] = changed
        setattr(decorators, kind, found)
    schema.__pydantic_decorators__ = decorators


def ignored_names(schema: AnySchema) -> tuple[str, ...]:
    """Return the fields that clients cannot set."""
    found: tuple[str, ...] | None = schema.__dict__.get("__utilmeta_ignored__")
    if found is None:
        found = tuple(
            name
            for name, info in schema.model_fields.items()
            if any(isinstance(item, _Ignored) for item in info.metadata)
        )
        schema.__utilmeta_ignored__ = found  # type: ignore[attr-defined]
    return found


def key_names(schema: AnySchema) -> tuple[str, ...]:
    """Return the fields that are the primary key."""
    found: tuple[str, ...] | None = schema.__dict__.get("__utilmeta_keys__")
    if found is None:
        names = names_of_key(schema.model_of())
        found = tuple(
            name
            for name, info in schema.model_fields.items()
            if (options_of(info).source or name) in names
        )
        schema.__utilmeta_keys__ = found  # type: ignore[attr-defined]
    return found


def describe_fields(schema: AnySchema, core: Any, handler: Any) -> Any:
    """Return a schema's JSON Schema without what clients cannot send, or answers do not hold."""
    described = handler(core)
    whole = handler.resolve_ref_schema(described)
    is_input_side = handler.mode == "validation"
    ignored = ignored_names(schema)
    for name, info in schema.model_fields.items():
        hidden = name in ignored if is_input_side else bool(info.exclude)
        if not hidden:
            continue
        for alias in {name, info.alias, info.validation_alias, info.serialization_alias}:
            whole.get("properties", {}).pop(alias, None)
            if alias in whole.get("required", ()):
                whole["required"].remove(alias)
    if not is_input_side:
        _require_all(schema, whole)
    if not whole.get("required", True):
        del whole["required"]
    return described


def _require_all(schema: AnySchema, whole: dict[str, Any]) -> None:
    """Say that answers hold what has no default of its own, such as what clients cannot set."""
    required = whole.setdefault("required", [])
    for name, info in schema.model_fields.items():
        output = info.serialization_alias or info.alias or name
        if options_of(info).read is not None:
            # Not all clients get it.
            required[:] = [item for item in required if item != output]
        elif info.default is MISSING and output in whole["properties"] and output not in required:
            required.append(output)
