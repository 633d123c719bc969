"""What `save`, `bulk_save` and `commit` write; run by `tests/orm/test_engines.py`."""

import asyncio
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from django.db.models.signals import post_save, pre_init, pre_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pydantic import ValidationError
from pydantic_core import MISSING

from tests.orm.shop.models import (
    Book,
    Category,
    Color,
    Manual,
    Member,
    Page,
    Part,
    Person,
    Product,
    Screw,
    Tag,
)
from utilmeta.core import orm
from utilmeta.core.orm.write import save
from utilmeta.core.orm.write.violations import busy
from utilmeta.core.response.encode import make_encoder
from utilmeta.utils.exceptions import (
    BadRequest,
    ConfigError,
    OrmError,
    PreconditionFailed,
    ServiceUnavailable,
)

pytestmark = pytest.mark.django_db


class PartSchema(orm.Schema[Part]):
    id: int
    name: str
    amount: int


class ManualSchema(orm.Schema[Manual]):
    id: int
    text: str


class ProductSchema(orm.Schema[Product]):
    id: int
    sku: str
    name: str
    price: Decimal
    sale_price: Decimal | None = orm.Field(alias="salePrice")
    color: str
    note: str | None
    facts: dict[str, Any]
    category_id: int = orm.Field(alias="category")
    tags: list[int]
    views: int = orm.Field(mode="r")
    parts: list[PartSchema] = orm.Field(on_write="replace")
    manual: ManualSchema | None = orm.Field(on_write="update")


class Plain(orm.Schema[Product]):
    id: int
    sku: str
    name: str
    price: Decimal
    sale_price: Decimal | None = orm.Field(alias="salePrice")
    note: str | None
    category_id: int = orm.Field(no_input=True)


@pytest.fixture
def category() -> Category:
    return Category.objects.create(name="tools")


def new(category: Category, sku: str = "A-1", **values: Any) -> dict[str, Any]:
    """Return what a client sends for a new product."""
    return {"sku": sku, "name": sku, "price": "9.50", "category": category.pk, **values}


def add(category: Category, sku: str = "A-1", **values: Any) -> Product:
    return Product.objects.create(
        sku=sku, name=sku, price=Decimal("9.5"), category=category, **values
    )


def faults(error: pytest.ExceptionInfo[BadRequest]) -> list[tuple[str, str]]:
    return [(str(item["place"]), str(item["code"])) for item in error.value.errors]


def statements(context: CaptureQueriesContext) -> int:
    """Return how many statements were sent, without those that open and end transactions."""
    ends = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
    return len([item for item in context if not item["sql"].startswith(ends)])


# Creating


def test_a_row_is_created_with_all_that_hangs_on_it(category: Category) -> None:
    tags = [Tag.objects.create(name=name) for name in "ab"]
    sent = new(
        category,
        salePrice="5",
        color="green",
        note="ü 👩‍🚀",
        facts={"a": [1, None]},
        tags=[tags[1].pk, tags[0].pk],
        parts=[{"name": "x"}, {"name": "y", "amount": 3}],
        manual={"text": "read me"},
    )
    made = ProductSchema[orm.A].model_validate(sent).save()
    row = Product.objects.get()
    assert made.pk == row.pk
    assert (row.sku, row.price, row.sale_price) == ("A-1", Decimal("9.50"), Decimal(5))
    assert (row.color, row.note, row.facts) == ("green", "ü 👩‍🚀", {"a": [1, None]})
    assert [tag.name for tag in row.tags.all()] == ["a", "b"]
    assert [(part.name, part.amount) for part in row.parts.all()] == [("x", 1), ("y", 3)]
    assert row.manual.text == "read me"
    # The model's own save was called.
    assert row.saved == 1
    read = ProductSchema.init(made.pk)
    assert (read.name, read.parts[1].amount, read.manual) == (
        "A-1",
        3,
        ManualSchema(id=row.manual.pk, text="read me"),
    )


def test_a_version_that_is_not_counted_cannot_be_asked_for(category: Category) -> None:
    patch = Plain[orm.WP].model_validate({"id": add(category).pk})
    with pytest.raises(OrmError, match="version=True"):
        patch.save(if_match='"1"')


def test_what_is_not_sent_takes_the_models_default(category: Category) -> None:
    made = ProductSchema[orm.A].model_validate(new(category))
    assert (made.color, made.tags, made.note) == (MISSING, MISSING, MISSING)
    row = Product.objects.get(pk=made.save().pk)
    assert (row.color, row.note, row.facts) == (Color.RED, None, {})


def test_clients_set_neither_keys_nor_what_is_for_reading(category: Category) -> None:
    sent = new(category, id=77, pk=77, views=1000, saved=9)
    row = Product.objects.get(pk=ProductSchema[orm.A].model_validate(sent).save().pk)
    assert (row.pk != 77, row.views) == (True, 0)
    other = Category.objects.create(name="other")
    made = Plain[orm.A].model_validate(
        {"sku": "B", "name": "b", "price": 1, "category_id": other.pk}
    )
    assert made.category_id is MISSING
    made.category_id = category.pk
    assert Product.objects.get(pk=made.save().pk).category_id == category.pk
    # Code may set it at once.
    coded = Plain[orm.A](sku="C", name="c", price=Decimal(1), category_id=other.pk)
    assert Product.objects.get(pk=coded.save().pk).category_id == other.pk


