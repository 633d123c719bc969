"""Random schemas over random rows, read as plainly as Python can; run by `test_engines.py`."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models, transaction
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Length
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orm.library.models import (
    Author,
    Book,
    Country,
    Genre,
    Placement,
    Portrait,
    Review,
    Shelf,
    Work,
)
from utilmeta.core import orm
from utilmeta.core.orm.relations import total_order
from utilmeta.core.orm.scopes import Scope
from utilmeta.core.response.encode import make_encoder

pytestmark = pytest.mark.django_db
encode = make_encoder()

Model = type[models.Model]

# -- what the models hold -------------------------------------------------------------------------

WORK_COLUMNS = {"id": int, "title": str, "isbn": str, "price": Decimal, "author_id": uuid.UUID}
COLUMNS: dict[Model, dict[str, Any]] = {
    Country: {"code": str, "name": str},
    Author: {"key": uuid.UUID, "name": str, "country_id": str | None},
    Portrait: {"id": int, "url": str},
    Genre: {"id": int, "name": str, "hidden": bool},
    Work: {**WORK_COLUMNS, "published": date, "reading_time": timedelta, "facts": dict[str, Any]},
    Book: {**WORK_COLUMNS, "pages": int},
    Review: {"id": int, "stars": int, "work_id": str},
    Shelf: {"id": int, "name": str, "kind": str, "place": int | None},
    Placement: {"id": int, "position": int},
}
# Relations to one row: where they lead, and whether there may be none.
WORK_SINGLES: dict[str, tuple[Model, bool]] = {
    "author": (Author, False),
    "sequel_of": (Work, True),
    "sequel": (Work, True),
}
SINGLES: dict[Model, dict[str, tuple[Model, bool]]] = {
    Country: {},
    Author: {"country": (Country, True), "portrait": (Portrait, True)},
    Portrait: {"author": (Author, False)},
    Genre: {},
    Work: {**WORK_SINGLES, "book": (Book, True)},
    Book: WORK_SINGLES,
    Review: {"work": (Work, False)},
    Shelf: {"parent": (Shelf, True), "owner": (Author, True)},
    Placement: {"shelf": (Shelf, False), "author": (Author, False)},
}
MANY: dict[Model, dict[str, Model]] = {
    Country: {"authors": Author},
    Author: {"friends": Author, "work_set": Work, "shelves": Shelf, "owned": Shelf},
    Portrait: {},
    Genre: {"work_set": Work},
    Work: {"genres": Genre, "reviews": Review},
    Book: {"genres": Genre, "reviews": Review},
    Review: {},
    Shelf: {"children": Shelf, "authors": Author, "placements": Placement},
    Placement: {},
}
# Expressions: their type, and what they are of a row.
Expression = tuple[Any, Callable[[], Any], Callable[[Any], Any]]
EXPRESSIONS: dict[Model, list[Expression]] = {
    Country: [(int, lambda: Count("authors"), lambda row: row.authors.count())],
    Author: [
        (int, lambda: Count("work"), lambda row: row.work_set.count()),
        (int, lambda: Count("friends"), lambda row: row.friends.count()),
        (int, lambda: Count("shelves"), lambda row: row.shelves.count()),
        (
            int,
            lambda: Count("work", filter=Q(work__title="a")),
            lambda row: row.work_set.filter(title="a").count(),
        ),
        (
            Decimal | None,
            lambda: Sum("work__price"),
            lambda row: sum((work.price for work in row.work_set.all()), Decimal()) or None,
        ),
        (
            bool,
            lambda: Exists(Work.objects.filter(author=OuterRef("pk"))),
            lambda row: row.work_set.exists(),
        ),
        (
            str,
            lambda: Case(When(name="a", then=Value("yes")), default=Value("no")),
            lambda row: "yes" if row.name == "a" else "no",
        ),
        (int, lambda: Length("name"), lambda row: len(row.name)),
    ],
    Work: [
        (int, lambda: Count("reviews"), lambda row: row.reviews.count()),
        (
            int | None,
            lambda: Max("reviews__stars"),
            lambda row: max((review.stars for review in row.reviews.all()), default=None),
        ),
        (
            str | None,
            lambda: Author.objects.filter(key=OuterRef("author_id"), country__isnull=False).values(
                "country__name"
            ),
            lambda row: row.author.country and row.author.country.name,
        ),
    ],
    Book: [(int, lambda: F("pages") + 1, lambda row: row.pages + 1)],
    Shelf: [
        (int, lambda: Count("children"), lambda row: row.children.count()),
        (int, lambda: Count("placements"), lambda row: row.placements.count()),
        (
            int | None,
            lambda: Sum("placements__position"),
            lambda row: (
                sum(p.position for p in row.placements.all()) if row.placements.all() else None
            ),
        ),
    ],
}
# Querysets of related rows: conditions and order.
QUERYSETS: dict[Model, list[tuple[dict[str, Any], list[Any]]]] = {
    Author: [({}, ["-name"]), ({"country__isnull": False}, []), ({}, ["country__name", "-key"])],
    Work: [
        ({}, ["-price"]),
        ({"price__gt": 1}, ["title"]),
        ({}, ["-author"]),
        ({}, ["author__name"]),
    ],
    Genre: [({}, ["name"]), ({"name": "a"}, [])],
    Review: [({"stars__gte": 2}, ["-stars"]), ({}, ["work__title"])],
    Shelf: [
        ({}, []),
        ({}, ["kind"]),
        ({}, [F("place").asc(nulls_first=True)]),
        ({"place__isnull": True}, ["-name"]),
        ({}, ["owner"]),
        ({}, ["-parent"]),
    ],
    Placement: [({}, ["-position"]), ({"position__lt": 2}, []), ({}, ["shelf"])],
}

# -- rows -----------------------------------------------------------------------------------------

texts = st.sampled_from(["a", "b", "B", "", "中", "é", "😀", "a b"])
numbers = st.integers(0, 3)


places = st.integers(0, 9)


@dataclass
class Library:
    """What the tables hold; numbers are places in the lists, from the start again beyond the end.

    Attributes:
        countries: how many.
        authors: name and country.
        friends: two authors.
        pictured: authors with a portrait.
        works: title, author, price and whether it is a book.
        genres: name, and whether it is hidden.
        tagged: work and genre.
        sequels: for works, what they are sequels of; each work has at most one.
        reviews: work and stars.
        shelves: name, kind, place and owner.
        parents: shelf and its parent.
        placed: shelf, author and position.
    """

    countries: int
    authors: list[tuple[str, int | None]]
    friends: list[tuple[int, int]]
    pictured: set[int]
    works: list[tuple[str, int, int, bool]]
    genres: list[tuple[str, bool]]
    tagged: list[tuple[int, int]]
    sequels: dict[int, int]
    reviews: list[tuple[int, int]]
    shelves: list[tuple[str, str, int | None, int | None]]
    parents: list[tuple[int, int]]
    placed: list[tuple[int, int, int]]

    def fill(self) -> None:
        """Make the rows."""
        lands = [Country.objects.create(code=f"c{i}", name=str(i)) for i in range(self.countries)]
        people = [
            Author.objects.create(
                key=uuid.UUID(int=(7 * index) % 5 + 1), name=name, country=_one_of(lands, at)
            )
            for index, (name, at) in enumerate(self.authors)
        ]
        if people:
            self._fill_people(people)
            self._fill_works(people)
        self._fill_shelves(people)

    def _fill_people(self, people: list[Author]) -> None:
        for one, other in self.friends:
            _one_of(people, one).friends.add(_one_of(people, other))
        for index in {at % len(people) for at in self.pictured}:
            Portrait.objects.create(author=people[index], url=f"/{index}")

    def _fill_works(self, people: list[Author]) -> None:
        works = [
            (Book if is_book else Work).objects.create(
                title=title,
                isbn=f"i{9 - index}",
                author=_one_of(people, author),
                price=Decimal(price) + Decimal("0.25"),
                facts={"n": [price, None]},
                published=date(2026, 1, 1 + price),
                reading_time=timedelta(hours=price),
                **({"pages": price} if is_book else {}),
            )
            for index, (title, author, price, is_book) in enumerate(self.works)
        ]
        kinds = [Genre.everything.create(name=name, hidden=hidden) for name, hidden in self.genres]
        for work, kind in self.tagged if works and kinds else ():
            _one_of(works, work).genres.add(_one_of(kinds, kind))
        for work, stars in self.reviews if works else ():
            Review.objects.create(work_id=_one_of(works, work).isbn, stars=stars)
        for before, after in self.sequels.items():
            if max(before, after) < len(works):
                Work.objects.filter(pk=works[after].pk).update(sequel_of=works[before])

    def _fill_shelves(self, people: list[Author]) -> None:
        racks = [
            Shelf.objects.create(name=name, kind=kind, place=place, owner=_one_of(people, owner))
            for name, kind, place, owner in self.shelves
        ]
        for low, high in self.parents if racks else ():
            rack = _one_of(racks, low)
            rack.parent = _one_of(racks, high)
            rack.save()
        for low, author, position in self.placed if racks and people else ():
            Placement.objects.create(
                shelf=_one_of(racks, low), author=_one_of(people, author), position=position
            )


def _one_of(rows: list[Any], at: int | None) -> Any:
    return None if at is None or not rows else rows[at % len(rows)]


def libraries_of(least: int) -> st.SearchStrategy[Library]:
    """Return libraries with at least so many rows of most tables."""
    return st.builds(
        Library,
        countries=st.integers(min(least, 2), 2),
        authors=st.lists(st.tuples(texts, st.none() | places), min_size=least, max_size=4),
        friends=st.lists(st.tuples(places, places), min_size=least, max_size=5),
        pictured=st.sets(places, max_size=3),
        works=st.lists(
            st.tuples(texts, places, numbers, st.booleans()), min_size=least, max_size=4
        ),
        genres=st.lists(st.tuples(texts, st.booleans()), max_size=3),
        tagged=st.lists(st.tuples(places, places), max_size=6),
        sequels=st.dictionaries(numbers, numbers, max_size=2),
        reviews=st.lists(st.tuples(places, numbers), min_size=least, max_size=5),
        shelves=st.lists(
            st.tuples(texts, st.sampled_from("ws"), st.none() | numbers, st.none() | places),
            min_size=least,
            max_size=5,
        ),
        parents=st.lists(st.tuples(places, places), min_size=least, max_size=5),
        placed=st.lists(st.tuples(places, places, numbers), min_size=least, max_size=6),
    )


libraries = libraries_of(3) | libraries_of(3) | libraries_of(0)


# -- schemas --------------------------------------------------------------------------------------

NAMES = count()


@dataclass
class Shape:
    """A schema, and how Python reads it.

    Attributes:
        model: the model.
        name: the class's name.
        members: the fields.
        loops: whether it nests itself.
        schema: the class.
    """

    model: Model
    name: str
    members: "list[Member]" = field(default_factory=list)
    loops: bool = False
    schema: Any = None

    def __repr__(self) -> str:
        """Return what hypothesis prints of a failing case."""
        shown = [(item.name, item.annotation, item.value, item.inner) for item in self.members]
        return f"{self.name} of {self.model.__name__}: {shown}" if self.schema else self.name

    def read(self, row: Any, seen: "Seen", place: str, above: frozenset[Any]) -> dict[str, Any]:
        """Return the values of a row by the fields' names."""
        above |= {(self.name, row.pk)}
        if any(member.kind == "property" for member in self.members):
            seen.statements.add(f"{place}:properties")
        return {
            member.name: member.read(row, seen, f"{place}.{member.name}", above)
            for member in self.members
        }


