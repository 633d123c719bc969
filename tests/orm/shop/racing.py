"""Writes of the same rows at once; run by `tests/orm/test_engines.py` where rows are locked."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from tests.orm.shop.models import Category, Page, Part, Product, Tag
from utilmeta.core import orm
from utilmeta.utils.exceptions import BadRequest, HttpError

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


class PartSchema(orm.Schema[Part]):
    id: int
    name: str


class Tagged(orm.Schema[Product]):
    id: int
    sku: str
    name: str
    price: Decimal
    category_id: int
    tags: list[int]
    parts: list[PartSchema] = orm.Field(on_write="replace")


class PageSchema(orm.Schema[Page]):
    title: str
    version: int = orm.Field(version=True)


def together(work: Callable[[int], Any]) -> list[Any]:
    """Return what threads give that begin at once, or by which status each was refused."""
    barrier = Barrier(THREADS)

    def run(number: int) -> Any:
        try:
            barrier.wait(10)
            return work(number)
        except HttpError as exc:
            return exc.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def row() -> Product:
    category = Category.objects.create(name="tools")
    return Product.objects.create(sku="A", name="a", price=Decimal(1), category=category)


def test_the_engine_locks_rows() -> None:
    assert connection.features.has_select_for_update


def test_lists_that_are_replaced_at_once_do_not_add_up(row: Product) -> None:
    tags = [Tag.objects.create(name=str(number)).pk for number in range(THREADS * 3)]

    def replace(number: int) -> str:
        mine = tags[number * 3 : number * 3 + 3]
        for _ in range(5):
            patch = Tagged[orm.WP].model_validate({"id": row.pk, "tags": mine})
            patch.save()
        return "written"

    # Who has to give up is told to come again.
    assert set(together(replace)) <= {"written", 503}
    assert row.tags.count() == 3
    assert len({tags.index(tag.pk) // 3 for tag in row.tags.all()}) == 1


def test_children_that_are_replaced_at_once_do_not_add_up(row: Product) -> None:
    def replace(number: int) -> str:
        for _ in range(5):
            parts = [{"name": f"{number}-{index}"} for index in range(2)]
            Tagged[orm.WP].model_validate({"id": row.pk, "parts": parts}).save()
        return "written"

    assert set(together(replace)) <= {"written", 503}
    names = {part.name.partition("-")[0] for part in row.parts.all()}
    assert (row.parts.count(), len(names)) == (2, 1)


def test_one_of_several_updates_of_a_version_wins() -> None:
    page = Page.objects.create(title="one")

    def change(number: int) -> str:
        patch = PageSchema[orm.WP].model_validate({"title": str(number), "version": 1})
        patch.pk = page.pk
        patch.save()
        return "written"

    assert Counter(together(change)) == {"written": 1, 409: THREADS - 1}
    assert Page.objects.get().version == 2


def test_a_row_that_all_make_is_made_once(row: Product) -> None:
    def make(number: int) -> str:
        sent = {"sku": "NEW", "name": f"n{number}", "price": 1, "category_id": row.category_id}
        try:
            Tagged[orm.A].bulk_save([{**sent, "tags": [], "parts": []}], upsert_on=["sku"])
        except BadRequest as exc:
            return str(exc.errors)
        return "written"

    assert set(together(make)) <= {"written", 503}
    assert Product.objects.filter(sku="NEW").count() == 1
    single = together(lambda number: _create(row, f"ONE{number % 2}"))
    assert Counter(single) == {"written": 2, 400: THREADS - 2}


def _create(row: Product, sku: str) -> str:
    sent = {"sku": sku, "name": sku, "price": 1, "category_id": row.category_id, "parts": []}
    Tagged[orm.A].model_validate(sent).save()
    return "written"
