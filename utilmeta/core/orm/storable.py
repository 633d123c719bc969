"""Values that every database can hold and compare, whatever their column."""

import datetime
import enum
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

# Types whose values have to be looked at.
CHECKED = (str, float, Decimal, datetime.datetime, datetime.time, datetime.timedelta)

# Powers of ten that a decimal may have; drivers write them out in full.
_MAX_EXPONENT = 100
# Durations are kept as microseconds in 64 bits.
_MAX_DURATION = datetime.timedelta(microseconds=2**63 - 1)


def storable(value: Any) -> Any:
    """Return a value, which may be a list or a dictionary of others.

    Raises:
        ValueError: a database could not hold it, or not read it again.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            storable(name)
            storable(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            storable(item)
    else:
        check = next((check for kind, check in _CHECKS if isinstance(value, kind)), None)
        if check is not None:
            check(value)
    return value


def _check_text(value: str) -> None:
    if "\0" in value:
        raise ValueError("Value should not hold a NUL character")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("Value should not hold halves of characters")


def _check_moment(value: datetime.datetime) -> None:
    try:
        as_stored(value).astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("Value should be within the years 1 to 9999 in UTC") from None


def _check_float(value: float) -> None:
    if not math.isfinite(value):
        raise ValueError("Value should be a finite number")


def _check_decimal(value: Decimal) -> None:
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        raise ValueError("Value should be a number of reasonable size")


def _check_time(value: datetime.time) -> None:
    if value.tzinfo is not None:
        raise ValueError("Value should be a time without an offset")


def _check_duration(value: datetime.timedelta) -> None:
    if abs(value) > _MAX_DURATION:
        raise ValueError("Value should be a duration of reasonable length")


_CHECKS: tuple[tuple[type, Callable[[Any], None]], ...] = (
    (str, _check_text),
    (float, _check_float),
    (Decimal, _check_decimal),
    (datetime.datetime, _check_moment),
    (datetime.time, _check_time),
    (datetime.timedelta, _check_duration),
)


def as_stored(value: datetime.datetime) -> datetime.datetime:
    """Return a moment as Django keeps it: one without an offset is of the default time zone."""
    if value.tzinfo is None and settings.USE_TZ:
        return timezone.make_aware(value, timezone.get_default_timezone())
    return value


def as_compared(value: Any) -> Any:
    """Return a value, or a list of them, as queries compare it."""
    if isinstance(value, datetime.datetime):
        return as_stored(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [as_compared(item) for item in value]
    if isinstance(value, enum.Enum) and not isinstance(value, str | int):
        return value.value
    return value