@dataclass
class Seen:
    """What was met while reading.

    Attributes:
        statements: places where a statement is needed.
    """

    statements: set[str] = field(default_factory=set)


@dataclass
class Member:
    """A field of a schema.

    Attributes:
        name: its name.
        kind: what it is.
        annotation: its type; text for the schema itself.
        value: what `orm.Field` gives.
        read: its value, of a row.
        alias: its name in JSON.
        hidden: whether answers leave it out.
        inner: the shape nested in it.
    """

    name: str
    kind: str
    annotation: Any
    value: dict[str, Any]
    read: Callable[[Any, Seen, str, frozenset[Any]], Any]
    alias: str | None = None
    hidden: bool = False
    inner: Shape | None = None


def follow(row: Any, path: list[str]) -> Any:
    """Return what single relations and a column lead to, None where one leads nowhere."""
    for name in path:
        if row is None:
            return None
        try:
            row = getattr(row, name)
        except ObjectDoesNotExist:
            return None
    return row


def related(row: Any, name: str, queryset: Any) -> list[Any]:
    """Return the related rows of one row."""
    found = getattr(row, name).all()
    model = found.model
    where, order, low, high = queryset or ({}, [], 0, None)
    order = list(order or model._meta.ordering or ["pk"])
    return list(found.filter(**where).order_by(*order, "pk")[low:high])