def test_a_column_that_needs_a_value_and_got_none_is_told(category: Category) -> None:
    made = Plain[orm.A].model_validate({"sku": "B", "name": "b", "price": 1})
    with pytest.raises(BadRequest) as caught:
        made.save()
    assert faults(caught) == [("category_id", "missing")]
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("values", "place", "kind"),
    [
        ({"sku": "x" * 13}, "sku", "string_too_long"),
        ({"sku": "lower"}, "sku", "value_error"),
        ({"price": "1.234"}, "price", "decimal_max_places"),
        ({"price": "-1"}, "price", "value_error"),
        ({"color": "blue"}, "color", "value_error"),
        ({"name": None}, "name", "string_type"),
        ({"name": "a\0b"}, "name", "value_error"),
        ({"parts": [{"name": "x", "amount": 2**40}]}, "parts.0.amount", "less_than_equal"),
    ],
)
def test_what_the_model_asks_of_values_is_asked_of_clients(
    category: Category, values: dict[str, Any], place: str, kind: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        ProductSchema[orm.A].model_validate(new(category, **values))
    found = caught.value.errors()
    assert (".".join(map(str, found[0]["loc"])), found[0]["type"]) == (place, kind)


def test_the_description_says_what_the_model_says() -> None:
    described = ProductSchema[orm.A].model_json_schema()
    properties = described["properties"]
    assert set(described["required"]) == {"sku", "name", "price", "category"}
    assert "id" not in properties
    assert "views" not in properties
    assert properties["name"] == {
        "description": "what customers read",
        "maxLength": 40,
        "title": "Name",
        "type": "string",
    }
    assert properties["color"]["enum"] == ["red", "green"]
    assert "required" not in ProductSchema[orm.WP].model_json_schema()
    output = ProductSchema.model_json_schema(mode="serialization")
    assert set(output["properties"]) >= {"views", "parts", "salePrice", "category"}


# Constraints


def test_a_value_that_must_be_unique_is_told_by_its_name(category: Category) -> None:
    add(category)
    with pytest.raises(BadRequest) as caught, transaction.atomic():
        ProductSchema[orm.A].model_validate(new(category, name="other")).save()
    assert faults(caught) == [("sku", "unique")]
    with pytest.raises(BadRequest) as caught, transaction.atomic():
        ProductSchema[orm.A].model_validate(new(category, "B", name="A-1")).save()
    assert sorted(faults(caught)) == [("category", "unique"), ("name", "unique")]


def test_a_check_constraint_is_told_in_its_own_words(category: Category) -> None:
    with pytest.raises(BadRequest) as caught, transaction.atomic():
        ProductSchema[orm.A].model_validate(new(category, salePrice="10")).save()
    (found,) = caught.value.errors
    assert (found["place"], found["code"]) == ("salePrice", "check")
    assert found["expected"] == "The sale price is above the price."


def test_a_key_of_no_row_is_told_by_its_name(category: Category) -> None:
    for key in (category.pk + 1, 2**63 - 1):
        with pytest.raises(BadRequest) as caught:
            ProductSchema[orm.A].model_validate(new(category) | {"category": key}).save()
        assert faults(caught) == [("category", "foreign_key")]
    with pytest.raises(BadRequest) as caught:
        ProductSchema[orm.A].model_validate(new(category, tags=[5])).save()
    assert faults(caught) == [("tags.0", "foreign_key")]
    assert not Product.objects.exists()


def test_nothing_is_left_of_a_row_that_fails_half_way(category: Category) -> None:
    sent = new(category, parts=[{"name": "x"}], tags=[999])
    with pytest.raises(BadRequest):
        ProductSchema[orm.A].model_validate(sent).save()
    assert (Product.objects.count(), Part.objects.count()) == (0, 0)


# Updating


def test_an_update_in_part_writes_what_was_sent(category: Category) -> None:
    row = add(category, note="old", color="green")
    before = row.updated_at
    patch = ProductSchema[orm.WP].model_validate({"name": "new"})
    patch.pk = row.pk
    with CaptureQueriesContext(connection) as sent:
        patch.save()
    (update,) = [item["sql"] for item in sent if item["sql"].startswith("UPDATE")]
    assert "note" not in update
    row.refresh_from_db()
    assert (row.name, row.note, row.color) == ("new", "old", "green")
    assert row.updated_at > before


def test_null_is_told_from_not_sent(category: Category) -> None:
    row = add(category, note="old", sale_price=Decimal(1))
    for sent, note in (({}, "old"), ({"note": None}, None)):
        patch = ProductSchema[orm.WP].model_validate(sent)
        patch.pk = row.pk
        patch.save()
        row.refresh_from_db()
        assert row.note == note
    assert row.sale_price == Decimal(1)
    with pytest.raises(ValidationError):
        ProductSchema[orm.WP].model_validate({"name": None})


def test_an_update_says_of_which_row(category: Category) -> None:
    with pytest.raises(orm.MissingPrimaryKey):
        ProductSchema[orm.W].model_validate(new(category)).save()
    for sent in ({}, {"name": "x"}):
        patch = ProductSchema[orm.WP].model_validate(sent)
        patch.pk = 12345
        with pytest.raises(orm.EmptyQueryset):
            patch.save()


def test_an_instance_that_was_read_writes_what_was_changed(category: Category) -> None:
    row = add(category, note="old")
    read = Plain.init(row.pk)
    Product.objects.update(name="changed elsewhere")
    read.note = "new"
    read.save()
    row.refresh_from_db()
    assert (row.note, row.name) == ("new", "changed elsewhere")


def test_many_to_many_lists_are_replaced(category: Category) -> None:
    tags = [Tag.objects.create(name=name).pk for name in "abc"]
    row = add(category)
    row.tags.set(tags[:2])
    for sent, expected in (({}, tags[:2]), ({"tags": tags[1:]}, tags[1:]), ({"tags": []}, [])):
        patch = ProductSchema[orm.WP].model_validate(sent)
        patch.pk = row.pk
        patch.save()
        assert [tag.pk for tag in row.tags.all()] == expected


def test_a_schema_without_a_mode_updates_what_is_there_and_creates_the_rest(
    category: Category,
) -> None:
    made = Plain(sku="A", name="a", price=Decimal(1), sale_price=None, note=None)
    made.category_id = category.pk
    key = made.save().pk
    again = Plain(id=key, sku="A", name="b", price=Decimal(1), sale_price=None, note=None)
    again.save()
    assert Product.objects.get().name == "b"
    with pytest.raises(BadRequest) as caught:
        again.save(must_create=True)
    assert faults(caught)[0][1] in {"missing", "unique"}
    with pytest.raises(orm.EmptyQueryset):
        Plain(id=key + 5, sku="Z", name="b", price=Decimal(1), sale_price=None, note=None).save(
            must_update=True
        )


# Nested rows


def nested(policy: str) -> Any:
    """Return a schema of products whose parts are written in a way."""

    class Nested(orm.Schema[Product]):
        id: int
        parts: list[PartSchema] = orm.Field(on_write=policy)  # type: ignore[arg-type]

    return Nested


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("create", ["a", "b", "new"]),
        ("update", ["changed", "b", "new"]),
        ("replace", ["changed", "new"]),
    ],
)
def test_children_are_written_as_the_policy_says(
    category: Category, policy: str, expected: list[str]
) -> None:
    row = add(category)
    first, _ = (Part.objects.create(product=row, name=name) for name in "ab")
    children = [{"id": first.pk, "name": "changed"}, {"name": "new"}]
    sent = children[1:] if policy == "create" else children
    patch = nested(policy)[orm.WP].model_validate({"id": row.pk, "parts": sent})
    patch.save()
    assert [part.name for part in row.parts.all()] == expected
    untouched = nested(policy)[orm.WP].model_validate({"id": row.pk})
    untouched.save()
    assert [part.name for part in row.parts.all()] == expected


