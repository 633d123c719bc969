"""Reads whose SQL is kept, held against reads that keep none; run by `test_engines.py`."""

import datetime
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import DatabaseError, connection, transaction
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    FloatField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    StdDev,
    Sum,
    Value,
    Variance,
    When,
)
from django.db.models.functions import Coalesce, Concat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orm.keeping import compiled, nothing_kept
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
from tests.orm.library.properties import (
    Library,
    Model,
    Shape,
    attributes,
    filled,
    libraries,
    libraries_of,
    roots,
)
from utilmeta.core import orm, request
from utilmeta.core.orm.read.structure import structure_of
from utilmeta.utils.exceptions import UtilMetaError

pytestmark = pytest.mark.django_db

random = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

# -- with and without -----------------------------------------------------------------------------


# What a value may lead to that a column does not take.
ERRORS = (DatabaseError, FieldError, ValueError, TypeError, OverflowError, LookupError)
ERRORS += (UtilMetaError,)


def outcome(do: Callable[[], Any]) -> str:
    """Return what is read, with the types of all values, or the kind of the error."""
    try:
        with transaction.atomic():
            return repr(do())
    except ERRORS as exc:
        return type(exc).__name__


def same(do: Callable[[], Any]) -> str:
    """Return the outcome of a read, which must be that of one for which nothing is kept."""
    with nothing_kept():
        expected = outcome(do)
    found = outcome(do)
    assert found == expected
    return found


# -- querysets ------------------------------------------------------------------------------------

TEXT = ["exact", "iexact", "in", "contains", "icontains", "startswith", "istartswith"]
TEXT += ["endswith", "iendswith", "gt", "gte", "lt", "lte", "isnull", "ne"]
NUMBER = ["exact", "in", "gt", "gte", "lt", "lte", "isnull", "ne"]
LOOKUPS = {
    "text": TEXT,
    "integer": NUMBER,
    "decimal": NUMBER,
    "date": NUMBER,
    "duration": NUMBER,
    "uuid": ["exact", "in", "isnull", "ne"],
    "bool": ["exact", "in", "isnull", "ne"],
}
# Columns by path, own ones and across joins, with what they hold.
PATHS: dict[Model, dict[str, str]] = {
    Country: {"code": "text", "name": "text", "authors__name": "text", "authors": "uuid"},
    Author: {
        "key": "uuid",
        "name": "text",
        "country": "text",
        "country__name": "text",
        "friends": "uuid",
        "friends__name": "text",
        "work__price": "decimal",
        "work__reviews__stars": "integer",
        "portrait__url": "text",
        "shelves__place": "integer",
        "owned__parent__name": "text",
    },
    Portrait: {"url": "text", "author": "uuid", "author__country__name": "text"},
    Genre: {"name": "text", "hidden": "bool", "work__title": "text"},
    Work: {
        "id": "integer",
        "title": "text",
        "isbn": "text",
        "author": "uuid",
        "author__name": "text",
        "price": "decimal",
        "published": "date",
        "reading_time": "duration",
        "genres__hidden": "bool",
        "sequel_of": "integer",
        "sequel__title": "text",
        "book__pages": "integer",
        "reviews": "integer",
    },
    Book: {"pages": "integer", "title": "text", "author__name": "text", "pk": "integer"},
    Review: {"work": "text", "stars": "integer", "work__author__name": "text", "work_id": "text"},
    Shelf: {
        "name": "text",
        "kind": "text",
        "place": "integer",
        "parent": "integer",
        "parent__owner__name": "text",
        "owner": "uuid",
        "owner__country": "text",
        "authors__name": "text",
        "children__place": "integer",
    },
    Placement: {"position": "integer", "shelf__name": "text", "author": "uuid"},
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(
        [
            "a",
            "A",
            "b",
            "",
            "中",
            "É",
            "😀",
            "%",
            "_",
            "%s",
            "%%s",
            "a b",
            "\\",
            "'",
            '"',
            "c0",
            "i9",
        ]
    ),
    "integer": st.integers(-1, 9),
    "decimal": st.sampled_from([Decimal(0), Decimal("1.25"), Decimal("2.250"), 1, 2.25, "0.25"]),
    "date": st.sampled_from([datetime.date(2026, 1, 1 + day) for day in range(4)] + ["2026-01-02"]),
    "duration": st.integers(0, 3).map(lambda hours: datetime.timedelta(hours=hours)),
    "uuid": st.integers(1, 6).map(lambda number: uuid.UUID(int=number)),
    "bool": st.booleans(),
}
# Values of another structure, or of none, or that databases refuse.
WILD: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from([None, "\x00", "x" * 300, 5, True, b"a", "%(a)s"]),
    "integer": st.sampled_from(
        [None, 2**31, -(2**31) - 1, 2**63, -(2**70), 1.5, "2", True, Decimal("1.5")]
    ),
    "decimal": st.sampled_from([None, Decimal("1e30"), -1, 0.1, True]),
    "date": st.sampled_from([None, datetime.date(1, 1, 1), datetime.date.max]),
    "duration": st.sampled_from([None, datetime.timedelta(days=-5), datetime.timedelta.max]),
    "uuid": st.sampled_from([None, str(uuid.UUID(int=1)), uuid.UUID(int=2).hex, "no"]),
    "bool": st.sampled_from([None, 1, 0, "True"]),
}