def kinds_of(model: Model, depth: int) -> list[str]:
    """Return the kinds of fields that a model can have, the frequent ones twice."""
    kinds = ["column", "column", "path", "values"]
    if model in EXPRESSIONS:
        kinds += ["expression", "expression"]
    if model is Shelf:
        kinds.append("property")
    if not depth:
        return kinds
    kinds.append("function")
    if MANY[model]:
        kinds += ["many", "many"]
    if SINGLES[model]:
        kinds += ["single", "single"]
    return [*kinds, "loop"] if model in (Shelf, Author) else kinds


@st.composite
def shapes(draw: st.DrawFn, model: Model, depth: int) -> Shape:
    """Draw a schema of a model."""
    shape = Shape(model, f"S{next(NAMES)}")
    kinds = kinds_of(model, depth)
    for index, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))):
        maker = MAKERS[kind]
        member = draw(maker(shape, f"f{index}", depth))
        if member is None:
            continue
        if draw(st.integers(0, 5)) == 0:
            member.alias = f"@{member.name}"
        if draw(st.integers(0, 7)) == 0:
            member.hidden = True
        shape.members.append(member)
    if not shape.members:
        shape.members.append(draw(columns(shape, "only", depth)))
    make_schema(shape)
    return shape


def make_schema(shape: Shape) -> None:
    """Make the class of a shape."""
    space: dict[str, Any] = {"__module__": __name__, "__qualname__": shape.name}
    space["__annotations__"] = {member.name: member.annotation for member in shape.members}
    for member in shape.members:
        options = {"alias": member.alias, "no_output": member.hidden, **member.value}
        space[member.name] = orm.Field(**options)
    base: Any = orm.Schema[shape.model]
    shape.schema = type(orm.Schema)(shape.name, (base,), space)