@pytest.mark.parametrize("policy", ["create", "update", "replace", "link"])
def test_children_of_another_row_are_refused(category: Category, policy: str) -> None:
    row, other = add(category), add(category, "B")
    foreign = Part.objects.create(product=other, name="theirs")
    for key in (foreign.pk, foreign.pk + 100):
        sent = {"id": row.pk, "parts": [{"id": key, "name": "stolen"}]}
        with pytest.raises(BadRequest) as caught:
            nested(policy)[orm.WP].model_validate(sent).save()
        assert faults(caught)[0][0] == "parts.0.id"
    foreign.refresh_from_db()
    assert (foreign.product_id, foreign.name) == (other.pk, "theirs")


def test_free_rows_can_be_linked(category: Category) -> None:
    row = add(category)
    free = Part.objects.create(name="free")
    nested("link")[orm.WP].model_validate({"id": row.pk, "parts": [{"id": free.pk}]}).save()
    free.refresh_from_db()
    assert (free.product_id, free.name) == (row.pk, "free")


def test_rows_are_nested_to_any_depth(category: Category) -> None:
    class ScrewSchema(orm.Schema[Screw]):
        id: int
        size: int

    class Deep(orm.Schema[Part]):
        id: int
        name: str
        screws: list[ScrewSchema] = orm.Field(on_write="replace")

    class Whole(orm.Schema[Product]):
        id: int
        parts: list[Deep] = orm.Field(on_write="replace")

    row = add(category)
    sent = {
        "id": row.pk,
        "parts": [
            {"name": "x", "screws": [{"size": 1}, {"size": 2}]},
            {"name": "y", "screws": []},
            {"name": "z", "screws": [{"size": 3}]},
        ],
    }
    Whole[orm.WP].model_validate(sent).save()
    found = {part.name: [s.size for s in part.screws.order_by("pk")] for part in Part.objects.all()}
    assert found == {"x": [1, 2], "y": [], "z": [3]}
    Screw.objects.exclude(size=1).delete()
    first = Part.objects.get(name="x")
    kept = Screw.objects.get()
    sent = {
        "id": row.pk,
        "parts": [{"id": first.pk, "screws": [{"id": kept.pk, "size": 9}, {"size": 8}]}],
    }
    Whole[orm.WP].model_validate(sent).save()
    assert [screw.size for screw in Screw.objects.order_by("pk")] == [9, 8]
    assert Part.objects.count() == 1


def test_the_row_itself_may_point_at_a_nested_one(category: Category) -> None:
    class CategorySchema(orm.Schema[Category]):
        id: int
        name: str

    class Pointing(orm.Schema[Product]):
        id: int
        sku: str
        name: str
        price: Decimal
        category: CategorySchema = orm.Field(on_write="update")

    sent = {"sku": "A", "name": "a", "price": 1, "category": {"name": "made"}}
    made = Pointing[orm.A].model_validate(sent).save()
    row = Product.objects.get(pk=made.pk)
    assert row.category.name == "made"
    patch = Pointing[orm.WP].model_validate({"id": row.pk, "category": {"name": "renamed"}})
    patch.save()
    row.refresh_from_db()
    assert (row.category.name, row.category_id) == ("renamed", row.category_id)
    foreign = {"id": row.pk, "category": {"id": category.pk, "name": "theirs"}}
    with pytest.raises(BadRequest) as caught:
        Pointing[orm.WP].model_validate(foreign).save()
    assert faults(caught) == [("category.id", "foreign")]


def test_a_one_to_one_child_is_changed_and_made(category: Category) -> None:
    class Documented(orm.Schema[Product]):
        id: int
        manual: ManualSchema | None = orm.Field(on_write="replace")

    row = add(category)
    for sent, expected in (
        ({"text": "one"}, ["one"]),
        ({"text": "two"}, ["two"]),
        (None, []),
    ):
        Documented[orm.WP].model_validate({"id": row.pk, "manual": sent}).save()
        assert [manual.text for manual in Manual.objects.all()] == expected


def test_a_nested_schema_that_is_written_says_how() -> None:
    class Silent(orm.Schema[Product]):
        parts: list[PartSchema] = orm.Field(mode="rwa")

    with pytest.raises(ConfigError, match="on_write="):
        Silent[orm.A]


