"""What `orm.Query` asks for; run by `tests/orm/test_engines.py`."""

import enum
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

import pydantic
import pytest
from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Length, Lower
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pydantic import ValidationError
from typing_extensions import TypeAliasType

from tests.orm.shop.models import (
    Book,
    Category,
    Note,
    Part,
    Person,
    Product,
    ShownQuerySet,
    Tag,
    Tool,
)
from utilmeta.core import orm, request
from utilmeta.core.orm.backends.django.expressions import SubqueryCount, SubquerySum
from utilmeta.core.response.encode import make_encoder
from utilmeta.utils.exceptions import BadRequest, ConfigError, OrmError

pytestmark = pytest.mark.django_db
encode = make_encoder()
OptionalText = TypeAliasType("OptionalText", str | None)  # type: ignore[type-arg]


class CategorySchema(orm.Schema[Category]):
    name: str
    number: int = Count("products")


class Row(orm.Schema[Product]):
    id: int
    sku: str
    price: Decimal
    category: CategorySchema
    tags: list[str] = orm.Field("tags.name")


class ProductQuery(orm.Query[Product]):
    sku: str
    price__gte: Decimal
    skus: list[str] = orm.Filter("sku")
    note: str | None = orm.Filter()
    category: str = orm.Filter("category.name")
    tag: list[str] = orm.Filter("tags.name")
    after: datetime = orm.Filter("created_at__gt")
    parts: int = orm.Filter(Count("parts"))
    at_least: int = orm.Filter(Count("parts"), lookup="gte")
    expensive: bool = orm.Filter(query=Q(price__gt=50))
    named: str = orm.Filter(query=lambda value: Q(name=value) | Q(parts__name=value))
    search: str = orm.Search("sku", "name", "tags.name")
    any_word: str = orm.Search("name", match_mode="any")
    order: list[str] = orm.OrderBy(
        {
            "price": orm.Order(),
            "sale": orm.Order(field="sale_price", nulls_last=True),
            "reduced": orm.Order(field="sale_price", notnull=True),
            "category": orm.Order(field="category.name", description="by its category"),
            "parts": Count("parts"),
            "length": orm.Order(field=Length("name"), desc=False),
            "created": Product.created_at,
        }
    )
    limit: int = orm.Limit(10, le=100)
    offset: int = orm.Offset()
    page: int = orm.Page()
    fields: list[str] = orm.Scope()
    without: list[str] = orm.Scope(excluded=True)


class PageQuery(orm.Query[Product]):
    order: str = orm.OrderBy(
        {
            "price": orm.Order(),
            "created_at": orm.Order(),
            "name": orm.Order(),
            "parts": Count("parts"),
            "reduced": orm.Order(field="sale_price", notnull=True),
            "sale": orm.Order(field="sale_price"),
            "sale_first": orm.Order(field="sale_price", nulls_first=True),
            "best": Max("parts__amount"),
        }
    )
    limit: int = orm.Limit(3)
    cursor: str = orm.Cursor()


