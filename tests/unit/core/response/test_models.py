"""Models that pydantic writes itself are written just as the encoder writes them."""

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.response.encode import make_encoder, to_plain
from utilmeta.core.response.models import is_plain_model


class Line(pydantic.BaseModel):
    sku: str
    quantity: int = pydantic.Field(ge=-(10**12))
    price: float
    is_gift: bool = False


class Order(pydantic.BaseModel):
    id: uuid.UUID
    kind: Literal["a", "b"] = "a"
    lines: list[Line]
    notes: dict[str, str | None]
    total: Annotated[float, pydantic.Field(alias="sum")]
    first: Line | None = None


LINES = st.builds(
    Line,
    sku=st.text(),
    quantity=st.integers(-(10**12), 10**12),
    price=st.floats(),
    is_gift=st.booleans(),
)
ORDERS = st.builds(
    Order,
    id=st.uuids(),
    lines=st.lists(LINES, max_size=3),
    notes=st.dictionaries(st.text(), st.none() | st.text(), max_size=3),
    sum=st.floats(),
    first=st.none() | LINES,
)


@given(ORDERS)
def test_plain_model_is_written_as_the_encoder_writes_it(order: Order):
    assert is_plain_model(Order)
    written = make_encoder()(order)
    assert msgspec.json.decode(written) == msgspec.json.decode(
        msgspec.json.encode(to_plain(order), enc_hook=to_plain)
    )
    assert b'"sum"' in written


class Color(enum.Enum):
    RED = 1


class Fee(pydantic.BaseModel):
    amount: decimal.Decimal


class Computed(pydantic.BaseModel):
    a: int

    @pydantic.computed_field
    @property
    def b(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self.a)


class Serialized(pydantic.BaseModel):
    a: Annotated[int, pydantic.PlainSerializer(lambda v: v * 2)]


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")


class Tree(pydantic.BaseModel):
    below: "list[Tree]" = []


def model_of(kind: Any) -> type[pydantic.BaseModel]:
    return pydantic.create_model("Made", value=(kind, ...))


@pytest.mark.parametrize(
    "model",
    [
        *map(
            model_of,
            [
                datetime.datetime,
                datetime.timedelta,
                decimal.Decimal,
                bytes,
                Color,
                Any,
                set[str],
                dict[int, str],
                list[bytes],
                list[Fee],
                Fee | None,
            ],
        ),
        Computed,
        Serialized,
        Open,
        Tree,
        pydantic.RootModel[int],
    ],
)
def test_models_with_forms_of_their_own_are_left_to_the_encoder(model: type[pydantic.BaseModel]):
    assert not is_plain_model(model)


def test_moments_of_a_model_within_a_plain_answer_keep_their_form():
    class Event(pydantic.BaseModel):
        at: datetime.datetime
        lasts: datetime.timedelta

    event = Event(
        at=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), lasts=datetime.timedelta(hours=1)
    )
    line = Line(sku="a", quantity=1, price=1.5)
    assert make_encoder()([event, line]) == (
        b'[{"at":"2026-01-02T00:00:00Z","lasts":"PT3600S"},'
        b'{"sku":"a","quantity":1,"price":1.5,"is_gift":false}]'
    )
