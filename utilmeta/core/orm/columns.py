"""What a model says of its columns, carried into the validation and description of schemas."""

import enum
from collections.abc import Callable, Container
from decimal import Decimal
from typing import Annotated, Any, Literal, get_origin

import annotated_types
import pydantic
from django.core.exceptions import ValidationError
from django.core.validators import (
    DecimalValidator,
    EmailValidator,
    MaxLengthValidator,
    URLValidator,
)
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import JSONField
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, core_schema

from utilmeta.core.orm.fields import Carried
from utilmeta.core.orm.storable import CHECKED, storable
from utilmeta.utils.annotations import strip_optional

_finite: Any = pydantic.Field(allow_inf_nan=False)
# Metadata behind which pydantic does not see what type a value has.
_FUNCTIONS = (
    pydantic.BeforeValidator,
    pydantic.AfterValidator,
    pydantic.WrapValidator,
    pydantic.PlainValidator,
)
_FORMATS = ((EmailValidator, "email"), (URLValidator, "uri"))


def carry(info: FieldInfo, column: Any) -> None:
    """Add to a schema's field what its column asks of values: they are checked when taken in.

    Lengths, ranges, digits, choices, the column's validators, and that there is a value where the
    column must have one; the help text describes the field. Rows are read as they are.

    Args:
        info: the schema's field; one that has been carried into already is left alone.
        column: the model's field.
    """
    if any(isinstance(item, Carried) for item in info.metadata):
        return
    while column.is_relation:
        if not getattr(column, "foreign_related_fields", None):
            return
        # The key of another row has that row's type; the rest is about the relation.
        _describe(info, column)
        _refuse_null(info, column)
        info.metadata.append(Carried())
        return
    declared = strip_optional(info.annotation)
    _describe(info, column)
    if hasattr(column, "utilmeta_from_client"):
        # What is sent has rules of its own; the column holds what becomes of it.
        run = _runner(column, column.password_validators, empty=(None,))
        info.metadata += [pydantic.AfterValidator(run), Extra(column.client_schema)]
        _refuse_null(info, column)
        info.metadata.append(Carried())
        return
    if hasattr(column, "from_db_value") and not isinstance(column, JSONField):
        # A field of the project's own: its values are not those of the column.
        _refuse_null(info, column)
        info.metadata.append(Carried())
        return
    found = [*_limits(column, declared), *_formats(column, declared), *_choices(column, declared)]
    checks = _validators(column, declared)
    if checks or (declared is str and not _is_text(column)):
        found.append(pydantic.AfterValidator(_runner(column, checks)))
    said = [item for item in found if not _is_said(info, item)]
    info.metadata.extend(_spare_null(info, item) for item in said)
    _refuse_null(info, column)
    info.metadata.append(Carried())


def _describe(info: FieldInfo, column: Any) -> None:
    if info.description is None and column.help_text:
        info.description = str(column.help_text)


def _is_said(info: FieldInfo, item: Any) -> bool:
    """Return whether the schema itself says something of this kind, which then counts."""
    return not isinstance(item, pydantic.AfterValidator) and any(
        type(own) is type(item) for own in info.metadata
    )


def _spare_null(info: FieldInfo, item: Any) -> Any:
    """Return a limit, made to let null pass where pydantic would hold null itself to it.

    Behind a validator function pydantic does not see which of its results are null.
    """
    declared = strip_optional(info.annotation)
    own = any(isinstance(given, _FUNCTIONS) for given in info.metadata)
    is_limit = not isinstance(item, pydantic.AfterValidator | Extra)
    return UnlessNull(item, declared) if own and is_limit and declared != info.annotation else item