@pytest.fixture(autouse=True)
def rows() -> list[Product]:
    tools, toys = (Category.objects.create(name=name) for name in ("tools", "toys"))
    tags = [Tag.objects.create(name=name) for name in ("old", "red", "50%")]
    found = []
    for index in range(8):
        row = Product.objects.create(
            sku=f"P-{index}",
            name="abc"[index % 3] * (index + 1),
            price=Decimal(10 * index),
            sale_price=None if index % 2 else Decimal(index),
            note=None if index % 4 else "noted",
            category=(tools, toys)[index % 2],
        )
        row.tags.set(tags[: index % 4])
        for number in range(index % 3):
            Part.objects.create(product=row, name=f"part {number}")
        found.append(row)
    start = timezone.now() - timedelta(days=30)
    for index, row in enumerate(found):
        # Some were made at the same moment.
        moment = start + timedelta(days=index // 3, microseconds=index // 3)
        Product.objects.filter(pk=row.pk).update(created_at=moment)
    return found


def skus(**values: Any) -> list[str]:
    query = ProductQuery.model_validate(values)
    return sorted(row.sku for row in query.get_queryset())


def expected(**filters: Any) -> list[str]:
    return sorted(set(Product.objects.filter(**filters).values_list("sku", flat=True)))


def test_a_field_filters_when_it_is_sent() -> None:
    assert skus() == expected()
    assert skus(sku="P-3") == ["P-3"]
    assert skus(price__gte="35") == expected(price__gte=35)
    assert skus(skus=["P-1", "P-9", "P-2"]) == ["P-1", "P-2"]
    assert skus(skus=[]) == []
    assert skus(note=None) == expected(note=None)
    assert skus(note="noted") == expected(note="noted")
    assert skus(category="toys", price__gte=30) == expected(category__name="toys", price__gte=30)


def test_a_row_is_found_once_whatever_it_has_many_of() -> None:
    assert skus(tag=["old", "red"]) == expected(tags__name__in=["old", "red"])
    query = ProductQuery(tag=["old", "red"])
    assert query.count() == len(expected(tags__name__in=["old", "red"]))
    assert [row.sku for row in Row.serialize(query)] == sorted(skus(tag=["old", "red"]))


def test_expressions_and_functions_filter() -> None:
    assert skus(parts=2) == ["P-2", "P-5"]
    assert skus(at_least=1) == ["P-1", "P-2", "P-4", "P-5", "P-7"]
    assert skus(expensive=True) == expected(price__gt=50)
    assert skus(expensive=False) == expected(price__lte=50)
    assert skus(named="part 1") == expected(parts__name="part 1")
    assert skus(named="a") == ["P-0"]


def test_moments_are_compared_as_moments() -> None:
    moments = sorted(Product.objects.values_list("created_at", flat=True))
    assert skus(after=moments[3].isoformat()) == expected(created_at__gt=moments[3])


def test_a_search_finds_words() -> None:
    assert skus(search="p-1") == ["P-1"]
    assert skus(search="red old") == expected(tags__name="red")
    assert skus(search='"p-1" red') == []
    # No character of it has a meaning of its own.
    assert skus(search="%") == expected(tags__name="50%")
    assert skus(search="_") == skus(search="\\") == []
    assert skus(search="  ") == skus(search='""""') == expected()
    with pytest.raises(ValidationError, match="at most 10 words"):
        ProductQuery(search=" ".join("abcdefghijk"))
    assert skus(any_word="aaaa bbbbb") == ["P-3", "P-4", "P-6", "P-7"]


def test_rows_come_in_the_order_that_is_asked_for() -> None:
    def ordered(*names: str, **values: Any) -> list[str]:
        return [row.sku for row in ProductQuery(order=list(names), **values).get_queryset()]

    assert ordered("-price")[:3] == ["P-7", "P-6", "P-5"]
    assert ordered("category", "-price")[:2] == ["P-6", "P-4"]
    assert ordered("sale")[:4] == ["P-0", "P-2", "P-4", "P-6"]
    assert ordered("-sale")[:4] == ["P-6", "P-4", "P-2", "P-0"]
    assert ordered("-reduced") == ["P-6", "P-4", "P-2", "P-0"]
    assert ordered("-parts", "price")[:2] == ["P-2", "P-5"]
    assert ordered("length")[-1] == "P-7"
    assert ordered("-created", "-price") == [f"P-{index}" for index in range(7, -1, -1)]
    # One text with commas is the same.
    assert next(row.sku for row in ProductQuery(order=["category,-price"]).get_queryset()) == "P-6"


@pytest.mark.parametrize("name", ["nothing", "-length", "sku", "price desc", "--price", "id"])
def test_an_order_that_is_not_declared_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="There is no order"):
        ProductQuery.model_validate({"order": [name]})