@dataclass(frozen=True)
class Leaf:
    """A condition whose value is not drawn yet.

    Attributes:
        path: of the column.
        lookup: `ne` is what `exact` is not.
        kind: what the column holds.
        size: of a list.
        fixed: the value where another one is another text.
    """

    path: str
    lookup: str
    kind: str
    size: int
    fixed: bool

    def values(self, wild: bool) -> st.SearchStrategy[Any]:
        """Return values; those of one structure, or of any."""
        if self.lookup == "isnull":
            return st.just(self.fixed)
        if wild:
            any_value = VALUES[self.kind] | WILD[self.kind]
            return st.lists(any_value, max_size=5) if self.lookup == "in" else any_value
        if self.lookup == "in":
            most = 2 if self.kind == "bool" else 4
            size = min(self.size, most)
            plain = VALUES[self.kind]
            if self.kind == "decimal":
                plain = st.integers(0, 9).map(Decimal)
            if self.kind == "date":
                plain = st.integers(1, 9).map(lambda day: datetime.date(2026, 1, day))
            return st.lists(plain, min_size=size, max_size=size, unique=True)
        return st.just(self.fixed) if self.kind == "bool" else VALUES[self.kind]

    def condition(self, values: Iterator[Any]) -> Q:
        """Return the condition, with the next value."""
        if self.lookup == "ne":
            return ~Q(**{f"{self.path}__exact": next(values)})
        return Q(**{f"{self.path}__{self.lookup}": next(values)})


@dataclass(frozen=True)
class Branch:
    """Conditions that are joined.

    Attributes:
        connector: `&`, `|` or `^`.
        negated: whether none of it must be.
        inner: the conditions.
    """

    connector: str
    negated: bool
    inner: tuple[Any, ...]

    def condition(self, values: Iterator[Any]) -> Q:
        """Return the condition, with the next values."""
        made = [item.condition(values) for item in self.inner]
        found = made[0]
        for other in made[1:]:
            match self.connector:
                case "&":
                    found &= other
                case "|":
                    found |= other
                case _:
                    found ^= other
        return ~found if self.negated else found


def leaves_of(node: Leaf | Branch) -> list[Leaf]:
    """Return the conditions that take values, in order."""
    if isinstance(node, Leaf):
        return [node]
    return [leaf for item in node.inner for leaf in leaves_of(item)]


def lookups_of(model: Model, path: str) -> list[str]:
    """Return the lookups of a column; relations themselves take few."""
    target: Any = model
    column: Any = None
    for part in path.split("__"):
        column = target._meta.pk if part == "pk" else target._meta.get_field(part)
        target = column.related_model
    kind = PATHS[model][path]
    return [name for name in LOOKUPS[kind] if name in NUMBER or not column.is_relation]


@st.composite
def leaves(draw: st.DrawFn, model: Model) -> Leaf:
    path = draw(st.sampled_from(sorted(PATHS[model])))
    kind = PATHS[model][path]
    lookup = draw(st.sampled_from(lookups_of(model, path)))
    return Leaf(path, lookup, kind, draw(st.integers(1, 4)), draw(st.booleans()))


def nodes(model: Model) -> st.SearchStrategy[Leaf | Branch]:
    return st.recursive(
        leaves(model),
        lambda inner: st.builds(
            Branch,
            st.sampled_from("&&||^"),
            st.booleans(),
            st.lists(inner, min_size=1, max_size=3).map(tuple),
        ),
        max_leaves=4,
    )