@st.composite
def columns(draw: st.DrawFn, shape: Shape, name: str, _depth: int) -> Member:
    column = draw(st.sampled_from(sorted(COLUMNS[shape.model])))
    kind = COLUMNS[shape.model][column]
    return Member(name, "column", kind, {"source": column}, lambda row, *_: getattr(row, column))


@st.composite
def steps(draw: st.DrawFn, model: Model, most: int) -> tuple[list[str], Model, bool]:
    """Draw single relations: their names, where they lead, whether to nothing."""
    path: list[str] = []
    nullable = False
    for _ in range(draw(st.integers(0, most))):
        if not SINGLES[model]:
            break
        name = draw(st.sampled_from(sorted(SINGLES[model])))
        model, may_be_none = SINGLES[model][name]
        nullable = nullable or may_be_none
        path.append(name)
    return path, model, nullable


@st.composite
def paths(draw: st.DrawFn, shape: Shape, name: str, _depth: int) -> Member:
    path, model, nullable = draw(steps(shape.model, 3))
    column = draw(st.sampled_from(sorted(COLUMNS[model])))
    kind = COLUMNS[model][column]
    whole = [*path, column]
    return Member(
        name,
        "path",
        kind | None if nullable else kind,
        {"source": ".".join(whole)},
        lambda row, *_: follow(row, whole),
    )


