"""What `orm.Schema` reads of the library; run by `tests/orm/test_engines.py`."""

import json
import os
import uuid
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from django.db import connections

from tests.orm.library.models import Author, Book, Country, Genre, Portrait, Review, Work
from utilmeta.core import orm
from utilmeta.core.response.encode import make_encoder
from utilmeta.utils.exceptions import ConfigError

pytestmark = pytest.mark.django_db(databases=["default", "other"])
encode = make_encoder()


class Land(orm.Schema[Country]):
    code: str
    name: str


class Picture(orm.Schema[Portrait]):
    url: str


class Kind(orm.Schema[Genre]):
    name: str


class Opinion(orm.Schema[Review]):
    stars: int


class Writer(orm.Schema[Author]):
    key: uuid.UUID
    name: str
    country: Land | None
    portrait: Picture | None


def make(name: str = "Ann", using: str = "default", **work: Any) -> Book:
    """Return a new book by a new author."""
    author = Author.objects.using(using).create(name=name)
    values = {
        "title": f"{name}'s",
        "isbn": f"isbn-{name}",
        "price": Decimal("12.50"),
        "published": date(2026, 1, 31),
        "reading_time": timedelta(hours=2),
        "pages": 100,
    }
    return Book.objects.using(using).create(author=author, **{**values, **work})


def test_the_engine_is_the_one_asked_for() -> None:
    scheme = os.environ["LIBRARY_DATABASE_URL"].partition(":")[0]
    assert connections["default"].vendor == connections["other"].vendor == scheme


def test_columns_of_all_kinds_keep_their_types() -> None:
    facts = {"texts": ["ä", None, 1.5, {"deep": True}], "empty": []}
    book = make(facts=facts, cover=b"\x00\xff")

    class Columns(orm.Schema[Book]):
        title: str
        price: Decimal
        facts: dict[str, Any]
        published: date
        reading_time: timedelta
        cover: bytes
        pages: int

    read = Columns.init(book.pk)
    assert (read.price, read.published) == (Decimal("12.50"), date(2026, 1, 31))
    assert (read.facts, read.reading_time) == (facts, timedelta(hours=2))
    assert bytes(read.cover) == b"\x00\xff"
    assert read.pages == 100
    assert json.loads(encode(Columns.serialize([book.pk]))) == [
        {
            "title": "Ann's",
            "price": "12.50",
            "facts": facts,
            "published": "2026-01-31",
            "reading_time": "PT7200S",
            "cover": "AP8=",
            "pages": 100,
        }
    ]


def test_values_have_the_type_that_the_schema_declares() -> None:
    class Currency(StrEnum):
        EURO = "€"

    class Typed(orm.Schema[Book]):
        price: float
        title: Currency

    book = make(title="€")
    read = Typed.init(book.pk)
    assert (type(read.price), read.price) == (float, 12.5)
    assert read.title is Currency.EURO
    # The OpenAPI document says that the price is a number.
    assert encode(Typed.serialize([book.pk])) == '[{"price":12.5,"title":"€"}]'.encode()
    assert encode(read) == '{"price":12.5,"title":"€"}'.encode()


def test_uuid_and_text_keys_keep_the_order_asked_for() -> None:
    authors = [make(name).author for name in "cab"]
    keys = [author.key for author in authors]
    assert [row.key for row in Writer.serialize(keys)] == keys
    assert [row.key for row in Writer.serialize([str(key) for key in keys])] == keys
    assert [row.key for row in Writer.serialize([uuid.uuid4(), *reversed(keys)])] == keys[::-1]
    assert Writer.init(keys[1]).name == "a"
    for code in ("FR", "DE", "中"):
        Country.objects.create(code=code, name=code)
    assert [row.code for row in Land.serialize(["中", "DE", "XX", "FR"])] == ["中", "DE", "FR"]
    for source in (uuid.uuid4(), "no-uuid"):
        with pytest.raises(orm.EmptyQueryset):
            Writer.init(source)


def test_single_relations_are_none_when_absent(django_assert_num_queries: Any) -> None:
    author = make().author
    with django_assert_num_queries(1):
        read = Writer.init(author)
    assert (read.country, read.portrait) == (None, None)
    author.country = Country.objects.create(code="FR", name="France")
    author.save()
    Portrait.objects.create(author=author, url="/ann.png")
    with django_assert_num_queries(Writer.plan().queries):
        read = Writer.init(author)
    assert read.country == Land(code="FR", name="France")
    assert read.portrait == Picture(url="/ann.png")


def test_single_relations_are_followed_in_both_directions() -> None:
    first = make("first")
    second = make("second", sequel_of=first)

    class Short(orm.Schema[Work]):
        title: str

    class Linked(orm.Schema[Work]):
        sequel_of: Short | None
        sequel: Short | None
        isbn: str | None = orm.Field("sequel.isbn")
        url: str | None = orm.Field("author.portrait.url")

    before, after = Linked.serialize([first.pk, second.pk])
    assert (before.sequel_of, after.sequel) == (None, None)
    assert before.sequel == Short(title="second's")
    assert after.sequel_of == Short(title="first's")
    assert (before.isbn, after.isbn, before.url) == ("isbn-second", None, None)


