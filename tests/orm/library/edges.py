"""Corners of reading that were wrong once; run by `tests/orm/test_engines.py`."""

import json
import uuid
from typing import Any

import pytest
from django.db.models import Case, Count, Value, When

from tests.orm.library.models import Author, Country, Shelf, Work
from tests.orm.library.reading import make
from utilmeta.core import orm
from utilmeta.core.response.encode import make_encoder

pytestmark = pytest.mark.django_db(databases=["default", "other"])
encode = make_encoder()


def read(rows: Any) -> Any:
    """Return what clients get."""
    return json.loads(encode(rows))


def test_conditions_of_a_nested_schema_are_about_its_own_columns() -> None:
    class Known(orm.Schema[Author]):
        is_ann: bool = orm.Field(Case(When(name="ann", then=Value(True)), default=Value(False)))

    class Owned(orm.Schema[Shelf]):
        owner: Known | None

    # Both models have a column `name`.
    Shelf.objects.create(name="shelf", kind="w", owner=make("ann").author)
    assert read(Owned.serialize(Shelf.objects.all())) == [{"owner": {"is_ann": True}}]


def test_two_schemas_of_one_relation_keep_their_own_expressions() -> None:
    class Busy(orm.Schema[Author]):
        number: int = orm.Field(Count("work"))

    class Loved(orm.Schema[Author]):
        number: int = orm.Field(Count("friends"))

    class Written(orm.Schema[Work]):
        busy: Busy = orm.Field("author")
        loved: Loved = orm.Field("author")

    make("ann")
    rows = Written.serialize(Work.objects.all())
    assert read(rows) == [{"busy": {"number": 1}, "loved": {"number": 0}}]


def test_equal_rows_of_the_models_order_follow_by_their_keys() -> None:
    class Peopled(orm.Schema[Country]):
        authors: list[uuid.UUID]

    country = Country.objects.create(code="FR", name="France")
    keys = [uuid.UUID(int=number) for number in (5, 3, 9, 1)]
    for key in keys:
        Author.objects.create(key=key, name="same", country=country)
    assert Peopled.init("FR").authors == sorted(keys)