def sliced(draw: st.DrawFn, model: Model) -> tuple[dict[str, Any], Any]:
    """Draw a queryset of related rows: the option, and how Python says it."""
    if model not in QUERYSETS or draw(st.booleans()):
        return {}, None
    where, order = draw(st.sampled_from(QUERYSETS[model]))
    low, high = draw(st.sampled_from([(0, None), (0, None), (0, 1), (1, 3), (1, None), (0, 2)]))
    queryset = model._default_manager.filter(**where)
    if order:
        queryset = queryset.order_by(*order)
    return {"queryset": queryset[low:high]}, (where, order, low, high)


@st.composite
def values(draw: st.DrawFn, shape: Shape, name: str, _depth: int) -> Member | None:
    """Draw a list of keys or of plain values."""
    before, model, _ = draw(steps(shape.model, 2))
    if not MANY[model]:
        return None
    many = draw(st.sampled_from(sorted(MANY[model])))
    target = MANY[model][many]
    option, how = ({}, None) if before else sliced(draw, target)
    after, last, nullable = draw(steps(target, 1))
    tail: list[str] = []
    kind: Any = COLUMNS[target][target._meta.pk.name]
    if after or draw(st.booleans()):
        column = draw(st.sampled_from(sorted(COLUMNS[last])))
        kind = COLUMNS[last][column]
        tail = [*after, column]

    def read(row: Any, seen: Seen, place: str, _above: Any) -> Any:
        owner = follow(row, before)
        if owner is None:
            return []
        seen.statements.add(place)
        return [follow(item, tail or ["pk"]) for item in related(owner, many, how)]

    source = ".".join([*before, many, *tail])
    inside = kind | None if nullable else kind
    return Member(name, "values", list[inside], {"source": source, **option}, read)


@st.composite
def expressions(draw: st.DrawFn, shape: Shape, name: str, _depth: int) -> Member:
    kind, make, read = draw(st.sampled_from(EXPRESSIONS[shape.model]))
    return Member(name, "expression", kind, {"source": make()}, lambda row, *_: read(row))


@st.composite
def properties(draw: st.DrawFn, _shape: Shape, name: str, _depth: int) -> Member:
    if draw(st.booleans()):
        return Member(name, "property", str, {"source": "label"}, lambda row, *_: row.label)
    return Member(
        name,
        "property",
        str | None,
        {"source": "owned_by", "needs": ["owner"]},
        lambda row, *_: row.owned_by,
    )


@st.composite
def singles(draw: st.DrawFn, shape: Shape, name: str, depth: int) -> Member:
    relation = draw(st.sampled_from(sorted(SINGLES[shape.model])))
    model, nullable = SINGLES[shape.model][relation]
    inner = draw(shapes(model, depth - 1))

    def read(row: Any, seen: Seen, place: str, above: frozenset[Any]) -> Any:
        found = follow(row, [relation])
        return None if found is None else inner.read(found, seen, place, above)

    kind = inner.schema | None if nullable else inner.schema
    return Member(name, "single", kind, {"source": relation}, read, inner=inner)