@pytest.mark.parametrize("name", ["nothing", "sku__startswith", "category__name", "pk", "password"])
def test_a_filter_that_is_not_declared_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        ProductQuery.model_validate({name: "P"})


def test_pages_are_cut() -> None:
    def page(**values: Any) -> list[str]:
        return [row.sku for row in Row.serialize(ProductQuery(order=["price"], **values))]

    assert page(limit=3) == ["P-0", "P-1", "P-2"]
    assert page(limit=3, offset=6) == ["P-6", "P-7"]
    assert page(limit=3, page=3) == ["P-6", "P-7"]
    assert page(limit=3, page=4) == page(limit=0) == page(limit=3, offset=10**15) == []
    assert ProductQuery(limit=3, page=2).count() == 8
    for wrong in ({"limit": 101}, {"limit": -1}, {"page": 0}, {"offset": -1}, {"limit": 2**70}):
        with pytest.raises(ValidationError):
            ProductQuery.model_validate(wrong)
    with pytest.raises(BadRequest) as caught:
        page(limit=3, page=2, offset=1)
    assert caught.value.errors[0]["place"] == "query.page"


def test_a_query_chooses_from_given_rows() -> None:
    query = ProductQuery(price__gte=20)
    mine = Product.objects.filter(category__name="toys")
    assert sorted(row.sku for row in query.get_queryset(mine)) == ["P-3", "P-5", "P-7"]
    assert query.count(mine) == 3
    assert {row.sku for row in Row.serialize(query.over(mine))} == {"P-3", "P-5", "P-7"}
    with pytest.raises(OrmError, match="got a queryset of Category"):
        query.get_queryset(Category.objects.all())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "order",
    [
        "price",
        "-price",
        "created_at",
        "-created_at",
        "parts",
        "-parts",
        "name",
        "-name",
        "reduced",
        "sale",
        "-sale",
        "sale_first",
        "-sale_first",
        "best",
        "-best",
        None,
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 8, 50])
def test_pages_by_cursor_hold_each_row_once(order: str | None, limit: int) -> None:
    values: dict[str, Any] = {"limit": limit, **({"order": order} if order else {})}
    seen: list[str] = []
    pages = 0
    query = PageQuery(**values)
    while True:
        found = Row.serialize(query)
        seen += [row.sku for row in found]
        pages += 1
        if found.next_cursor is None:
            break
        query = PageQuery(**values, cursor=found.next_cursor)
    whole = [row.sku for row in PageQuery(**{**values, "limit": 100}).get_queryset()]
    assert seen == whole
    assert len(set(seen)) == len(seen) == (4 if order == "reduced" else 8)
    assert pages == -(-len(seen) // limit)


def test_rows_that_come_and_go_do_not_shift_pages() -> None:
    first = Row.serialize(PageQuery(order="price", limit=3))
    Product.objects.filter(sku__in=["P-0", "P-2"]).delete()
    category = Category.objects.get(name="toys")
    Product.objects.create(sku="NEW", name="n", price=5, category=category)
    query = PageQuery(order="price", limit=3, cursor=first.next_cursor)
    assert [row.sku for row in Row.serialize(query)] == ["P-3", "P-4", "P-5"]


def test_a_cursor_that_is_none_is_refused() -> None:
    held = Row.serialize(PageQuery(order="price")).next_cursor
    assert held is not None
    for order, token in (
        ("-price", held),
        ("price", held[:-3]),
        ("price", "é"),
        ("price", "bm9uZQ"),
        ("price", "eyJvcmRlciI6WyJwcmljZSJdLCJhZnRlciI6W251bGwsMV19"),
        ("price", "eyJvcmRlciI6WyJwcmljZSJdLCJhZnRlciI6WyJ4Iix7fV19"),
        ("price", "W10"),
    ):
        with pytest.raises(BadRequest) as caught:
            Row.serialize(PageQuery(order=order, cursor=token))
        assert caught.value.errors[0]["place"] == "query.cursor"


def test_a_page_by_cursor_takes_one_statement_more_than_no_page(rows: list[Product]) -> None:
    with CaptureQueriesContext(connection) as sent:
        Row.serialize(PageQuery(order="parts", limit=2))
    assert len(sent) == Row.plan().queries


def test_orders_that_pages_cannot_go_on_by_are_refused_at_set_up() -> None:
    class Inexact(orm.Query[Product]):
        order: str = orm.OrderBy({"half": F("price") / 2})
        limit: int = orm.Limit(2)
        cursor: str = orm.Cursor()

    class Json(orm.Query[Product]):
        order: str = orm.OrderBy(["facts"])
        limit: int = orm.Limit(2)
        cursor: str = orm.Cursor()

    for wrong in (Inexact, Json):
        with pytest.raises(ConfigError, match="pages by cursor cannot go on"):
            wrong.check()


def test_fields_that_are_not_wanted_are_not_read() -> None:
    query = ProductQuery(fields=["sku", "category(name)"], order=["price"], limit=2)
    with CaptureQueriesContext(connection) as sent:
        found = Row.serialize(query)
    assert json.loads(encode(found)) == [
        {"sku": "P-0", "category": {"name": "tools"}},
        {"sku": "P-1", "category": {"name": "toys"}},
    ]
    (only,) = [item["sql"] for item in sent]
    assert "COUNT" not in only
    assert found[0].sku == "P-0"
    rest = Row.serialize(ProductQuery(without=["tags", "category(number)", "id"], limit=1))
    assert set(json.loads(encode(rest))[0]) == {"sku", "price", "category"}
    assert json.loads(encode(rest))[0]["category"] == {"name": "tools"}
    rows = Row.serialize(Product.objects.all()[:1], context=query.get_context())
    assert list(json.loads(encode(rows))[0]) == ["sku", "category"]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("fields", ["nothing"]),
        ("fields", ["sku(name)"]),
        ("fields", ["category(nothing)"]),
        ("without", ["password"]),
    ],
)
def test_fields_that_are_not_there_are_refused(name: str, texts: list[str]) -> None:
    with pytest.raises(BadRequest) as caught:
        Row.serialize(ProductQuery.model_validate({name: texts}))
    assert str(caught.value.errors[0]["place"]).startswith("query.")