def test_rows_of_a_many_to_many_relation_are_nested(category: Category) -> None:
    class TagSchema(orm.Schema[Tag]):
        id: int
        name: str

    class Tagged(orm.Schema[Product]):
        id: int
        tags: list[TagSchema] = orm.Field(on_write="replace")

    row = add(category)
    mine, theirs = (Tag.objects.create(name=name) for name in ("mine", "theirs"))
    row.tags.add(mine)
    sent = {"id": row.pk, "tags": [{"id": mine.pk, "name": "renamed"}, {"name": "new"}]}
    Tagged[orm.WP].model_validate(sent).save()
    assert [tag.name for tag in row.tags.all()] == ["new", "renamed"]
    with pytest.raises(BadRequest) as caught:
        Tagged[orm.WP].model_validate({"id": row.pk, "tags": [{"id": theirs.pk}]}).save()
    assert faults(caught) == [("tags.0.id", "foreign")]
    Tagged[orm.WP].model_validate({"id": row.pk, "tags": []}).save()
    # Others may have them, so they are not deleted.
    assert (row.tags.count(), Tag.objects.count()) == (0, 3)


# Many rows


def test_many_rows_are_written_in_the_same_number_of_statements(category: Category) -> None:
    tags = [Tag.objects.create(name=str(number)).pk for number in range(5)]
    counts = []
    for number in (1, 1000):
        Product.objects.all().delete()
        sent = [
            new(category, f"S-{index}", tags=[tags[index % 5]], parts=[{"name": "p"}])
            for index in range(number)
        ]
        with CaptureQueriesContext(connection) as made:
            rows = ProductSchema[orm.A].bulk_save(sent)
        assert len({row.pk for row in rows}) == number
        assert Product.objects.count() == Part.objects.count() == number
        changes = [
            {"id": row.pk, "name": f"n{index}", "tags": [tags[4]]} for index, row in enumerate(rows)
        ]
        with CaptureQueriesContext(connection) as changed:
            ProductSchema[orm.WP].bulk_save(changes)
        assert Product.objects.get(sku=f"S-{number - 1}").name == f"n{number - 1}"
        counts.append((statements(made), statements(changed)))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 14


def test_each_row_of_many_has_values_of_its_own(category: Category) -> None:
    first, second = add(category, "A", note="x"), add(category, "B", note="y")
    before = first.updated_at
    Plain[orm.WP].bulk_save(
        [{"id": first.pk, "name": "one"}, {"id": second.pk, "note": None, "price": "2"}]
    )
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.name, first.note, first.price) == ("one", "x", Decimal("9.5"))
    assert (second.name, second.note, second.price) == ("B", None, Decimal(2))
    assert first.updated_at > before


def test_faults_of_many_rows_say_of_which(category: Category) -> None:
    add(category, "TAKEN")
    sent = [
        new(category, "OK"),
        new(category, "TAKEN", name="other"),
        new(category, "OK", name="same"),
        new(category, "C") | {"category": 999},
    ]
    with pytest.raises(BadRequest) as caught:
        ProductSchema[orm.A].bulk_save(sent)
    assert sorted(faults(caught)) == [
        ("1.sku", "unique"),
        ("2.sku", "unique"),
        ("3.category", "foreign_key"),
    ]
    with pytest.raises(BadRequest) as caught:
        ProductSchema[orm.A].bulk_save([new(category, "OK"), new(category, "low")])
    assert faults(caught) == [("1.sku", "value_error")]
    with pytest.raises(BadRequest) as caught:
        Plain[orm.WP].bulk_save([{"id": 999, "name": "x"}])
    assert faults(caught) == [("0.id", "not_found")]
    assert Product.objects.count() == 1
    assert ProductSchema[orm.A].bulk_save([]) == []


def test_two_rows_may_not_be_one(category: Category) -> None:
    row = add(category)
    with pytest.raises(BadRequest) as caught:
        Plain[orm.WP].bulk_save([{"id": row.pk, "name": "a"}, {"id": row.pk, "name": "b"}])
    assert faults(caught) == [("1.id", "unique")]


def test_rows_are_found_by_other_fields_than_the_key(category: Category) -> None:
    row = add(category, "A", note="old")
    saved = ProductSchema[orm.A].bulk_save(
        [new(category, "A", name="changed"), new(category, "B")], upsert_on=["sku"]
    )
    row.refresh_from_db()
    assert (row.name, row.note, saved[0].pk) == ("changed", "old", row.pk)
    assert Product.objects.get(sku="B").pk == saved[1].pk
    with pytest.raises(ConfigError, match="upsert_on"):
        ProductSchema[orm.A].bulk_save([new(category)], upsert_on=["nothing"])


def test_all_rows_of_a_queryset_are_changed_at_once(category: Category) -> None:
    rows = [add(category, sku) for sku in "ABC"]
    before = rows[0].updated_at
    patch = Plain[orm.WP].model_validate({"note": "all"})
    with CaptureQueriesContext(connection) as sent:
        number = patch.commit(Product.objects.exclude(sku="C"))
    assert (number, statements(sent)) == (2, 1)
    assert list(Product.objects.order_by("sku").values_list("note", flat=True)) == [
        "all",
        "all",
        None,
    ]
    rows[0].refresh_from_db()
    assert rows[0].updated_at > before
    assert Plain[orm.WP].model_validate({}).commit(Product.objects.all()) == 0
    with pytest.raises(OrmError, match="not the relation 'tags'"):
        ProductSchema[orm.WP].model_validate({"tags": []}).commit(Product.objects.all())
    with pytest.raises(BadRequest) as caught, transaction.atomic():
        Plain[orm.WP].model_validate({"sku": "SAME"}).commit(Product.objects.all())
    assert faults(caught) == [("sku", "unique")]


# Versions


class PageSchema(orm.Schema[Page]):
    key: uuid.UUID
    title: str
    version: int = orm.Field(version=True)


def test_an_update_of_another_version_is_refused() -> None:
    made = PageSchema[orm.A].model_validate({"title": "one", "version": 7}).save()
    assert PageSchema.init(made.pk).version == 1
    first, second = PageSchema.init(made.pk), PageSchema.init(made.pk)
    first.title = "two"
    first.save(must_update=True)
    assert first.version == 2
    second.title = "three"
    with pytest.raises(orm.UpdateFailed) as caught:
        second.save(must_update=True)
    assert caught.value.status_code == 409
    assert Page.objects.get().title == "two"
    first.title = "four"
    first.save(must_update=True)
    assert (Page.objects.get().title, Page.objects.get().version) == ("four", 3)