@st.composite
def many(draw: st.DrawFn, shape: Shape, name: str, depth: int) -> Member:
    relation = draw(st.sampled_from(sorted(MANY[shape.model])))
    model = MANY[shape.model][relation]
    option, how = sliced(draw, model)
    inner = draw(shapes(model, depth - 1))

    def read(row: Any, seen: Seen, place: str, above: frozenset[Any]) -> Any:
        seen.statements.add(place)
        return [inner.read(item, seen, place, above) for item in related(row, relation, how)]

    return Member(
        name, "many", list[inner.schema], {"source": relation, **option}, read, inner=inner
    )


@st.composite
def loops(draw: st.DrawFn, shape: Shape, name: str, _depth: int) -> Member:
    """Draw a relation that leads to the schema itself."""
    shape.loops = True
    if shape.model is Shelf and draw(st.booleans()):

        def read_parent(row: Any, seen: Seen, place: str, above: frozenset[Any]) -> Any:
            if row.parent_id is None:
                return None
            seen.statements.add(place)
            if (shape.name, row.parent_id) in above:
                return None
            return shape.read(row.parent, seen, place, above)

        kind = f"{shape.name} | None"
        return Member(name, "loop", kind, {"source": "parent"}, read_parent, inner=shape)
    relation = "children" if shape.model is Shelf else "friends"
    option, how = sliced(draw, shape.model)

    def read(row: Any, seen: Seen, place: str, above: frozenset[Any]) -> Any:
        seen.statements.add(place)
        return [
            shape.read(item, seen, place, above)
            for item in related(row, relation, how)
            if (shape.name, item.pk) not in above
        ]

    kind = f"list[{shape.name}]"
    return Member(name, "loop", kind, {"source": relation, **option}, read, inner=shape)


def has_value(key: Any) -> bool:
    """Return whether the functions below know of a key."""
    return len(str(key)) % 2 == 0 or str(key).endswith(("1", "3"))


@st.composite
def functions(draw: st.DrawFn, shape: Shape, name: str, depth: int) -> Member:
    if draw(st.booleans()):

        def texts_of(cls: Any, *keys: Any) -> dict[Any, Any]:
            return {key: [str(key), cls.__name__] for key in keys if has_value(key)}

        return Member(
            name,
            "function",
            list[str],
            {"source": texts_of},
            lambda row, *_: [str(row.pk), shape.name] if has_value(row.pk) else [],
        )
    inner = draw(shapes(shape.model, depth - 1))
    is_list = draw(st.booleans())

    def keys_of(*keys: Any) -> dict[Any, Any]:
        return {key: [key, key] if is_list else key for key in keys if has_value(key)}

    def read(row: Any, seen: Seen, place: str, above: frozenset[Any]) -> Any:
        if not has_value(row.pk):
            return [] if is_list else None
        seen.statements.add(place)
        there = type(row)._default_manager.filter(pk=row.pk).first()
        if there is None:
            return [] if is_list else None
        found = inner.read(there, seen, place, above)
        return [found, found] if is_list else found

    kind = list[inner.schema] if is_list else inner.schema | None
    return Member(name, "function", kind, {"source": keys_of}, read, inner=inner)


MAKERS: dict[str, Callable[..., Any]] = {
    "column": columns,
    "path": paths,
    "values": values,
    "expression": expressions,
    "property": properties,
    "single": singles,
    "many": many,
    "loop": loops,
    "function": functions,
}

# -- comparing ------------------------------------------------------------------------------------


def answer(shape: Shape, found: dict[str, Any]) -> dict[str, Any]:
    """Return what clients get of a row's values."""
    made = {}
    for member in shape.members:
        if not member.hidden:
            made[member.alias or member.name] = each(member, found[member.name], answer)
    return made


def each(member: Member, value: Any, do: Callable[[Shape, Any], Any]) -> Any:
    """Return a value with something done to what is nested in it."""
    if member.inner is None or value is None:
        return value
    inner = member.inner
    return [do(inner, item) for item in value] if isinstance(value, list) else do(inner, value)