@pytest.mark.parametrize(
    "text", ["a(", "a)", "(a)", "a b", "a(b(c(d(e(f(g(h(i(j)))))))))", "x" * 3000]
)
def test_fields_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ProductQuery.model_validate({"fields": [text]})


def test_both_ways_to_choose_fields_at_once_are_refused() -> None:
    with pytest.raises(BadRequest):
        ProductQuery(fields=["sku"], without=["id"]).get_context()


def test_a_value_of_another_type_is_a_400() -> None:
    class Loose(orm.Query[Product]):
        created: str = orm.Filter("created_at")
        category: int

    with pytest.raises(BadRequest) as caught:
        Loose(created="yesterday").get_queryset()
    assert caught.value.errors[0]["place"] == "query.created"
    assert not Loose(category=2**63).get_queryset().exists()
    with pytest.raises(ValidationError):
        ProductQuery.model_validate({"sku": "a\0"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("views__in", [10**30]),
        ("category", 10**30),
        ("categories", [10**30, -(10**30)]),
        ("created_at__year", 0),
        ("created_at__year", 10**30),
        ("created_at__gte", datetime.max.replace(tzinfo=UTC)),
        ("price__lt", Decimal("1e4000")),
        ("price__range", [1]),
        ("price__range", [1, 2, 3]),
        ("views__gt", 10**30),
        ("note__icontains", "\ud83d"),
    ],
)
def test_no_value_makes_the_database_fail(name: str, value: Any) -> None:
    class Wild(orm.Query[Product]):
        views__in: list[int]
        category: int
        categories: list[int] = orm.Filter("category")
        created_at__year: int
        created_at__gte: datetime
        price__lt: Decimal
        price__range: list[int]
        views__gt: int
        note__icontains: Any

    try:
        found = Wild.model_validate({name: value}).get_queryset()
        assert not found.exists()
    except (BadRequest, ValidationError):
        return


