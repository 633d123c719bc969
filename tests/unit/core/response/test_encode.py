"""Python values to JSON, in one form each."""

import dataclasses
import datetime
import decimal
import enum
import ipaddress
import json
import pathlib
import uuid
from collections import OrderedDict, defaultdict, deque
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pydantic
import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.conf import Time
from utilmeta.core.response.encode import make_encoder

encode = make_encoder()
PLUS8 = datetime.timezone(datetime.timedelta(hours=8))


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Box:
    w: int


class Struct(msgspec.Struct):
    a: int


class Model(pydantic.BaseModel):
    first_name: str = pydantic.Field("n", serialization_alias="firstName")
    when: datetime.date = datetime.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        (0, "0"),
        (False, "false"),
        ("é中\n", '"é中\\n"'),
        (1.5, "1.5"),
        (float("nan"), "null"),
        (float("inf"), "null"),
        (10**30, "1" + "0" * 30),
        (datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.UTC), '"2026-01-31T12:30:00Z"'),
        (datetime.datetime(2026, 1, 31, 12, 30, 1, 5, PLUS8), '"2026-01-31T12:30:01.000005+08:00"'),
        (datetime.date(2026, 1, 31), '"2026-01-31"'),
        (datetime.time(12, 30), '"12:30:00"'),
        (datetime.timedelta(days=1, seconds=5), '"P1DT5S"'),
        (decimal.Decimal("1.50"), '"1.50"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Colour.RED, '"red"'),
        (Level.LOW, "1"),
        (b"ab", '"YWI="'),
        ((1, 2), "[1,2]"),
        ({1}, "[1]"),
        (frozenset({1}), "[1]"),
        (deque([1, 2]), "[1,2]"),
        ((i for i in range(2)), "[0,1]"),
        (range(2), "[0,1]"),
        ({"a": 1}.values(), "[1]"),
        (Point(1, 2), "[1,2]"),
        (Box(1), '{"w":1}'),
        (Struct(1), '{"a":1}'),
        (Model(), '{"firstName":"n","when":"2026-01-31"}'),
        ([Model()], '[{"firstName":"n","when":"2026-01-31"}]'),
        (defaultdict(int, a=1), '{"a":1}'),
        (OrderedDict(a=1), '{"a":1}'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ({1: "a"}, '{"1":"a"}'),
        (Text("a"), '"a"'),
        (Number(3), "3"),
        (gettext_lazy("text"), '"text"'),
        ([gettext_lazy("text")], '["text"]'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_has_one_form(value: object, text: str):
    assert encode(value).decode() == text


class Rich(pydantic.BaseModel):
    url: pydantic.HttpUrl = pydantic.HttpUrl("https://example.com/")
    ip: ipaddress.IPv4Address = ipaddress.IPv4Address("192.0.2.1")
    network: ipaddress.IPv4Network = ipaddress.IPv4Network("10.0.0.0/30")
    path: pathlib.PurePosixPath = pathlib.PurePosixPath("/a/b")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("url", '"https://example.com/"'),
        ("ip", '"192.0.2.1"'),
        ("network", '"10.0.0.0/30"'),
        ("path", '"/a/b"'),
    ],
)
def test_pydantic_types_have_a_form(name: str, text: str):
    model = Rich()
    assert encode(model.model_copy()).decode().find(f'"{name}":{text}') > 0
    assert encode(getattr(model, name)).decode() == text


def test_secret_types_stay_secret():
    class Login(pydantic.BaseModel):
        password: pydantic.SecretStr

    assert json.loads(encode(Login(password="hunter2"))) == {"password": "**********"}


@pytest.mark.parametrize("value", [object(), len])
def test_value_without_a_form_is_a_type_error_that_names_it(value: object):
    with pytest.raises(TypeError, match=type(value).__name__):
        encode({"a": value})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(plain)
def test_plain_values_come_back(value: Any):
    assert json.loads(encode(value)) == value


# -- formats --------------------------------------------------------------------------------------

MOMENT = datetime.datetime(2026, 1, 31, 12, 30, 5, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("options", "value", "text"),
    [
        ({"datetime_format": "%Y-%m-%dT%H:%M:%S.%fZ"}, MOMENT, '"2026-01-31T12:30:05.000000Z"'),
        ({"date_format": "%d.%m.%Y"}, MOMENT.date(), '"31.01.2026"'),
        ({"date_format": "%d.%m.%Y"}, MOMENT, '"2026-01-31T12:30:05Z"'),
        ({"time_format": "%H:%M"}, MOMENT.time(), '"12:30"'),
        ({"datetime_format": "%Y"}, MOMENT.date(), '"2026-01-31"'),
        ({"datetime_format": "%Y"}, {"a": [MOMENT, (MOMENT,)]}, '{"a":["2026",["2026"]]}'),
        ({"date_format": "%Y"}, Model(), '{"firstName":"n","when":"2026"}'),
        ({"datetime_format": "%Y"}, decimal.Decimal("1.50"), '"1.50"'),
        ({"datetime_format": "%Y"}, [b"ab", Colour.RED, {1}], '["YWI=","red",[1]]'),
        ({"datetime_format": "%Y"}, {MOMENT: 1}, '{"2026":1}'),
    ],
)
def test_formats_of_time_are_used_however_deep(options: dict, value: object, text: str):
    assert make_encoder(Time(**options))(value).decode() == text


@given(plain)
def test_formats_change_nothing_else(value: Any):
    assert make_encoder(Time(datetime_format="%Y"))(value) == encode(value)