def attributes(shape: Shape, instance: Any) -> dict[str, Any]:
    """Return the attributes of a schema's instance."""
    assert type(instance) is shape.schema
    return {
        member.name: each(member, getattr(instance, member.name), attributes)
        for member in shape.members
    }


@contextmanager
def instances() -> Iterator[list[type]]:
    """Collect the classes of model instances that are made."""
    made: list[type] = []

    def note(sender: type, **_: Any) -> None:
        made.append(sender)

    post_init.connect(note, weak=False)
    try:
        yield made
    finally:
        post_init.disconnect(note)


def has_properties(shape: Shape, seen: frozenset[str] = frozenset()) -> bool:
    if shape.name in seen:
        return False
    return any(
        member.kind == "property"
        or (member.inner is not None and has_properties(member.inner, seen | {shape.name}))
        for member in shape.members
    )


def has_loops(shape: Shape) -> bool:
    return shape.loops or any(
        member.inner is not None and has_loops(member.inner) for member in shape.members
    )


def compare(shape: Shape, queryset: Any) -> None:
    """Read rows by a schema and by Python."""
    seen = Seen()
    expected = [shape.read(row, seen, "", frozenset()) for row in queryset]
    plan = shape.schema.plan()
    with CaptureQueriesContext(connection) as sent, instances() as made:
        rows = shape.schema.serialize(queryset)
    assert [attributes(shape, row) for row in rows] == expected, plan
    wanted = [answer(shape, row) for row in expected]
    assert json.loads(encode(rows)) == json.loads(encode(wanted)), plan
    assert json.loads(encode(list(rows))) == json.loads(encode(wanted)), plan
    assert rows.keys == [row.pk for row in queryset]
    assert has_properties(shape) or not made
    assert len(sent) == 1 + len(seen.statements), plan
    assert has_loops(shape) or len(sent) <= plan.queries, plan


@st.composite
def scopes(draw: st.DrawFn, shape: Shape, depth: int, *, excluded: bool) -> Scope:
    """Draw which fields of a shape are wanted, or not wanted."""
    fields: dict[str, Scope | None] = {}
    for member in shape.members:
        if member.hidden or draw(st.booleans()):
            continue
        inside = None
        if member.inner is not None and depth and draw(st.booleans()):
            inside = draw(scopes(member.inner, depth - 1, excluded=excluded))
            inside = inside if inside.fields else None
        fields[member.alias if member.alias and draw(st.booleans()) else member.name] = inside
    return Scope(tuple(fields.items()), excluded)


def trimmed(shape: Shape, found: dict[str, Any], scope: Scope | None) -> dict[str, Any]:
    """Return what clients get of a row's values, of the fields that are wanted."""
    if scope is None:
        return answer(shape, found)
    made = {}
    for member in shape.members:
        names = (member.name, member.alias or member.name)
        if member.hidden or not scope.takes(*names):
            continue
        inside = scope.inside(*names)
        made[names[1]] = each(
            member, found[member.name], lambda inner, item, to=inside: trimmed(inner, item, to)
        )
    return made