def test_none_in_a_list_and_as_a_default() -> None:
    class Optional(orm.Query[Product]):
        views: int | None = None
        notes: list[str | None] = orm.Filter("note")

    assert Optional().count() == 8
    assert Optional(notes=["noted", None]).count() == 8
    assert Optional(notes=[None]).count() == 6
    assert Optional.model_validate({"views": None}).count() == 0


def test_the_count_is_that_of_all_pages() -> None:
    query = ProductQuery(order=["reduced"], limit=2)
    assert query.count() == 4


def test_mistakes_of_the_project_are_not_the_clients() -> None:
    class Broken(orm.Query[Product]):
        x: str = orm.Filter(query=lambda value: Q(sku=value.nothing))

    with pytest.raises(AttributeError):
        Broken(x="a").get_queryset()
    with pytest.raises(OrmError, match="slice"):
        ProductQuery().get_queryset(Product.objects.all()[:3])


def test_what_does_not_fit_the_model_is_refused_when_it_is_declared() -> None:
    def declare(**fields: Any) -> None:
        types = {name: int if name in {"page", "a", "b"} else str for name in fields}
        space = {"__annotations__": types, **fields, "__module__": __name__}
        type(orm.Query)("Wrong", (orm.Query[Product],), space).check()

    for name, field, message in (
        ("skuu", orm.Filter(), "did you mean 'sku'"),
        ("x", orm.Filter("category.nam"), "no field or lookup 'nam'"),
        ("x", orm.Filter("sku__looks_like"), "no field or lookup 'looks_like'"),
        ("x", orm.OrderBy(["nothing"]), "has no field 'nothing'"),
        ("x", orm.OrderBy({"tag": "tags.name"}), "leads to many rows"),
        ("x", orm.Search("nothing"), "has no field 'nothing'"),
        ("page", orm.Page(), "add a field limit"),
        ("x", orm.Limit(5), "orm.Limit is int, not str"),
        ("page", orm.Search("name"), "orm.Search is str, not int"),
        ("x", orm.Filter("name__regex"), "lets clients send a pattern"),
        ("x", orm.Search("category"), "no column to search"),
        ("x", orm.OrderBy(["name"], default="-nme"), "is no order"),
    ):
        with pytest.raises(ConfigError, match=message):
            declare(**{name: field})
    with pytest.raises(ConfigError, match=r"second orm\.Limit"):
        declare(a=orm.Limit(), b=orm.Limit())
    with pytest.raises(ConfigError, match="the default is not"):
        orm.Limit(500, le=100)
    with pytest.raises(ConfigError, match="did you mean 'alias'"):
        orm.Filter("name", aliass="n")
    assert orm.Order("price") == orm.Order(field="price")


def test_an_order_is_described() -> None:
    described = ProductQuery.model_json_schema()["properties"]["order"]
    assert described["description"] == "category: by its category"
    assert described["items"]["enum"][:2] == ["price", "-price"]

    class Defaulted(orm.Query[Product]):
        order: list[str] = orm.OrderBy(["price", "name"], default="-price,name")

    assert Defaulted.model_json_schema()["properties"]["order"]["default"] == ["-price", "name"]
    assert next(iter(Defaulted().get_queryset())).sku == "P-7"
    assert "-length" not in described["items"]["enum"]


