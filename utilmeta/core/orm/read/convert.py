"""What the database gives, as the type a schema declares."""

import datetime
import enum
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from typing_extensions import is_typeddict

from utilmeta.utils.annotations import strip_optional
from utilmeta.utils.exceptions import ConfigError

# Python types of Django's columns, by internal type (Django: "Field.get_internal_type").
_TYPES: dict[str, type] = {
    "CharField": str,
    "TextField": str,
    "SlugField": str,
    "FilePathField": str,
    "IntegerField": int,
    "BigIntegerField": int,
    "SmallIntegerField": int,
    "PositiveIntegerField": int,
    "PositiveBigIntegerField": int,
    "PositiveSmallIntegerField": int,
    "AutoField": int,
    "BigAutoField": int,
    "SmallAutoField": int,
    "FloatField": float,
    "DecimalField": Decimal,
    "BooleanField": bool,
    "UUIDField": uuid.UUID,
    "DateTimeField": datetime.datetime,
    "DateField": datetime.date,
    "TimeField": datetime.time,
    "DurationField": datetime.timedelta,
}
_TARGETS = (str, int, float, Decimal, uuid.UUID)


def converter(field: Any, annotation: Any) -> Callable[[Any], Any] | None:
    """Return what turns a column's values into the declared type; None where they agree.

    Args:
        field: the model's field; a relation stands for the key it points at.
        annotation: the declared type.
    """
    declared = strip_optional(annotation)
    while getattr(field, "is_relation", False) and hasattr(field, "target_field"):
        field = field.target_field
    given = _TYPES.get(field.get_internal_type()) if hasattr(field, "get_internal_type") else None
    if not isinstance(declared, type) or is_typeddict(declared) or given is None:
        return None
    if issubclass(given, declared):
        return None
    if issubclass(declared, enum.Enum):
        return declared
    return declared if declared in _TARGETS or declared is bool else None


def check_type(field: Any, annotation: Any, where: str) -> None:
    """Refuse a type that a column's values cannot be had in.

    Raises:
        ConfigError: it is one.
    """
    declared = strip_optional(annotation)
    while getattr(field, "is_relation", False) and hasattr(field, "target_field"):
        field = field.target_field
    given = _TYPES.get(field.get_internal_type()) if hasattr(field, "get_internal_type") else None
    if given is None or not isinstance(declared, type) or declared not in _KNOWN:
        return
    if hasattr(field, "from_db_value"):
        # It makes of the column's values what it likes.
        return
    is_moment_as_date = declared is datetime.date and given is datetime.datetime
    if issubclass(given, declared) and not is_moment_as_date:
        return
    if declared is str or given in _ADMITS.get(declared, ()):
        return
    raise ConfigError(
        f"{where}: the column holds {given.__name__}, which is not read as {declared.__name__}; "
        f"write {given.__name__}"
    )


_KNOWN = (*dict.fromkeys(_TYPES.values()), bytes, dict, list)
_ADMITS: dict[type, tuple[type, ...]] = {
    float: (int, Decimal),
    Decimal: (int, float),
    int: (bool,),
    bool: (int,),
}


def plain_converter(annotation: Any) -> Callable[[Any], Any] | None:
    """Return what turns an expression's values into the declared type; None for other types.

    Databases give numbers of other kinds for expressions than for columns: 0 and 1 for truth
    values, decimals for averages.
    """
    declared = strip_optional(annotation)
    if not isinstance(declared, type):
        return None
    if issubclass(declared, enum.Enum):
        return declared
    if declared not in (*_TARGETS, bool):
        return None
    kind: Any = declared
    return lambda value: value if type(value) is kind else kind(value)
