"""Null for columns whose schema fields have validator functions of their own."""

import asyncio
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest
from django.db import models
from pydantic.fields import FieldInfo

from testproject.conduit.models import Tag
from utilmeta.core import api, orm
from utilmeta.core.orm.columns import carry
from utilmeta.testing import AsyncClient, Client, override_service


def same(value: Any) -> Any:
    return value


def wrapped(value: Any, handler: Any) -> Any:
    return handler(value)


class Named(orm.Schema[Tag]):
    name: Annotated[str | None, pydantic.BeforeValidator(same)] = None


class NullAPI(api.API):
    @api.post
    def sync(self, tag: Named):
        return {"name": tag.name}


class AsyncNullAPI(NullAPI):
    @api.post
    async def asynchronous(self, tag: Named):
        return {"name": tag.name}


def test_null_is_taken_by_a_sync_service() -> None:
    with override_service(backend="django", api=NullAPI) as service, Client(service) as client:
        assert client.post("/sync", json={"name": None}).json() == {"name": None}
        assert client.post("/sync", json={"name": "sea"}).json() == {"name": "sea"}
        assert client.post("/sync", json={"name": "x" * 999}).status_code == 400


def test_null_is_taken_by_an_async_service() -> None:
    async def talk() -> list[Any]:
        with override_service(backend="starlette", api=AsyncNullAPI) as service:
            async with AsyncClient(service) as client:
                sent = ({"name": None}, {"name": "x" * 999})
                return [
                    (await client.post(path, json=body)).status_code
                    for path in ("/sync", "/asynchronous")
                    for body in sent
                ]

    assert asyncio.run(talk()) == [200, 400, 200, 400]


@pytest.mark.parametrize(
    "validator",
    [
        pydantic.BeforeValidator(same),
        pydantic.AfterValidator(same),
        pydantic.WrapValidator(wrapped),
    ],
)
@pytest.mark.parametrize(
    ("declared", "column", "good", "bad", "told"),
    [
        (str, models.CharField(max_length=3, null=True), "abc", "abcd", {"maxLength": 3}),
        (int, models.SmallIntegerField(null=True), 7, 10**6, {}),
        (float, models.FloatField(null=True), 1.5, float("inf"), {}),
        (
            Decimal,
            models.DecimalField(max_digits=3, decimal_places=1, null=True),
            Decimal("1.5"),
            Decimal("1000.5"),
            {},
        ),
    ],
)
def test_limits_of_columns_let_null_pass(
    validator: Any, declared: Any, column: Any, good: Any, bad: Any, told: dict[str, Any]
) -> None:
    info = FieldInfo.from_annotation(Annotated[declared | None, validator])
    carry(info, column)
    made = pydantic.create_model("Made", value=(declared | None, info))
    assert made.model_validate({"value": None}).value is None
    assert made.model_validate({"value": good}).value == good
    with pytest.raises(pydantic.ValidationError):
        made.model_validate({"value": bad})
    options = made.model_json_schema()["properties"]["value"]["anyOf"]
    assert told.items() <= options[0].items()
    assert options[-1] == {"type": "null"}