def test_full_text_is_searched_where_the_engine_can() -> None:
    class Text(orm.Query[Product]):
        text: str = orm.Search("name", "note", match_mode="full_text", config="english")
        limit: int = orm.Limit()

    if connection.vendor != "postgresql":
        with pytest.raises(ConfigError, match="needs PostgreSQL"):
            Text.check()
        return

    class Ranked(Text):
        cursor: str = orm.Cursor()

    with pytest.raises(ConfigError, match="rank=False"):
        Ranked.check()
    first, second = Product.objects.order_by("pk")[:2]
    Product.objects.filter(pk=first.pk).update(name="walking dogs", note="a cat")
    Product.objects.filter(pk=second.pk).update(name="dog dog walks", note="the dog walked a dog")
    query = Text(text="dog walk")
    assert [row.pk for row in query.get_queryset()] == [second.pk, first.pk]
    assert [row.pk for row in Text(text="dog -cat").get_queryset()] == [second.pk]
    assert query.count() == 2


# Context values in expressions


class Marked(orm.Schema[Product]):
    sku: str
    mine: bool = orm.Field(
        Exists(Tag.objects.filter(products=OuterRef("pk"), name=request.var.user_id))
    )
    viewer: str | None = orm.Field(request.var.user_id)
    tags: list[str] = orm.Field("tags.name", queryset=Tag.objects.filter(name=request.var.user_id))


def test_context_values_are_those_of_each_read() -> None:
    def read(value: Any) -> list[Any]:
        found = Marked.serialize(Product.objects.filter(sku="P-2"), context={"user_id": value})
        (row,) = found
        return [row.mine, row.viewer, row.tags]

    assert read("red") == [True, "red", ["red"]]
    assert read("50%") == [False, "50%", []]
    assert read(None) == [False, None, []]
    with pytest.raises(LookupError, match=r"request\.var\.user_id is used outside of a request"):
        Marked.serialize(Product.objects.all())
    assert "NULL" in str(Marked.plan())


def test_aggregates_over_correlated_rows_count_alone() -> None:
    class Counted(orm.Schema[Product]):
        sku: str
        parts: int = orm.Field(SubqueryCount(Part.objects.filter(product=OuterRef("pk"))))
        amount: int | None = orm.Field(
            SubquerySum(Part.objects.filter(product=OuterRef("pk")), "amount")
        )
        tags: int = Count("tags")
        both: int = Count("parts") + Count("tags", distinct=True) * 0
        dearest: Decimal | None = orm.Field(Max("category__products__price"))
        known: int = Coalesce(F("views"), Value(0))

    found = {row.sku: row for row in Counted.serialize(Product.objects.all())}
    assert [found[f"P-{n}"].parts for n in range(8)] == [n % 3 for n in range(8)]
    assert [found[f"P-{n}"].tags for n in range(8)] == [n % 4 for n in range(8)]
    assert [found[f"P-{n}"].amount for n in (0, 2)] == [None, 2]
    assert found["P-0"].dearest == Decimal(60)


# What pydantic adds


def test_serializers_and_computed_fields_are_part_of_answers() -> None:
    class Shout(orm.Schema[Category]):
        name: str

        @pydantic.field_serializer("name")
        def loud(self, value: str) -> str:
            return value.upper()

    class Priced(orm.Schema[Product]):
        sku: str
        price: Decimal = orm.Field(alias="cost")
        category: Shout
        tags: set[str] = orm.Field("tags.name")
        facts: dict[str, Any]

        @pydantic.field_serializer("price")
        def as_text(self, value: Decimal) -> str:
            return f"{value:.1f} €"

        @pydantic.computed_field
        @property
        def label(self) -> str:
            return f"{self.sku} in {self.category.name}"

    rows = Priced.serialize(Product.objects.filter(sku="P-1"))
    expected = {
        "sku": "P-1",
        "cost": "10.0 €",
        "category": {"name": "TOYS"},
        "tags": ["old"],
        "facts": {},
    }
    (found,) = json.loads(encode(rows))
    assert {name: found[name] for name in expected} == expected
    assert found["label"] == "P-1 in toys"
    assert (rows[0].price, rows[0].category.name) == (Decimal(10), "toys")

    class Whole(orm.Schema[Category]):
        name: str

        @pydantic.model_serializer
        def nothing(self) -> dict[str, Any]:
            return {}

    with pytest.raises(ConfigError, match="model serializer"):
        Whole.plan()