@dataclass
class Rows:
    """A queryset whose values are not drawn yet.

    Attributes:
        model: its model.
        steps: each a filter, or what is excluded.
        order: names and expressions.
        options: reversed, distinct, the database by name, without an order.
        low: where the slice begins.
        high: where it ends.
        reads: values of each read.
    """

    model: Model
    steps: list[tuple[bool, Leaf | Branch]]
    order: list[Any] = field(default_factory=list)
    options: frozenset[str] = frozenset()
    low: int | None = None
    high: int | None = None
    reads: list[tuple[bool, list[Any]]] = field(default_factory=list)

    def queryset(self, given: list[Any]) -> "QuerySet[Any]":
        """Return the queryset with values."""
        values = iter(given)
        rows: Any = self.model._default_manager.all()
        if "using" in self.options:
            rows = rows.using("default")
        for is_excluded, node in self.steps:
            condition = node.condition(values)
            rows = rows.exclude(condition) if is_excluded else rows.filter(condition)
        rows = rows.order_by(*self.order, "pk")
        if "reverse" in self.options:
            rows = rows.reverse()
        if "distinct" in self.options:
            rows = rows.distinct()
        return rows[self.low : self.high]


ORDERS: dict[Model, list[Any]] = {
    Country: ["name", "-code"],
    Author: ["name", "-country__name", "country", F("country").asc(nulls_first=True), "-key"],
    Portrait: ["author", "-author__name"],
    Genre: ["-name", "hidden"],
    Work: ["title", "-price", "author", F("sequel_of").desc(nulls_last=True), "sequel__title"],
    Book: ["-title", "pages", "author__name"],
    Review: ["-stars", "work", "work__title"],
    Shelf: ["name", F("place").desc(nulls_last=True), "parent", "-owner__name"],
    Placement: ["-position", "shelf", "author__name"],
}


@st.composite
def querysets(draw: st.DrawFn, model: Model) -> Rows:
    steps = draw(st.lists(st.tuples(st.booleans(), nodes(model)), max_size=2))
    made = Rows(model, steps)
    made.order = draw(st.lists(st.sampled_from(ORDERS[model]), max_size=2))
    made.options = draw(st.frozensets(st.sampled_from(["using", "reverse", "distinct"])))
    made.low, made.high = draw(
        st.sampled_from([(None, None), (1, None), (0, 2), (1, 3), (None, None), (2, 2), (5, 3)])
    )
    needed = [leaf for _, node in steps for leaf in leaves_of(node)]
    for is_wild in (False, False, True, False):
        values = [draw(leaf.values(is_wild)) for leaf in needed]
        made.reads.append((is_wild, values))
    return made


cases = roots.flatmap(lambda shape: st.tuples(st.just(shape), querysets(shape.model)))


def is_flat(shape: Shape) -> bool:
    """Return whether a schema is one statement."""
    return all(
        member.kind in ("column", "path", "expression")
        or (member.kind == "single" and member.inner is not None and is_flat(member.inner))
        for member in shape.members
    )


# How many reads there were, and how many of them made no text.
COUNTED = {"tame": 0, "known": 0, "flat": 0}


@random
@given(library=libraries_of(3), case=cases)
def test_querysets_read_the_same_with_kept_statements(
    library: Library, case: tuple[Shape, Rows]
) -> None:
    shape, rows = case
    schema = shape.schema
    with filled(library):
        for number, (is_wild, values) in enumerate(rows.reads):

            def read(values: Any = values) -> Any:
                found = schema.serialize(rows.queryset(values))
                return [attributes(shape, row) for row in found], found.keys

            same(read)
            if is_wild or not number:
                continue
            COUNTED["tame"] += 1
            if structure_of(rows.queryset(values), connection) is None:
                continue
            COUNTED["known"] += 1
            if is_flat(shape):
                COUNTED["flat"] += 1
                with compiled() as made:
                    read()
                assert not made


def test_querysets_above_were_read_by_kept_statements() -> None:
    # Not all, as conditions on many rows are subqueries, which have no structure.
    assert COUNTED["known"] > COUNTED["tame"] / 3
    assert COUNTED["flat"] > 10


class Reviewed(orm.Schema[Review]):
    stars: int
    title: str = orm.Field("work.title")