def test_a_save_that_fails_does_not_count(category: Category) -> None:
    class Versioned(orm.Schema[Product]):
        id: int
        sku: str
        views: int = orm.Field(version=True)

    add(category, "TAKEN")
    read = Versioned.init(add(category, "MINE").pk)
    read.sku = "TAKEN"
    with pytest.raises(BadRequest), transaction.atomic():
        read.save()
    assert read.views == 0
    read.sku = "FREE"
    read.save()
    assert (read.views, Product.objects.get(sku="FREE").views) == (1, 1)


def test_the_version_may_be_told_by_if_match() -> None:
    page = Page.objects.create(title="one")

    def patch(**options: Any) -> Any:
        found = PageSchema[orm.WP].model_validate({"title": "two"})
        found.pk = page.pk
        return found.save(**options)

    with pytest.raises(BadRequest) as caught:
        patch()
    assert faults(caught) == [("version", "missing")]
    assert patch(if_match='"1"').version == 2
    with pytest.raises(PreconditionFailed):
        patch(if_match='"1"')
    assert patch(if_match='"7", "2"').version == 3
    assert patch(if_match="*").version == 4
    with pytest.raises(PreconditionFailed):
        patch(if_match='W/"x"')
    Page.objects.all().delete()
    with pytest.raises(orm.EmptyQueryset):
        patch(if_match="*")


def test_versions_of_many_rows_are_counted() -> None:
    pages = [Page.objects.create(title=title) for title in "ab"]
    sent = [{"key": page.pk, "title": "x", "version": 1} for page in pages]
    saved = PageSchema[orm.WP].bulk_save(sent)
    assert [page.version for page in saved] == [2, 2]
    sent[0]["version"] = 2
    with pytest.raises(orm.UpdateFailed) as caught:
        PageSchema[orm.WP].bulk_save(sent)
    assert [item["place"] for item in caught.value.errors] == ["1.version"]
    assert set(Page.objects.values_list("version", flat=True)) == {2}


def test_a_version_without_a_default_is_given_to_new_rows() -> None:
    class Counted(orm.Schema[Part]):
        id: int
        name: str
        amount: int = orm.Field(version=True)

    made = Counted[orm.A](name="a").save()
    (other,) = Counted[orm.A].bulk_save([{"name": "b", "amount": 7}])
    found = dict(Part.objects.values_list("pk", "amount"))
    assert found == {made.pk: 1, other.pk: 1}


def test_upserts_of_rows_with_versions_change_the_row_that_is_there(category: Category) -> None:
    class Versioned(orm.Schema[Product]):
        id: int
        sku: str
        name: str
        price: Decimal
        category_id: int
        views: int = orm.Field(version=True)

    sent = [{"sku": sku, "name": sku, "price": 1, "category_id": category.pk} for sku in "AB"]
    Versioned[orm.A].bulk_save(sent[:1])
    Versioned[orm.A].bulk_save([{**item, "price": 2} for item in sent], upsert_on=["sku"])
    found = Product.objects.order_by("sku").values_list("sku", "price", "views")
    assert list(found) == [("A", 2, 1), ("B", 2, 0)]


# What must not be written


class Guarded(orm.Schema[Product]):
    id: int
    sku: str
    name: str
    price: Decimal
    category_id: int
    note: str = orm.Field("note", no_input=True, default="set by the server")
    views: int = orm.Field(no_input=True, default=5)


def test_an_update_leaves_what_clients_cannot_set(category: Category) -> None:
    sent = {"sku": "A", "name": "a", "price": 1, "category_id": category.pk, "views": 99}
    made = Guarded[orm.A].model_validate(sent).save()
    row = Product.objects.get(pk=made.pk)
    assert (row.views, row.note) == (5, "set by the server")
    Product.objects.update(views=1000, note="earned")
    whole = Guarded[orm.W].model_validate({**sent, "id": made.pk})
    whole.save()
    plain = Guarded.model_validate({**sent, "id": 99})
    plain.pk = made.pk
    plain.save()
    Guarded[orm.A].bulk_save([sent], upsert_on=["sku"])
    Guarded[orm.WP].bulk_save([{"id": made.pk, "views": 1}])
    row.refresh_from_db()
    assert (row.views, row.note) == (1000, "earned")
    whole.views = 7
    whole.save()
    row.refresh_from_db()
    assert (row.views, row.note) == (7, "earned")


def test_a_key_that_the_database_makes_is_not_chosen_by_clients(category: Category) -> None:
    row = add(category)
    sent = {"id": row.pk, "sku": "B", "name": "b", "price": 1, "category_id": category.pk}
    taken = Guarded.model_validate(sent)
    assert taken.pk is None
    assert taken.save().pk != row.pk
    row.refresh_from_db()
    assert row.sku == "A-1"
    assert "id" not in Guarded.model_json_schema()["properties"]
    with pytest.raises(orm.EmptyQueryset):
        Guarded(id=99999, sku="C", name="c", price=1, category_id=category.pk).save()
    assert Product.objects.count() == 2


def test_a_row_that_was_read_without_its_key_is_not_made_again(category: Category) -> None:
    class Name(orm.Schema[Category]):
        name: str

    class Named(orm.Schema[Product]):
        category: Name

    add(category)
    read = Named.serialize(Product.objects.all())[0]
    read.category.name = "other"
    with pytest.raises(orm.MissingPrimaryKey):
        read.category.save()
    assert Category.objects.count() == 1


def test_fields_that_the_model_has_not_are_refused_when_written() -> None:
    class Misspelt(orm.Schema[Product]):
        sku: str
        nmae: str

    with pytest.raises(ConfigError, match="did you mean 'name'"):
        Misspelt[orm.WP]