ROOTS: list[Model] = [Author, Shelf, Work, Book, Country, Review, Genre, Placement, Portrait]
# Those with the most relations more often.
ROOTS += [Author, Shelf, Author, Shelf, Work]
roots = st.sampled_from(ROOTS).flatmap(lambda model: shapes(model, 3))
random = settings(
    max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@contextmanager
def filled(library: Library) -> Iterator[None]:
    """Fill the tables for a while."""
    with transaction.atomic():
        library.fill()
        yield
        transaction.set_rollback(True)


def in_order(model: Model) -> Any:
    """Return all rows of a model in the order that related ones have."""
    return model._default_manager.order_by(*total_order(list(model._meta.ordering), model))


@random
@given(library=libraries, shape=roots)
def test_schemas_read_what_python_reads_row_by_row(library: Library, shape: Shape) -> None:
    with filled(library):
        compare(shape, in_order(shape.model))


@random
@given(library=libraries, shape=roots)
def test_keys_and_async_twins_give_the_same(library: Library, shape: Shape) -> None:
    with filled(library):
        rows = shape.schema.serialize(in_order(shape.model))
        assert encode(async_to_sync(shape.schema.aserialize)(in_order(shape.model))) == encode(rows)
        twice = [*rows.keys, *reversed(rows.keys)]
        found = shape.schema.serialize(twice)
        assert found.keys == twice
        whole = json.loads(encode(rows))
        assert json.loads(encode(found)) == [*whole, *reversed(whole)]
        for key, instance in zip(rows.keys, rows, strict=True):
            one = async_to_sync(shape.schema.ainit)(key)
            assert one == instance == shape.schema.init(key)
            assert one.pk == key


@random
@given(
    library=libraries,
    case=st.tuples(roots, st.booleans()).flatmap(
        lambda found: st.tuples(st.just(found[0]), scopes(found[0], 3, excluded=found[1]))
    ),
)
def test_a_scope_reads_a_part_of_the_same(library: Library, case: tuple[Shape, Scope]) -> None:
    shape, scope = case
    with filled(library):
        rows = in_order(shape.model)
        whole = [shape.read(row, Seen(), "", frozenset()) for row in rows]
        expected = [trimmed(shape, row, scope) for row in whole]
        with CaptureQueriesContext(connection) as sent:
            found = shape.schema.serialize(rows, orm.QueryContext(scope=scope))
        assert json.loads(encode(found)) == json.loads(encode(expected))
        assert has_loops(shape) or len(sent) <= shape.schema.plan(scope).queries


# -- many rows ------------------------------------------------------------------------------------


class Labelled(orm.Schema[Shelf]):
    """A shelf with its parent and its authors."""

    label: str
    owned_by: str | None = orm.Field(needs=["owner"])
    number: int = orm.Field(Count("placements"))
    names: list[str] = orm.Field("authors.name")
    echo: list[str] = orm.Field(lambda *keys: {key: [str(key)] for key in keys})


class Peopled(orm.Schema[Author]):
    """An author, three levels deep."""

    name: str
    works: int = orm.Field(Count("work"))
    total: Decimal | None = orm.Field(Sum("work__price"))
    shelves: list[Labelled] = orm.Field(queryset=Shelf.objects.order_by("-name")[:2])
    friends: list[uuid.UUID]
    again: list[Labelled] = orm.Field(
        lambda *_: {key: [shelf] for key, shelf in Placement.objects.values_list("author", "shelf")}
    )


def test_a_thousand_rows_take_as_many_statements_as_one() -> None:
    amount = 1_000
    authors = Author.objects.bulk_create(
        Author(key=uuid.UUID(int=number), name=f"name {number:04}") for number in range(amount)
    )
    shelves = Shelf.objects.bulk_create(
        Shelf(name=f"shelf {number:04}", kind="w", owner=authors[number])
        for number in range(amount)
    )
    Placement.objects.bulk_create(
        Placement(shelf=shelves[(number * 7 + turn) % amount], author=author, position=turn)
        for number, author in enumerate(authors)
        for turn in range(3)
    )
    authors[0].friends.add(*authors[1:5])
    # The statement that a function sends is its own.
    expected = Peopled.plan().queries + 1
    for rows in (Author.objects.all(), Author.objects.all()[:1]):
        with CaptureQueriesContext(connection) as sent, instances() as made:
            read = Peopled.serialize(rows)
        assert len(sent) == expected
        assert set(made) == {Shelf, Author}
    assert len(read) == 1
    read = Peopled.serialize(Author.objects.all())
    assert [row.name for row in read] == [author.name for author in authors]
    assert [shelf.names for shelf in read[500].shelves] == [
        [author.name for author in shelf.authors.order_by("name")]
        for shelf in authors[500].shelves.order_by("-name")[:2]
    ]
