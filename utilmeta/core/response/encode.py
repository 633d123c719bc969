"""Python values to JSON bytes, in one documented form each.

`datetime` and `time` ISO 8601 (UTC as `Z`), `date` `YYYY-MM-DD`, `timedelta` ISO 8601 duration,
`Decimal` text, `UUID` text with hyphens, `Enum` its value, `bytes` base64, sets and tuples arrays,
dataclasses, msgspec structs and pydantic models objects by alias, NaN and infinities null.
"""

import datetime
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any

import msgspec
import pydantic
import pydantic_core

from utilmeta.conf.time import Time
from utilmeta.core.response.models import is_plain_model

Encoder = Callable[[object], bytes]
_NETWORKS = (ipaddress.IPv4Network, ipaddress.IPv6Network)
_MOMENTS = (datetime.datetime, datetime.date, datetime.time)


def to_plain(value: object) -> object:
    """Return something msgspec knows for a value it does not.

    Raises:
        TypeError: there is no JSON form for this type.
    """
    rows = getattr(type(value), "__json_rows__", None)
    if rows is not None:
        return rows(value)
    if isinstance(value, pydantic.BaseModel):
        members = getattr(type(value), "__json_members__", None)
        found = None if members is None else members(value)
        if found is not None:
            return found
        return value.__pydantic_serializer__.to_python(value, mode="python", by_alias=True)
    if isinstance(value, Mapping):
        return dict(value)
    cast = getattr(value, "_proxy____cast", None)
    if cast is not None:
        # Django's lazy values, known by their method so that Django is not imported here.
        return cast()
    if isinstance(value, str | PurePath):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, _NETWORKS):
        return list(value)
    try:
        return pydantic_core.to_jsonable_python(value)
    except pydantic_core.PydanticSerializationError as exc:
        hint = ""
        if hasattr(value, "_meta"):
            hint = "; annotate the endpoint with its schema, or read it: Schema.init(row)"
        raise TypeError(f"{type(value).__name__} has no JSON form{hint}") from exc


def _to_json(value: object) -> object:
    """Return something msgspec knows for a value it does not; models as JSON where it is ours."""
    if isinstance(value, pydantic.BaseModel) and is_plain_model(type(value)):
        return msgspec.Raw(value.__pydantic_serializer__.to_json(value, by_alias=True))
    return to_plain(value)


def make_encoder(time: Time | None = None) -> Encoder:
    """Return a function from a value to its JSON, in UTF-8.

    Args:
        time: formats that differ from ISO 8601; None keeps ISO 8601.
    """
    encode = msgspec.json.Encoder(enc_hook=_to_json).encode
    if time is None or not time.has_formats:
        return encode

    def encode_formatted(value: object) -> bytes:
        plain = msgspec.to_builtins(value, builtin_types=_MOMENTS, enc_hook=to_plain)
        return encode(_format(plain, time))

    return encode_formatted


def _format(value: Any, time: Time) -> Any:
    if isinstance(value, dict):
        return {_format(key, time): _format(item, time) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_format(item, time) for item in value]
    if isinstance(value, datetime.datetime):
        return value.strftime(time.datetime_format) if time.datetime_format else value
    if isinstance(value, datetime.date):
        return value.strftime(time.date_format) if time.date_format else value
    if isinstance(value, datetime.time):
        return value.strftime(time.time_format) if time.time_format else value
    return value