class Filed(orm.Schema[Shelf]):
    name: str
    owner: str | None = orm.Field("owner.name")


PLAIN: dict[Model, Any] = {Review: Reviewed, Shelf: Filed}
PAIRS: dict[str, list[Any]] = {
    "text": ["a", "%s"],
    "integer": [1, -3],
    "uuid": [uuid.UUID(int=1), uuid.UUID(int=2)],
}


@pytest.mark.parametrize(
    ("model", "path", "lookup"),
    [
        (model, path, lookup)
        for model in PLAIN
        for path in PATHS[model]
        for lookup in lookups_of(model, path)
        if lookup not in ("isnull", "ne")
    ],
)
def test_another_value_makes_no_text(model: Model, path: str, lookup: str) -> None:
    one, other = PAIRS[PATHS[model][path]]
    if lookup == "in":
        one, other = [one, other], [other, one]
    schema = PLAIN[model]
    manager: Any = model._default_manager
    for _ in range(2):
        schema.serialize(manager.filter(**{f"{path}__{lookup}": one}))
    with compiled() as made:
        schema.serialize(manager.filter(**{f"{path}__{lookup}": other}))
    assert not made


# -- keys -----------------------------------------------------------------------------------------


def key_of_number(model: Model, number: int) -> Any:
    """Return a key of the kind that a model has."""
    if model is Author:
        return uuid.UUID(int=number)
    if model is Country:
        return f"c{number}"[:2]
    return number


@random
@given(
    library=libraries,
    shape=roots,
    reads=st.lists(
        st.tuples(st.lists(st.integers(0, 70), min_size=1, max_size=70), st.booleans()),
        min_size=2,
        max_size=4,
    ),
)
def test_keys_read_the_same_with_kept_statements(
    library: Library, shape: Shape, reads: list[tuple[list[int], bool]]
) -> None:
    with filled(library):
        there = list(shape.model._default_manager.all())
        first = min((row.pk for row in there), default=0) if shape.model is not Author else 0
        start = first if isinstance(first, int) else 0
        for numbers, is_mixed in reads:
            keys = [key_of_number(shape.model, start + number) for number in numbers]
            source = [*keys, *there] if is_mixed else keys

            def read(source: Any = source) -> Any:
                found = shape.schema.serialize(source)
                return [attributes(shape, row) for row in found], found.keys

            same(read)
            for one in source[-3:]:
                same(lambda one=one: attributes(shape, shape.schema.init(one)))


def test_any_number_of_keys_is_read() -> None:
    Review.objects.bulk_create(
        Review(work=work, stars=number)
        for number, work in enumerate(
            Work.objects.create(
                title="t",
                isbn=str(number),
                author=Author.objects.create(name="x"),
                price=1,
                published=datetime.date(2026, 1, 1),
                reading_time=datetime.timedelta(),
            )
            for number in range(70)
        )
    )
    keys = list(Review.objects.order_by("pk").values_list("pk", flat=True))
    for size in range(1, 71):
        assert Reviewed.serialize(keys[:size]).keys == keys[:size]
        assert [row.stars for row in Reviewed.serialize(keys[-size:])] == list(range(70))[-size:]
    with compiled() as made:
        for size in range(1, 71):
            Reviewed.serialize(keys[:size])
    assert not made


# -- queries --------------------------------------------------------------------------------------


class Works(orm.Query[Work]):
    title: str | None = orm.Filter()
    part: str = orm.Filter("title__contains")
    any_of: list[str] = orm.Filter("author.name")
    price: Decimal = orm.Filter("price__gte")
    keys: list[int] = orm.Filter("id")
    genre: str = orm.Filter("genres.name")
    before: int | None = orm.Filter("sequel_of")
    order: list[str] = orm.OrderBy({"title": orm.Order(), "price": orm.Order()})
    limit: int = orm.Limit(default=None)
    offset: int = orm.Offset()


class Written(orm.Schema[Work]):
    title: str
    price: Decimal
    writer: str = orm.Field("author.name")
    stars: list[int] = orm.Field("reviews.stars")


sent = st.fixed_dictionaries(
    {},
    optional={
        "title": st.none() | VALUES["text"],
        "part": VALUES["text"],
        "any_of": st.lists(VALUES["text"], max_size=4),
        "price": st.integers(0, 3).map(Decimal),
        "keys": st.lists(st.integers(-(2**65), 2**65) | st.integers(0, 9), max_size=4),
        "genre": VALUES["text"],
        "before": st.none() | st.integers(0, 9),
        "order": st.lists(st.sampled_from(["title", "-price", "price"]), max_size=2),
        "limit": st.integers(1, 3),
        "offset": st.integers(0, 3),
    },
)