@pytest.mark.parametrize(
    "values",
    [
        {"facts": {"text": "a\0b"}},
        {"facts": [float("nan")]},
        {"category": 2**63},
        {"category": -(10**30)},
        {"note": "half \ud83d"},
        {"price": Decimal("1e400")},
    ],
)
def test_values_that_no_database_holds_are_refused(
    category: Category, values: dict[str, Any]
) -> None:
    class Loose(orm.Schema[Product]):
        sku: str
        name: str
        price: Any
        category: Any
        note: Any = None
        facts: Any = None

    sent = {**new(category), "price": 1, "facts": 1, **values}
    with pytest.raises((BadRequest, ValidationError)):
        Loose[orm.A].model_validate(sent).save()
    with pytest.raises((BadRequest, ValidationError)):
        Loose[orm.A].bulk_save([sent])
    assert not Product.objects.exists()


def test_values_of_nested_rows_that_are_refused_are_told_by_their_place(
    category: Category,
) -> None:
    class Item(orm.Schema[Product]):
        id: int
        sku: str
        name: str
        price: Decimal
        sale_price: Decimal | None = orm.Field(alias="salePrice", required=False)

    class Shelf(orm.Schema[Category]):
        id: int
        name: str
        products: list[Item] = orm.Field(on_write="replace", alias="ITEMS")

    def items(*values: dict[str, Any]) -> Any:
        plain = {"price": 2}
        return {"name": "x", "ITEMS": [{**plain, **value} for value in values]}

    twice = items({"sku": "A", "name": "same"}, {"sku": "B", "name": "same"})
    with pytest.raises(BadRequest) as caught:
        Shelf[orm.A].model_validate(twice).save()
    assert faults(caught) == [("ITEMS.1.name", "unique")]
    dear = items({"sku": "A", "name": "a", "salePrice": 3})
    with pytest.raises(BadRequest) as caught, transaction.atomic():
        Shelf[orm.A].model_validate(dear).save()
    assert faults(caught) == [("ITEMS.0.salePrice", "check")]


class BookSchema(orm.Schema[Book]):
    id: str
    token: str
    number: str
    lent_for: str | None
    cover: bytes
    address: IPv4Address | None


def test_what_answers_hold_can_be_sent_again() -> None:
    row = Book.objects.create(
        id="n-7", number=3, lent_for=timedelta(hours=1), cover=b"\x00\xff", address="10.0.0.1"
    )
    answer = make_encoder()(BookSchema.init("n-7"))
    sent = {**json.loads(answer), "lent_for": "PT2H"}
    BookSchema[orm.W].model_validate_json(json.dumps(sent)).save()
    before = Book.objects.get()
    assert (before.token, before.number, before.cover) == (row.token, 3, b"\x00\xff")
    assert (before.lent_for, before.address) == (timedelta(hours=2), "10.0.0.1")
    for name, value in (("token", "xx"), ("number", "seven"), ("lent_for", "long")):
        with pytest.raises((BadRequest, ValidationError)):
            BookSchema[orm.WP].model_validate({"id": "n-7", name: value}).save()


def test_a_key_with_a_default_is_not_chosen_by_clients() -> None:
    class Plain(orm.Schema[Page]):
        key: uuid.UUID
        title: str

    page = Page.objects.create(title="mine")
    made = Plain.model_validate({"key": page.pk, "title": "stolen"}).save()
    page.refresh_from_db()
    assert (page.title, made.pk != page.pk) == ("mine", True)


def test_upserts_need_fields_that_are_unique(category: Category) -> None:
    for names in (["name"], ["price"], ["category_id"]):
        with pytest.raises(ConfigError, match="several rows may have the same"):
            Guarded[orm.A].bulk_save(
                [{"sku": "A", "name": "a", "price": 1, "category_id": category.pk}],
                upsert_on=names,
            )


def test_a_moment_without_an_offset_is_taken_in_the_default_zone() -> None:
    class Moment(orm.Schema[Product]):
        id: int
        created_at: datetime = orm.Field(mode="rw")

    row = add(Category.objects.create(name="c"))
    patch = Moment[orm.WP].model_validate({"id": row.pk, "created_at": "2026-01-31T10:00:00"})
    patch.save()
    row.refresh_from_db()
    zone = timezone.get_default_timezone()
    assert row.created_at == datetime(2026, 1, 31, 10, tzinfo=zone)


# Other models


def test_a_child_of_another_model_is_written() -> None:
    class MemberSchema(orm.Schema[Member]):
        id: int
        name: str
        number: int
        friends: list[int]

    friend = Person.objects.create(name="bob")
    made = MemberSchema[orm.A](name="ann", number=1, friends=[friend.pk]).save()
    row = Member.objects.get(pk=made.pk)
    assert (row.name, row.number, [item.name for item in row.friends.all()]) == ("ann", 1, ["bob"])
    assert [item.name for item in friend.friends.all()] == ["ann"]
    patch = MemberSchema[orm.WP].model_validate({"name": "eve", "friends": []})
    patch.pk = made.pk
    patch.save()
    row.refresh_from_db()
    assert (row.name, row.number, friend.friends.count()) == ("eve", 1, 0)
    with pytest.raises(BadRequest) as caught, transaction.atomic():
        MemberSchema[orm.A](name="x", number=1, friends=[]).save()
    assert faults(caught) == [("number", "unique")]
    saved = MemberSchema[orm.A].bulk_save(
        [{"name": name, "number": ord(name), "friends": []} for name in "xy"]
    )
    assert [Member.objects.get(pk=item.pk).name for item in saved] == ["x", "y"]
    MemberSchema[orm.WP].bulk_save([{"id": item.pk, "name": "z"} for item in saved])
    assert Member.objects.filter(name="z").count() == 2