class UnlessNull:
    """A limit for values that are not null.

    Args:
        limit: what pydantic takes as metadata of a type.
        declared: the type of the values.
    """

    def __init__(self, limit: Any, declared: Any) -> None:
        self._limit = limit
        self._declared = declared

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return the schema of the values, and after it the limit."""
        limited = handler.generate_schema(Annotated[Any, self._limit])
        return core_schema.chain_schema(
            [handler(source), core_schema.nullable_schema(limited)],
            metadata={"pydantic_js_functions": [self._describe]},
        )

    def _describe(self, core: Any, handler: Any) -> dict[str, Any]:
        """Return the JSON Schema with the limit, put where the value itself is described."""
        limited: Any = Annotated[self._declared, self._limit]
        known, said = (pydantic.TypeAdapter(t).json_schema() for t in (self._declared, limited))
        told = {name: member for name, member in said.items() if known.get(name) != member}
        return Extra(told).__get_pydantic_json_schema__(core["steps"][0], handler)


def _limits(column: Any, declared: Any) -> list[Any]:
    if declared is str and _is_text(column) and column.max_length and not column.choices:
        return [annotated_types.MaxLen(column.max_length)]
    if declared is int and not isinstance(column.choices, list):
        ranges = BaseDatabaseOperations.integer_field_ranges
        low, high = ranges.get(column.get_internal_type(), (None, None))
        return (
            []
            if low is None or high is None
            else [annotated_types.Ge(low), annotated_types.Le(high)]
        )
    if declared is float:
        # JSON has no such numbers, MySQL neither, and SQLite keeps NaN as null.
        return list(_finite.metadata)
    if declared is Decimal and getattr(column, "max_digits", None) is not None:
        digits: Any = pydantic.Field(
            max_digits=column.max_digits, decimal_places=column.decimal_places
        )
        return list(digits.metadata)
    return []


def _formats(column: Any, declared: Any) -> list[Any]:
    if declared in CHECKED:
        found: list[Any] = [pydantic.AfterValidator(storable)]
        for kind, name in _FORMATS if declared is str else ():
            if any(isinstance(validator, kind) for validator in column.validators):
                found.append(Extra({"format": name}))
        return found
    return _length(column) if column.max_length is not None else []


def _length(column: Any) -> list[Any]:
    """Return the check of texts that are another type in Python, as addresses are."""
    limit = column.max_length

    def check(value: Any) -> Any:
        if hasattr(value, "unicode_string") and len(str(value)) > limit:
            raise ValueError(f"Value should have at most {limit} characters")
        return value

    return [pydantic.AfterValidator(check)]


def _choices(column: Any, declared: Any) -> list[Any]:
    if not column.choices or get_origin(declared) is Literal:
        return []
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        return []
    values = [key for key, _ in column.flatchoices]
    if not all(
        isinstance(value, declared if isinstance(declared, type) else object) for value in values
    ):
        return []

    def check(value: Any) -> Any:
        if value is not None and value not in values:
            raise ValueError(f"Value should be one of {', '.join(map(repr, values))}")
        return value

    return [pydantic.AfterValidator(check), Extra({"enum": values})]


class Extra:
    """Members of a JSON Schema that say what a validator function checks.

    Args:
        members: the members.
        items: whether they are about the items of a list.
    """

    def __init__(self, members: dict[str, Any], *, items: bool = False) -> None:
        self._members = members
        self._items = items

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Return the schema with the members, put where the value itself is described."""
        schema: dict[str, Any] = handler(core)
        for option in schema.get("anyOf", [schema]):
            place = option.get("items", {}) if self._items else option
            if place.get("type") != "null":
                place.update(self._members)
        return schema


def _validators(column: Any, declared: Any) -> list[Callable[[Any], None]]:
    plain = (str, int, float, bool, Decimal)
    if not isinstance(declared, type) or not issubclass(declared, plain):
        return []
    return [validator for validator in column.validators if not _is_known(validator, column)]


def _is_known(validator: Any, column: Any) -> bool:
    """Return whether pydantic has been told already what a validator checks."""
    if isinstance(validator, MaxLengthValidator):
        return bool(validator.limit_value == column.max_length)
    return isinstance(validator, DecimalValidator)


def _runner(
    column: Any, checks: list[Callable[[Any], None]], *, empty: Container[Any] | None = None
) -> Callable[[Any], Any]:
    """Return what runs a column's checks; Django's own leave alone what it takes for empty."""
    if empty is None:
        empty = column.empty_values
    is_text = _is_text(column)

    def run(value: Any) -> Any:
        if value in empty:
            return value
        try:
            # The text of a number, say, which the column itself reads.
            made = column.to_python(value) if isinstance(value, str) and not is_text else value
            for check in checks:
                check(made)
        except ValidationError as exc:
            raise ValueError("; ".join(exc.messages)) from exc
        return value

    return run


def _is_text(column: Any) -> bool:
    return column.get_internal_type() in {
        "CharField",
        "TextField",
        "SlugField",
        "FilePathField",
        "FileField",
        "GenericIPAddressField",
    }


def _refuse_null(info: FieldInfo, column: Any) -> None:
    if column.null or info.annotation is strip_optional(info.annotation):
        return

    def check(value: Any) -> Any:
        if value is None:
            raise ValueError("Value should not be null")
        return value

    if info.default is PydanticUndefined or info.default is not None:
        info.metadata.append(pydantic.AfterValidator(check))