@random
@given(library=libraries_of(3), queries=st.lists(sent, min_size=2, max_size=5))
def test_queries_read_the_same_with_kept_statements(
    library: Library, queries: list[dict[str, Any]]
) -> None:
    with filled(library):
        for values in [*queries, *queries]:
            # Rows that are equal by an order come in any, but there are few of them.
            same(lambda values=values: sorted(map(repr, Written.serialize(Works(**values)))))


# -- context values -------------------------------------------------------------------------------

VIEWER = request.var.user_id


class Viewed(orm.Schema[Author]):
    name: str
    viewer: Any = orm.Field(VIEWER)
    is_me: bool = orm.Field(Case(When(name=VIEWER, then=Value(True)), default=Value(False)))
    mine: bool = orm.Field(Exists(Work.objects.filter(author=OuterRef("pk"), title=VIEWER)))
    titles: list[str] = orm.Field("work_set.title", queryset=Work.objects.filter(title=VIEWER))
    first: list[str] = orm.Field(
        "work_set.title", queryset=Work.objects.filter(title__contains=VIEWER).order_by("isbn")[:1]
    )


class Placed(orm.Schema[Shelf]):
    name: str
    further: Any = orm.Field(F("place") + VIEWER)
    at: Any = orm.Field(Coalesce(F("place"), VIEWER))
    above: list[int | None] = orm.Field(
        "children.place", queryset=Shelf.objects.filter(place__gte=VIEWER)
    )


class Joined(orm.Schema[Shelf]):
    text: str = orm.Field(Concat("name", Value("%s"), VIEWER))
    some: list[str] = orm.Field("children.name", queryset=Shelf.objects.filter(name__in=VIEWER))


viewers = st.one_of(
    st.none(),
    st.sampled_from(["a", "b"]),
    VALUES["text"],
    st.none(),
    st.sampled_from(["a", "b"]),
    st.integers(-2, 4),
    st.just(2**40),
    st.booleans(),
    st.lists(VALUES["text"], max_size=3),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    VALUES["uuid"],
    st.just(Decimal("1.5")),
    st.just(1.5),
    st.just(datetime.timedelta(hours=1)),
    st.just(datetime.date(2026, 1, 1)),
    st.just(b"a"),
)
# What a queryset of each schema is filtered by, beside nothing.
BY_VIEWER: dict[Any, tuple[Any, list[Any]]] = {
    Viewed: (Author, [{}, {"name": VIEWER}, {"work__title__contains": VIEWER}, {"pk": VIEWER}]),
    Placed: (Shelf, [{}, {"place": VIEWER}, {"place__lt": VIEWER}, {"owner__name__in": VIEWER}]),
    Joined: (Shelf, [{}, {"name__iexact": VIEWER}, {"place__in": VIEWER}]),
}


@random
@given(
    library=libraries_of(3),
    schema=st.sampled_from(list(BY_VIEWER)),
    at=st.integers(0, 3),
    values=st.lists(viewers, min_size=4, max_size=8),
)
def test_context_values_of_any_type_read_the_same(
    library: Library, schema: Any, at: int, values: list[Any]
) -> None:
    model, filters = BY_VIEWER[schema]
    where = filters[at % len(filters)]
    plan = schema.plan()
    plan.selection.kept.clear()
    for part in plan.shape.parts:
        part.related.selection.kept.clear()
    with filled(library):
        for value in [*values, *values]:
            same(
                lambda value=value: list(
                    schema.serialize(
                        model.objects.filter(**where).order_by("pk"), context={"user_id": value}
                    )
                )
            )


def test_another_context_value_makes_no_text() -> None:
    class Own(orm.Schema[Author]):
        viewer: Any = orm.Field(VIEWER)
        titles: list[str] = orm.Field("work_set.title", queryset=Work.objects.filter(title=VIEWER))

    author = Author.objects.create(name="a")
    for value in ("a", None, "a"):
        Own.serialize(Author.objects.filter(name="a"), context={"user_id": value})
    with compiled() as made:
        for value in ("b", None, "%s"):
            rows = Own.serialize(Author.objects.filter(name="a"), context={"user_id": value})
            assert (rows.keys, rows[0].viewer) == ([author.pk], value)
    assert not made


