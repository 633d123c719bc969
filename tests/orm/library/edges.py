"""Corners of reading that were wrong once; run by `tests/orm/test_engines.py`."""

import json
import uuid
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from django.db import models
from django.db.models import Case, Count, F, OuterRef, Value, When

from tests.orm.library.models import (
    Author,
    Country,
    Drawer,
    Genre,
    Label,
    Placement,
    Shelf,
    Slot,
    Sticker,
    Work,
)
from tests.orm.library.reading import Land, make
from utilmeta.core import orm
from utilmeta.core.orm.scopes import parse_scope
from utilmeta.core.response.encode import make_encoder
from utilmeta.utils.exceptions import ConfigError

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


def test_a_slice_by_a_relation_has_the_order_of_that_relations_model() -> None:
    class Filed(orm.Schema[Genre]):
        whole: list[str] = orm.Field("work_set.title", queryset=Work.objects.order_by("-author"))
        first: list[str] = orm.Field(
            "work_set.title", queryset=Work.objects.order_by("-author")[:1]
        )

    genre = Genre.objects.create(name="all")
    for number, name in enumerate("zab"):
        author = Author.objects.create(key=uuid.UUID(int=number), name=name)
        make(f"x{name}", title=name).genres.add(genre)
        Work.objects.filter(title=name).update(author=author)
    found = Filed.init(genre.pk)
    assert (found.whole, found.first) == (["z", "b", "a"], ["z"])


def test_conditions_order_a_many_to_many_list() -> None:
    order = Case(When(name="b", then=Value(0)), default=Value(1))

    class Listed(orm.Schema[Work]):
        genres: list[str] = orm.Field("genres.name", queryset=Genre.objects.order_by(order))

    work = make("ann")
    work.genres.set([Genre.objects.create(name=name) for name in "abc"])
    assert Listed.init(work.pk).genres == ["b", "a", "c"]


def test_what_a_many_to_many_list_cannot_be_ordered_by_is_refused() -> None:
    class Listed(orm.Schema[Work]):
        genres: list[str] = orm.Field(
            "genres.name", queryset=Genre.objects.annotate(number=Count("work")).order_by("-number")
        )

    with pytest.raises(ConfigError, match=r"Listed\.genres.*'number' is no column"):
        Listed.plan()


def test_combined_querysets_are_refused() -> None:
    both = Work.objects.filter(title="a").union(Work.objects.filter(title="b"))

    class Writing(orm.Schema[Author]):
        work_set: list[str] = orm.Field("work_set.title", queryset=both)

    with pytest.raises(ConfigError, match=r"Writing\.work_set.*union"):
        Writing.plan()


def test_a_slice_of_distinct_rows_counts_each_once() -> None:
    many = Work.objects.filter(genres__name__in="abc").distinct()

    class Writing(orm.Schema[Author]):
        work_set: list[str] = orm.Field("work_set.title", queryset=many[:2])

    work = make("ann")
    work.genres.set([Genre.objects.create(name=name) for name in "abc"])
    second = make("bob")
    Work.objects.filter(pk=second.pk).update(author=work.author)
    second.genres.set(Genre.objects.all())
    assert Writing.init(work.author).work_set == ["ann's", "bob's"]


class Node(orm.Schema[Shelf]):
    """A tree, up and down."""

    name: str
    parent: "Node | None"
    children: "list[Node]"


@pytest.mark.parametrize(
    "scope", ["children(parent(name))", "children(parent)", "children(parent(name,children))"]
)
def test_a_row_is_not_inside_of_itself_whatever_the_scope(scope: str) -> None:
    top = Shelf.objects.create(name="top", kind="w")
    Shelf.objects.create(name="below", kind="w", parent=top)
    context = orm.QueryContext(scope=parse_scope([scope]))
    assert read(Node.serialize([top], context)) == [{"children": [{"parent": None}]}]


class Person(orm.Schema[Author]):
    """An author, whose shelves hold authors."""

    name: str
    shelves: "list[Held]"


class Held(orm.Schema[Shelf]):
    """A shelf of authors."""

    name: str
    authors: "list[Person]"


def test_schemas_that_nest_each_other_show_no_row_of_either_inside_of_itself() -> None:
    ann, bob = make("ann").author, make("bob").author
    for name in "xy":
        shelf = Shelf.objects.create(name=name, kind="w")
        for author in (ann, bob):
            Placement.objects.create(shelf=shelf, author=author, position=1)

    def inner(name: str) -> Any:
        return [{"name": "bob", "shelves": [{"name": name, "authors": []}]}]

    assert read(Person.serialize([ann])) == [
        {
            "name": "ann",
            "shelves": [
                {"name": "x", "authors": inner("y")},
                {"name": "y", "authors": inner("x")},
            ],
        }
    ]


class Outer(orm.Schema[Work]):
    """Nests what is declared later."""

    author: "Middle"