def test_links_of_a_symmetric_relation_are_replaced_alone() -> None:
    class Friendly(orm.Schema[Person]):
        id: int
        friends: list[int]

    a, b, c, d = (Person.objects.create(name=name) for name in "abcd")
    a.friends.add(b)
    c.friends.add(d)
    b.friends.add(c)
    d.friends.add(a)
    Friendly[orm.WP].bulk_save(
        [{"id": a.pk, "friends": [d.pk]}, {"id": c.pk, "friends": [b.pk, b.pk]}]
    )
    found = {row.name: {item.name for item in row.friends.all()} for row in Person.objects.all()}
    assert found == {"a": {"d"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}


def test_signals_are_sent_for_a_row_that_is_saved(category: Category) -> None:
    seen = []

    def listen(instance: Product, created: bool, **_: Any) -> None:
        # What was not sent is there too, read when it is asked for.
        seen.append((instance.sku, created))

    post_save.connect(listen, sender=Product)
    try:
        made = ProductSchema[orm.A].model_validate(new(category)).save()
        patch = ProductSchema[orm.WP].model_validate({"name": "x"})
        patch.pk = made.pk
        patch.save()
    finally:
        post_save.disconnect(listen, sender=Product)
    assert seen == [("A-1", True), ("A-1", False)]


def test_rows_are_saved_by_kept_statements_until_somebody_listens(
    category: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Named(orm.Schema[Category]):
        name: str
        parent_id: int | None = None

    def save(name: str) -> Category:
        made = Named[orm.A](name=name, parent_id=category.pk).save()
        return Category.objects.get(pk=made.pk, name=name, parent=category)

    seen = []
    with CaptureQueriesContext(connection) as context:
        save("a")
    # Whether the parent is there, the row itself, and reading it again.
    assert statements(context) == 3

    def listen(instance: Category, **_: Any) -> None:
        seen.append(instance.name)

    for signal in (pre_init, pre_save, post_save):
        signal.connect(listen if signal is not pre_init else _ignore, sender=Category)
        try:
            save("b")
        finally:
            signal.disconnect(listen if signal is not pre_init else _ignore, sender=Category)
    assert seen == ["b", "b"]
    monkeypatch.setattr(Category, "save", lambda row, **_: seen.append(row.name))
    Named[orm.A](name="c").save()
    assert seen == ["b", "b", "c"]


def _ignore(**_: Any) -> None:
    """Listen without doing anything."""


def test_new_rows_hold_what_django_would_give_them(category: Category) -> None:
    sent = [{"sku": f"S-{n}", "name": f"n{n} \u00e4", "price": "9.50"} for n in range(3)]
    rows = Plain[orm.A].bulk_save(
        [Plain[orm.A](**values, category_id=category.pk) for values in sent]
    )
    usual = Product.objects.bulk_create(
        [
            Product(**{**values, "sku": f"D-{n}"}, category_id=category.pk, name=f"d{n}")
            for n, values in enumerate([{"price": Decimal("9.50")}] * 3)
        ]
    )
    names = [
        field.attname
        for field in Product._meta.concrete_fields
        if field.attname not in {"id", "sku", "name", "created_at", "updated_at"}
    ]
    made = Product.objects.in_bulk([row.pk for row in rows])
    for row, other, values in zip(rows, usual, sent, strict=True):
        product, expected = made[row.pk], Product.objects.get(pk=other.pk)
        assert (product.sku, product.name) == (values["sku"], values["name"])
        assert [getattr(product, name) for name in names] == [
            getattr(expected, name) for name in names
        ]
        assert abs(product.updated_at - timezone.now()) < timedelta(minutes=1)
        assert abs(product.created_at - timezone.now()) < timedelta(minutes=1)


def test_an_error_in_an_outer_transaction_leaves_it_usable(category: Category) -> None:
    add(category)
    with transaction.atomic():
        with pytest.raises(BadRequest):
            ProductSchema[orm.A].model_validate(new(category)).save()
        assert Product.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_async_twins_write_the_same() -> None:
    category = Category.objects.create(name="tools")

    async def write() -> list[Any]:
        made = await ProductSchema[orm.A].model_validate(new(category)).asave()
        patch = ProductSchema[orm.WP].model_validate({"name": "x"})
        patch.pk = made.pk
        await patch.asave()
        await ProductSchema[orm.A].abulk_save([new(category, "B"), new(category, "C")])
        number = await Plain[orm.WP].model_validate({"note": "n"}).acommit(Product.objects.all())
        instance = await ProductSchema.ainit(made.pk)
        row = await instance.aget_instance()
        await sync_to_async(connections.close_all)()
        return [instance.name, number, row.sku]

    assert asyncio.run(write()) == ["x", 3, "A-1"]
    assert set(Product.objects.values_list("note", flat=True)) == {"n"}


def test_upserts_find_what_the_database_takes_for_equal() -> None:
    class Named(orm.Schema[Tag]):
        id: int
        name: str

    Tag.objects.create(name="Red")
    Named[orm.A].bulk_save([{"name": "red"}], upsert_on=["name"])
    # MySQL's usual collations do not tell the two apart.
    expected = ["red"] if connection.vendor == "mysql" else ["Red", "red"]
    assert sorted(Tag.objects.values_list("name", flat=True)) == expected


@pytest.mark.django_db(transaction=True)
def test_upserts_of_the_same_rows_at_once_are_all_done() -> None:
    class Named(orm.Schema[Tag]):
        id: int
        name: str

    if connection.vendor == "sqlite":
        # One writes at a time, and the tests' database is in memory.
        return

    def write(turn: int) -> None:
        rows = [{"name": f"{turn // 8}-{n}"} for n in range(20)]
        try:
            Named[orm.A].bulk_save(rows[:: -1 if turn % 2 else 1], upsert_on=["name"])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert Tag.objects.count() == 100


class RaceCategory(orm.Schema[Category]):
    id: int
    name: str


class RaceProduct(orm.Schema[Product]):
    id: int
    sku: str
    name: str
    price: Decimal
    category: RaceCategory = orm.Field(on_write="create")


def make_late(patch: pytest.MonkeyPatch, model: Any, rows: list[dict[str, Any]]) -> list[Any]:
    """Let another make a row each time that rows of a model are about to be inserted.

    Returns:
        the keys or values that were inserted, a list for each time; filled as it happens.
    """
    late = iter(rows)
    insert = save.insert
    inserted: list[Any] = []

    def make(row: dict[str, Any]) -> None:
        model.objects.create(**row)
        connection.close()

    def insert_late(plan: Any, items: Any, alias: str) -> None:
        if plan.model is model:
            row = next(late, None)
            if row is not None:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(make, row).result()
            inserted.append([item.key or item.values.get("name") for item in items])
        insert(plan, items, alias)

    patch.setattr(save, "insert", insert_late)
    return inserted


@pytest.mark.django_db(transaction=True)
def test_an_upsert_goes_on_as_long_as_others_make_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Named(orm.Schema[Tag]):
        id: int
        name: str

    if connection.vendor == "sqlite":
        # One writes at a time, and the tests' database is in memory.
        return
    names = ["d", "c", "b", "a"]
    inserted = make_late(monkeypatch, Tag, [{"name": name} for name in "abc"])
    saved = Named[orm.A].bulk_save([{"name": name} for name in names], upsert_on=["name"])
    # In an order, whatever was given, so that two do not wait for each other.
    assert inserted == [["a", "b", "c", "d"], ["b", "c", "d"], ["c", "d"], ["d"]]
    assert [item.name for item in saved] == names
    assert {item.pk for item in saved} == set(Tag.objects.values_list("pk", flat=True))
    assert Tag.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_an_upsert_by_the_primary_key_goes_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyed(orm.Schema[Page]):
        key: uuid.UUID
        title: str

    if connection.vendor == "sqlite":
        # One writes at a time, and the tests' database is in memory.
        return
    keys = [uuid.UUID(int=number) for number in (3, 2, 1)]
    others = [{"key": key, "title": "theirs"} for key in (keys[0], keys[1])]
    inserted = make_late(monkeypatch, Page, others)
    rows = [{"key": key, "title": "ours"} for key in keys]
    Keyed[orm.A].bulk_save(rows, upsert_on=["key"])
    assert inserted == [[keys[2], keys[1], keys[0]], [keys[2], keys[1]], [keys[2]]]
    assert set(Page.objects.values_list("key", "title")) == {(key, "ours") for key in keys}


@pytest.mark.django_db(transaction=True)
def test_an_upsert_that_is_tried_again_writes_what_is_nested_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor == "sqlite":
        # One writes at a time, and the tests' database is in memory.
        return
    other = Category.objects.create(name="theirs")
    theirs = {"sku": "B", "name": "theirs", "price": Decimal(1), "category": other}
    make_late(monkeypatch, Product, [theirs])
    rows = [
        {"sku": sku, "name": sku, "price": "2", "category": {"name": sku.lower()}} for sku in "AB"
    ]
    saved = RaceProduct[orm.A].bulk_save(rows, upsert_on=["sku"])
    found = dict(Product.objects.values_list("sku", "category__name"))
    assert found == {"A": "a", "B": "b"}
    assert [item.category.pk for item in saved] == [
        Product.objects.get(sku=sku).category_id for sku in "AB"
    ]
    assert Category.objects.count() == 3


def test_instances_are_told_no_keys_by_what_was_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"sku": "A", "name": "A", "price": "2", "category": {"name": "a"}}
    many = [RaceProduct[orm.A].model_validate(given)]
    one = RaceProduct[orm.A].model_validate({**given, "sku": "B", "name": "B"})

    def refuse(*_: Any, **__: Any) -> None:
        raise BadRequest("no links today")

    with monkeypatch.context() as patch:
        patch.setattr(save, "set_links", refuse)
        # It is the nested rows that are written first, and refused first.
        patch.setattr(save, "write_after", refuse)
        for write in (lambda: RaceProduct[orm.A].bulk_save(many), one.save):
            with pytest.raises(BadRequest):
                write()
    assert not Category.objects.exists()
    insert = save.insert

    def fail(plan: Any, *args: Any) -> None:
        insert(plan, *args)
        if plan.model is Product:
            raise BadRequest("no products today")

    with monkeypatch.context() as patch:
        patch.setattr(save, "insert", fail)
        with pytest.raises(BadRequest, match="no products today"):
            RaceProduct[orm.A].bulk_save(many)
    assert [many[0].pk, many[0].category.pk] == [None, None]
    RaceProduct[orm.A].bulk_save(many)
    one.save()
    found = dict(Product.objects.values_list("sku", "category_id"))
    assert found == {"A": many[0].category.pk, "B": one.category.pk}


@pytest.mark.django_db(transaction=True)
def test_an_upsert_waits_for_a_lock_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Named(orm.Schema[Tag]):
        id: int
        name: str

    waited = []

    def wait(*_: Any) -> None:
        waited.append(True)
        raise busy()

    monkeypatch.setattr(save, "insert", wait)
    monkeypatch.setattr(save, "_SECONDS", 0.0)
    with pytest.raises(ServiceUnavailable):
        Named[orm.A].bulk_save([{"name": "a"}], upsert_on=["name"])
    assert len(waited) == 1
    monkeypatch.setattr(save, "_SECONDS", 60.0)
    monkeypatch.setattr(save, "_PAUSE", 0.0)
    with pytest.raises(ServiceUnavailable):
        Named[orm.A].bulk_save([{"name": "a"}], upsert_on=["name"])
    # What comes at once, as deadlocks do, is tried again, though not for ever.
    assert 5 < len(waited) < 50


@pytest.mark.django_db(transaction=True)
def test_an_upsert_that_cannot_be_is_refused_soon(django_assert_max_num_queries: Any) -> None:
    class Named(orm.Schema[Tag]):
        id: int
        name: str

    with django_assert_max_num_queries(12), pytest.raises(BadRequest) as told:
        Named[orm.A].bulk_save([{"name": "a"}, {"name": "a"}], upsert_on=["name"])
    assert told.value.errors[0]["place"] == "1.name"
    assert not Tag.objects.exists()