# -- aggregates -----------------------------------------------------------------------------------

# Paths over relations that lead to many rows, with what the column holds.
FAR: dict[Model, dict[str, str]] = {
    Country: {"authors": "uuid", "authors__name": "text", "authors__work__price": "decimal"},
    Author: {
        "work": "integer",
        "work__price": "decimal",
        "work__reading_time": "duration",
        "work__published": "date",
        "work__reviews__stars": "integer",
        "work__genres": "integer",
        "work__genres__name": "text",
        "work__book__pages": "integer",
        "friends": "uuid",
        "friends__name": "text",
        "friends__friends": "uuid",
        "friends__country": "text",
        "friends__country__name": "text",
        "shelves": "integer",
        "shelves__place": "integer",
        "shelves__parent__place": "integer",
        "owned__place": "integer",
        "owned__authors": "uuid",
        "placement__position": "integer",
    },
    Genre: {"work": "integer", "work__price": "decimal", "work__author": "uuid"},
    Work: {"genres": "integer", "genres__name": "text", "reviews": "integer"},
    Book: {"reviews": "integer", "reviews__stars": "integer", "genres": "integer"},
    Shelf: {
        "children": "integer",
        "children__place": "integer",
        "children__children__place": "integer",
        "authors": "uuid",
        "authors__work__price": "decimal",
        "placements__position": "integer",
    },
}
FAR[Work] |= {"reviews__stars": "integer", "reviews__work": "text"}


@st.composite
def aggregates(draw: st.DrawFn, model: Model) -> tuple[Any, str]:
    """Draw an aggregate, and where it leads."""
    path = draw(st.sampled_from(sorted(FAR[model])))
    kind = FAR[model][path]
    options: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        options["filter"] = draw(leaves_that_hold(model))
    makers: list[Any] = [Count, Count]
    if kind in ("integer", "decimal", "duration"):
        makers += [Sum, Avg]
    if kind in ("integer", "decimal", "duration", "text", "date"):
        makers += [Max, Min]
    if kind == "integer" and connection.vendor != "sqlite":
        # Django's own of SQLite fail where there are no rows.
        makers += [StdDev, Variance]
    maker = draw(st.sampled_from(makers))
    if maker in (Count, Sum, Avg) and draw(st.booleans()):
        options["distinct"] = True
    made = maker(path, **options)
    if draw(st.integers(0, 3)) == 0 and kind == "integer":
        return Coalesce(made, Value(7), output_field=FloatField()), path
    if draw(st.integers(0, 5)) == 0 and maker is Sum and kind == "integer":
        return Sum(Coalesce(F(path), Value(5))), path
    return made, path


def leaves_that_hold(model: Model) -> st.SearchStrategy[Q]:
    """Return conditions on the model's own columns."""
    column = {Genre: "name", Work: "title", Book: "title", Shelf: "name"}.get(model, "name")
    return VALUES["text"].map(lambda value: Q(**{f"{column}__gte": value}))


@random
@given(
    library=libraries_of(3),
    case=st.sampled_from(sorted(FAR, key=lambda model: model.__name__)).flatmap(
        lambda model: st.tuples(st.just(model), st.lists(aggregates(model), min_size=1, max_size=4))
    ),
)
def test_aggregates_are_what_django_annotates_alone(
    library: Library, case: tuple[Model, list[tuple[Any, str]]]
) -> None:
    model, wanted = case
    names = {f"f{index}": item for index, (item, _) in enumerate(wanted)}
    space: dict[str, Any] = {"__module__": __name__, "__qualname__": "Made"}
    space["__annotations__"] = dict.fromkeys(names, Any)
    space |= {name: orm.Field(item) for name, item in names.items()}
    base: Any = orm.Schema[model]  # type: ignore[valid-type]
    schema: Any = type(orm.Schema)("Made", (base,), space)
    manager: Any = model._default_manager
    with filled(library):
        for rows in (manager.order_by("pk"), manager.order_by("-pk")[:2], manager.none()):
            found = schema.serialize(rows)
            for name, item in names.items():
                alone = rows.annotate(**{name: item}).values_list(name, flat=True)
                assert [repr(getattr(row, name)) for row in found] == [repr(v) for v in alone], item