class Middle(orm.Schema[Author]):
    """Nests what is declared later, too."""

    work_set: "list[Inner]"


class Inner(orm.Schema[Work]):
    """Declared last."""

    title: str


def test_schemas_declared_later_are_found_at_every_level() -> None:
    make("ann")
    expected = {"author": {"work_set": [{"title": "ann's"}]}}
    assert read(Outer.serialize(Work.objects.all())) == [expected]
    context = orm.QueryContext(scope=parse_scope(["author(work_set(title))"]))
    assert read(Outer.serialize(Work.objects.all(), context)) == [expected]


class Chained(orm.Schema[Author]):
    """Nests the next row of its own model."""

    name: str
    following: "Chained | None" = orm.Field(
        Author.objects.filter(name__gt=OuterRef("name")).order_by("name")
    )


def test_a_queryset_may_lead_to_the_next_row_of_the_same_schema() -> None:
    for name in ("ann", "bob", "eve"):
        make(name)
    eve = {"name": "eve", "following": None}
    rows = Chained.serialize(Author.objects.filter(name="ann"))
    assert read(rows) == [{"name": "ann", "following": {"name": "bob", "following": eve}}]


def test_a_slice_may_hold_the_column_that_it_is_gathered_by() -> None:
    class Below(orm.Schema[Shelf]):
        name: str
        parent_id: int | None
        up: str | None = orm.Field("parent.name")

    class Top(orm.Schema[Shelf]):
        children: list[Below] = orm.Field(queryset=Shelf.objects.order_by("-name")[1:3])

    top = Shelf.objects.create(name="top", kind="w")
    for name in "abcd":
        Shelf.objects.create(name=name, kind="w", parent=top)
    assert read(Top.serialize([top])) == [
        {"children": [{"name": name, "parent_id": top.pk, "up": "top"} for name in "cb"]}
    ]


def test_rows_of_a_function_are_not_inside_of_themselves() -> None:
    ann, bob = make("ann").author, make("bob").author

    class Named(orm.Schema[Author]):
        name: str
        others: "list[Named]" = orm.Field(
            lambda *keys: {key: [ann.pk, str(bob.pk), bob, "none"] for key in keys}
        )

    inner = {"name": "bob", "others": []}
    assert read(Named.serialize([ann])) == [{"name": "ann", "others": [inner, inner]}]


def test_a_scope_reaches_into_the_rows_of_a_function(django_assert_num_queries: Any) -> None:
    work = make("ann")

    class Written(orm.Schema[Work]):
        title: str
        isbn: str
        genres: list[str] = orm.Field("genres.name")

    class Writing(orm.Schema[Author]):
        works: list[Written] = orm.Field(lambda *keys: {key: [work.pk] for key in keys})
        again: list[Written] = orm.Field(lambda *keys: {key: [work.pk] for key in keys})

    context = orm.QueryContext(scope=parse_scope(["works(title)"]))
    assert read(Writing.serialize([work.author], context)) == [{"works": [{"title": "ann's"}]}]
    assert Writing.plan().queries == 5
    with django_assert_num_queries(5):
        Writing.serialize([work.author])


def test_a_reversed_queryset_is_read_in_reverse() -> None:
    class Listed(orm.Schema[Author]):
        owned: list[str] = orm.Field("owned.name", queryset=Shelf.objects.reverse())
        last: list[str] = orm.Field(
            "owned.name", queryset=Shelf.objects.order_by("name").reverse()[:1]
        )
        shelves: list[str] = orm.Field(
            "shelves.name", queryset=Shelf.objects.order_by("name").reverse()
        )

    author = make("ann").author
    for place, name in enumerate("acb"):
        shelf = Shelf.objects.create(name=name, kind="w", place=place, owner=author)
        Placement.objects.create(shelf=shelf, author=author, position=1)
    found = Listed.init(author)
    assert found.owned == [shelf.name for shelf in author.owned.reverse()] == ["a", "c", "b"]
    assert (found.last, found.shelves) == (["c"], ["c", "b", "a"])


@pytest.mark.parametrize(
    "key", [Decimal("1.5"), Decimal(1), 1.0, True, None, "x", "1_0", b"1", [1], {}, 10**30]
)
def test_what_cannot_be_a_number_key_finds_nothing(key: Any) -> None:
    Shelf.objects.create(pk=1, name="a", kind="w")
    Shelf.objects.create(pk=10, name="b", kind="w")

    class Short(orm.Schema[Shelf]):
        name: str

    assert len(Short.serialize([key])) == 0
    assert len(Short.serialize(["1", 10])) == 2


@pytest.mark.parametrize("key", ["\ud800", "\0", "x" * 300, b"FR", 5])
def test_what_cannot_be_a_text_key_finds_nothing(key: Any) -> None:
    Country.objects.create(code="FR", name="France")
    assert len(Land.serialize([key])) == 0