def test_a_key_to_another_column_finds_its_rows() -> None:
    first, second = make("first"), make("second")
    for stars, work in ((5, first), (3, second), (4, first)):
        Review.objects.create(work=work, stars=stars)

    class Reviewed(orm.Schema[Work]):
        isbn: str
        reviews: list[Opinion]
        stars: list[int] = orm.Field("reviews.stars")

    rows = Reviewed.serialize(Work.objects.order_by("pk"))
    assert [row.stars for row in rows] == [[5, 4], [3]]
    assert [[item.stars for item in row.reviews] for row in rows] == [[5, 4], [3]]


def test_the_key_of_a_relation_to_another_column_is_that_column() -> None:
    Review.objects.create(work=make("first"), stars=5)

    class Keyed(orm.Schema[Review]):
        work_id: str
        title: str = orm.Field("work.title")

    read = Keyed.init(Review.objects.get())
    assert (read.work_id, read.title) == ("isbn-first", "first's")


def test_a_child_of_another_model_has_its_columns_and_relations() -> None:
    book = make("first")
    book.genres.set([Genre.objects.create(name=name) for name in ("a", "c", "b")])
    Review.objects.create(work=book, stars=2)

    class Whole(orm.Schema[Book]):
        title: str
        pages: int
        genres: list[str] = orm.Field("genres.name")
        stars: list[int] = orm.Field("reviews.stars")
        author: Writer

    read = Whole.init(book.pk)
    assert (read.title, read.pages, read.author.name) == ("first's", 100, "first")
    assert read.genres == ["c", "b", "a"]
    assert read.stars == [2]


def test_a_schema_of_the_parent_reads_children() -> None:
    class Short(orm.Schema[Work]):
        title: str

    book = make("first")
    assert Short.init(Book.objects.all()).title == "first's"
    assert [row.title for row in Short.serialize([book])] == ["first's"]


def test_a_relation_without_a_related_name_goes_by_both_of_its_names() -> None:
    class Listed(orm.Schema[Author]):
        by_name: list[str] = orm.Field("work.title")
        by_accessor: list[str] = orm.Field("work_set.title")

    author = make("first").author
    read = Listed.init(author)
    assert read.by_name == read.by_accessor == ["first's"]


def test_a_symmetric_relation_is_read_from_both_ends() -> None:
    class Friendly(orm.Schema[Author]):
        friends: list[str] = orm.Field("friends.name")

    ann, bob, eve = (make(name).author for name in ("ann", "bob", "eve"))
    ann.friends.add(eve, bob)
    rows = Friendly.serialize([ann, bob, eve])
    assert [row.friends for row in rows] == [["bob", "eve"], ["ann"], ["ann"]]


def test_rows_that_the_models_manager_hides_stay_hidden() -> None:
    book = make("first")
    shown = Genre.objects.create(name="shown")
    hidden = Genre.everything.create(name="hidden", hidden=True)
    book.genres.set([shown, hidden])
    assert [item.name for item in Book.objects.get().genres.all()] == ["shown"]

    class Tagged(orm.Schema[Work]):
        genres: list[Kind]
        names: list[str] = orm.Field("genres.name")
        keys: list[int] = orm.Field("genres")

    read = Tagged.init(book.pk)
    assert [item.name for item in read.genres] == ["shown"]
    assert read.names == ["shown"]
    assert read.keys == [shown.pk]
    with pytest.raises(orm.EmptyQueryset):
        Kind.init(hidden.pk)


def test_rows_and_their_relations_come_from_the_database_asked_for() -> None:
    here = make("here")
    there = make("there", using="other", pk=here.pk)
    genres = [
        Genre.everything.using(alias).create(pk=1, name=f"genre {alias}")
        for alias in ("default", "other")
    ]
    here.genres.add(genres[0])
    there.genres.add(genres[1])
    Review.objects.using("other").create(work=there, stars=1)

    class Whole(orm.Schema[Book]):
        title: str
        author: Writer
        genres: list[Kind]

    read = Whole.init(Book.objects.using("other"))
    assert (read.title, read.author.name) == ("there's", "there")
    assert [item.name for item in read.genres] == ["genre other"]
    rows = Whole.serialize(Book.objects.using("other").order_by("pk"))
    assert rows == [read]
    read = Whole.init(here.pk)
    assert (read.title, [item.name for item in read.genres]) == ("here's", ["genre default"])


def test_an_instance_is_read_from_the_database_it_came_from() -> None:
    here = make("here")
    there = make("there", using="other", pk=here.pk)

    class Short(orm.Schema[Book]):
        title: str

    assert Short.init(there).title == "there's"
    assert [row.title for row in Short.serialize([there])] == ["there's"]
    assert Short.init(here).title == "here's"


def test_a_reverse_one_to_one_relation_is_no_list() -> None:
    class Wrong(orm.Schema[Author]):
        portrait: list[Picture]

    with pytest.raises(ConfigError, match=r"Wrong\.portrait.*leads to one row"):
        Wrong.plan()