def test_instances_have_values_of_their_own() -> None:
    class Held(orm.Schema[Product]):
        facts: dict[str, Any]
        tags: set[str] = orm.Field("tags.name")

    Product.objects.update(facts={"list": [1]})
    rows = Held.serialize(Product.objects.filter(sku="P-3"))
    first, second = rows[0], rows[0]
    first.facts["list"].append(2)
    assert second.facts == rows[0].facts == {"list": [1]}
    assert first.tags == {"old", "red", "50%"}
    for wrong in ("P-3", 5, None):
        with pytest.raises(OrmError, match="expected a queryset"):
            Held.serialize(wrong)  # type: ignore[arg-type]


# Mistakes that are told at set-up


def test_types_that_a_column_does_not_have_are_refused() -> None:
    def plan(annotation: Any, value: Any = None) -> Any:
        space = {"__annotations__": {"field": annotation}, "__module__": __name__}
        space["field"] = orm.Field("name") if value is None else value
        return type(orm.Schema)("Wrong", (orm.Schema[Product],), space).plan()

    for annotation, value, message in (
        (int, None, "holds str, which is not read as int"),
        (datetime, None, "write str"),
        (dict, orm.Field("category"), "holds int"),
        (int, Sum("views"), r"write int \| None"),
        (Decimal, orm.Field(Max("price")), r"write Decimal \| None"),
        (str, Tag.objects.filter(products=OuterRef("pk")).values("name"), r"write str \| None"),
    ):
        with pytest.raises(ConfigError, match=message):
            plan(annotation, value)
    for annotation, value in (
        (str, orm.Field("views")),
        (float, orm.Field("price")),
        (bool, orm.Field("views")),
        (Any, None),
        (int, Count("tags")),
        (int, Sum("views", default=0)),
        (int | None, Sum("views")),
    ):
        plan(annotation, value)


def test_a_manager_that_looks_at_the_moment_is_asked_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Noted(orm.Schema[Book]):
        id: str
        notes: list[int]
        kinds: list[str] = orm.Field("notes.kind")

    book = Book.objects.create(id="n-1")
    for kind in "aab":
        Note(book=book, kind=kind).save()
    for kind, number in (("a", 2), ("b", 1), ("a", 2)):
        monkeypatch.setattr(ShownQuerySet, "shown", kind)
        found = Noted.init("n-1")
        assert (found.id, len(found.notes), found.kinds) == ("n-1", number, [kind] * number)


def test_valid_declarations_are_not_refused() -> None:
    class Wide(orm.Schema[Book]):
        id: str
        token: str
        number: str
        lent_for: OptionalText
        cover: bytes
        address: IPv4Address | None
        notes: list[int]

    class Priced(orm.Schema[Product]):
        note: OptionalText
        color: Literal["red", "green"]
        sku: Annotated[str, pydantic.PlainSerializer(str.lower)]
        category: str = orm.Field(
            Subquery(Category.objects.filter(pk=OuterRef("category")).values("name")[:1])
        )

    assert set(Wide.plan().columns) >= {"token", "number", "cover"}
    (row,) = Priced.serialize(Product.objects.filter(sku="P-1"))
    assert (row.sku, row.category, row.note) == ("P-1", "toys", None)
    assert (
        json.loads(encode(Priced.serialize([row.pk or Product.objects.get(sku="P-1")])))[0]["sku"]
        == "p-1"
    )

    class WrongDate(orm.Schema[Product]):
        created_at: date

    class WrongItems(orm.Schema[Category]):
        notes: list[str] = orm.Field("products.note")

    for wrong, message in ((WrongDate, "write datetime"), (WrongItems, "items may be null")):
        with pytest.raises(ConfigError, match=message):
            wrong.plan()