def test_hidden_rows_are_only_hidden_from_lists_of_a_relation() -> None:
    class Above(orm.Schema[Drawer]):
        name: str
        inside: "Above | None"

    class Listed(orm.Schema[Drawer]):
        names: list[str] = orm.Field("drawers.name")

    top = Drawer.everything.create(name="top", hidden=True)
    middle = Drawer.everything.create(name="middle", hidden=True, inside=top)
    low = Drawer.everything.create(name="low", inside=middle)
    found = {"name": "top", "inside": None}
    assert read(Above.serialize([low])) == [
        {"name": "low", "inside": {"name": "middle", "inside": found}}
    ]
    rows = Listed.serialize(Drawer.everything.order_by("pk"))
    assert [row.names for row in rows] == [[], ["low"], []]


def test_a_many_to_many_relation_goes_by_the_columns_its_table_points_at() -> None:
    class Listed(orm.Schema[Drawer]):
        labels: list[str] = orm.Field("labels.text")
        queried: list[str] = orm.Field("labels.text", queryset=Label.objects.order_by("-text"))
        first: list[str] = orm.Field("labels.text", queryset=Label.objects.order_by("-text")[:1])

    drawer = Drawer.everything.create(name="a")
    labels = [Label.objects.create(text=text) for text in "xyz"]
    for label in (*labels, None):
        Sticker.everything.create(drawer=drawer, label=label, hidden=label is labels[0])
    found = Listed.init(drawer)
    assert found.labels == [label.text for label in drawer.labels.order_by("pk")] == ["x", "y", "z"]
    assert (found.queried, found.first) == (["z", "y", "x"], ["z"])


@pytest.mark.parametrize(
    "expression",
    [
        F("reviews__stars"),
        F("reviews__stars") + 1,
        Case(When(genres__name="a", then=Value(1)), default=Value(0)),
        models.ExpressionWrapper(models.Q(genres=1), models.BooleanField()),
    ],
)
def test_expressions_that_would_repeat_rows_are_refused(expression: Any) -> None:
    class Rated(orm.Schema[Work]):
        stars: int = orm.Field(expression)

    with pytest.raises(ConfigError, match=r"Rated\.stars.*leads to many rows"):
        Rated.plan()


def test_two_fields_of_one_name_are_refused() -> None:
    class Named(orm.Schema[Work]):
        title: str = orm.Field(alias="name")
        isbn: str = orm.Field(alias="name")

    with pytest.raises(ConfigError, match=r"Named\.isbn: another field is called 'name'"):
        Named.plan()


def test_a_slice_may_be_of_random_rows() -> None:
    class Listed(orm.Schema[Shelf]):
        children: list[str] = orm.Field("children.name", queryset=Shelf.objects.order_by("?")[:2])
        authors: list[str] = orm.Field("authors.name", queryset=Author.objects.order_by("?")[:2])

    top = Shelf.objects.create(name="top", kind="w")
    for name in "abc":
        Shelf.objects.create(name=name, kind="w", parent=top)
        Placement.objects.create(shelf=top, author=make(name).author, position=1)
    found = Listed.init(top)
    for names in (found.children, found.authors):
        assert len(names) == len(set(names) & set("abc")) == 2


def test_keys_of_two_columns_are_read_and_not_sliced() -> None:
    class Placed(orm.Schema[Slot]):
        pk: tuple[int, int]
        name: str

    class Filled(orm.Schema[Drawer]):
        slots: list[Placed]

    class First(orm.Schema[Drawer]):
        slots: list[Placed] = orm.Field(queryset=Slot.objects.all()[:1])

    drawer = Drawer.everything.create(name="a")
    for column, name in ((2, "x"), (3, "y"), (1, "y")):
        Slot.objects.create(row=1, column=column, name=name, drawer=drawer)
    found = Filled.init(drawer)
    assert [slot.pk for slot in found.slots] == [(1, 1), (1, 2), (1, 3)]
    rows = Placed.serialize([(1, 3), [1, 1], (9, 9), (1,), "x", 5, (1, "x")])
    assert rows.keys == [(1, 3), (1, 1)]
    with pytest.raises(ConfigError, match=r"First\.slots.*several columns"):
        First.plan()


def test_private_attributes_of_schemas_have_their_defaults() -> None:
    class Kept(orm.Schema[Shelf]):
        name: str
        _seen: list[str] = pydantic.PrivateAttr(default_factory=list)
        _number: int = 5

    class Begun(Kept):
        def model_post_init(self, _context: Any) -> None:
            self._seen.append(self.name)

    shelf = Shelf.objects.create(name="a", kind="w")
    found = Kept.init(shelf)
    assert (found._seen, found._number, found.pk) == ([], 5, shelf.pk)
    begun = Begun.init(shelf)
    assert (begun._seen, begun._number, begun.pk) == (["a"], 5, shelf.pk)