def test_proxies_are_of_the_same_rows() -> None:
    class ToolSchema(orm.Schema[Tool]):
        sku: str
        note: str | None = orm.Field(no_output=True)

    class Shelf(orm.Schema[Category]):
        products: list[ToolSchema]

    found = Shelf.serialize(Category.objects.filter(name="toys"))[0]
    assert [item.sku for item in found.products] == ["P-1", "P-3", "P-5", "P-7"]
    assert ToolSchema.serialize(Product.objects.filter(note="noted"))[0].sku == "P-0"
    hidden = ToolSchema.init(Tool.objects.filter(note="noted"))
    assert hidden.note == "noted"
    assert "noted" not in repr(hidden)


def test_options_that_are_misspelt_are_refused() -> None:
    for name, hint in (
        ("onwrite", "on_write"),
        ("descripton", "description"),
        ("readonly", "unknown"),
    ):
        with pytest.raises(ConfigError, match=hint):
            orm.Field("name", **{name: True})


def test_groups_are_not_taken_for_rows() -> None:
    groups = Product.objects.values("color").annotate(number=Count("id"))
    for source in (groups, groups.distinct(), Product.objects.values_list("sku")):
        with pytest.raises(OrmError, match="whole rows"):
            Row.serialize(source)


def test_schemas_that_name_each_other_are_found() -> None:
    class ShelfOfNames(orm.Schema[Category]):
        name: str
        products: list["NameOnShelf"]  # type: ignore[name-defined]

    class NameOnShelf(orm.Schema[Product]):
        sku: str
        category: ShelfOfNames | None

    found = ShelfOfNames.serialize(Category.objects.filter(name="toys"))[0]
    assert found.products[0].sku == "P-1"
    assert found.products[0].category is None

    class Strict(orm.Schema[Product]):
        category: "Around"

    class Around(orm.Schema[Category]):
        products: list[Strict]

    with pytest.raises(ConfigError, match=r"None where the row would be inside of itself"):
        Around.plan()

    class Lost(orm.Schema[Product]):
        category: "NoSuchSchema | None"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ConfigError, match="no schema of the name 'NoSuchSchema'"):
        Lost.plan()


# Python properties of the model


def test_properties_of_the_model_are_read_in_one_more_statement() -> None:
    class Quiet(orm.Schema[Person]):
        name: str
        loud: str

    class Social(orm.Schema[Person]):
        circle: str = orm.Field(needs=["friends"])

    class Careless(orm.Schema[Person]):
        circle: str

    ann, bob, _ = (Person.objects.create(name=name, born=date(2000, 1, 1)) for name in "abc")
    ann.friends.add(bob)
    with CaptureQueriesContext(connection) as sent:
        assert [row.loud for row in Quiet.serialize(Person.objects.order_by("pk"))] == [
            "A",
            "B",
            "C",
        ]
    assert len(sent) == Quiet.plan().queries == 2
    with CaptureQueriesContext(connection) as sent:
        assert [row.circle for row in Social.serialize(Person.objects.order_by("pk"))] == [
            "b",
            "a",
            "",
        ]
    assert len(sent) == 3
    with pytest.raises(OrmError, match=r"needs=\["):
        Careless.serialize(Person.objects.all())


def test_members_of_enums_are_compared_by_their_values() -> None:
    class Name(enum.Enum):
        RED = "e-red"
        BLUE = "e-blue"

    class TagQuery(orm.Query[Tag]):
        name: Name
        names: list[Name] = orm.Filter("name")
        lower: Name = orm.Filter(Lower("name"))

    for name in ("e-red", "e-blue", "e-green"):
        Tag.objects.create(name=name)
    for asked, expected in (
        (TagQuery(name=Name.RED), {"e-red"}),
        (TagQuery(names=[Name.RED, Name.BLUE]), {"e-red", "e-blue"}),
        (TagQuery(lower=Name.BLUE), {"e-blue"}),
    ):
        assert set(asked.get_queryset().values_list("name", flat=True)) == expected
