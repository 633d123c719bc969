"""What could make a kept statement the wrong one; run by `tests/orm/test_engines.py`."""

import datetime
import threading
import tracemalloc
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections, models, transaction
from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import TruncDate, Upper
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.functional import lazy

from tests.orm.keeping import compiled, nothing_kept
from tests.orm.kept.models import (
    Article,
    Moment,
    Note,
    Sentence,
    SentenceProxy,
    Spoken,
    Tag,
    Tagging,
    Text,
    Thing,
    Word,
)
from utilmeta.core import orm
from utilmeta.core.orm.read.selection import MAX_KEPT

pytestmark = pytest.mark.django_db(databases=["default", "other"])
lazy_word: Any = lazy(lambda: Moment.word, str)()


@pytest.fixture(autouse=True)
def _word() -> Iterator[None]:
    Moment.word = "a"
    yield
    Moment.word = "a"


def at_each_word() -> Iterator[str]:
    """Yield the words of moments, of which the second is told by nothing that is kept."""
    for word in "aba":
        Moment.word = word
        yield word


class Spelled(orm.Schema[Word]):
    name: str


class Said(orm.Schema[Sentence]):
    name: str


def words(names: str = "ab") -> list[Word]:
    return [Word.objects.create(name=name) for name in names]


def word_with(sentences: str) -> Word:
    (word,) = words("a")
    for name in sentences:
        Sentence.objects.create(word=word, name=name)
    return word


def spelled(rows: Any) -> list[str]:
    return [row.name for row in Spelled.serialize(rows)]


# -- whom the statements pass ---------------------------------------------------------------------


def test_wrappers_and_query_logs_see_kept_statements() -> None:
    words()
    spelled(Word.objects.filter(name="a").order_by("id"))
    seen: list[Any] = []

    def wrap(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        seen.append((sql, params, many, context["connection"].alias))
        return execute(sql, params, many, context)

    rows = Word.objects.filter(name="b").order_by("id")
    with connection.execute_wrapper(wrap), CaptureQueriesContext(connection) as sent:
        with compiled() as made:
            assert spelled(rows) == ["b"]
        assert not made
        list(rows.values_list("name", "id"))
    assert len(sent) == 2
    ours, djangos = seen
    assert set(ours[1]) == set(djangos[1])
    assert ours[2:] == djangos[2:]


def test_parameters_are_handed_on_as_django_does() -> None:
    seen: list[Any] = []

    def wrap(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        seen.append(params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        for rows in (Sentence.objects.filter(name="a"), Sentence.objects.all()):
            Said.serialize(rows)
            Said.serialize(rows)
            list(rows.values_list("name"))
    assert {type(params) for params in seen} == {tuple}


def test_wrappers_that_refuse_keep_kept_statements_from_the_database() -> None:
    spelled(Word.objects.filter(name="a"))

    def refuse(*_: Any) -> Any:
        raise PermissionError

    with connection.execute_wrapper(refuse), pytest.raises(PermissionError):
        spelled(Word.objects.filter(name="b"))


def test_kept_statements_are_a_part_of_transactions() -> None:
    words()
    with transaction.atomic():
        Word.objects.create(name="c")
        assert spelled(Word.objects.filter(name="c")) == ["c"]
        transaction.set_rollback(True)
    assert spelled(Word.objects.filter(name="c")) == []
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            spelled(Word.objects.filter(name="c"))


def test_another_database_has_its_own_rows() -> None:
    Word.objects.create(name="a")
    other = Word.objects.using("other").create(name="a", id=77)
    Sentence.objects.using("other").create(word=other, name="far")

    class Full(orm.Schema[Word]):
        sentences: list[str] = orm.Field("sentences.name")

    for _ in range(2):
        assert Full.serialize(Word.objects.filter(name="a"))[0].sentences == []
        far = Full.serialize(Word.objects.using("other").filter(name="a"))
        assert (far.keys, far[0].sentences) == ([77], ["far"])
        assert Full.init(other).sentences == ["far"]
        with CaptureQueriesContext(connections["other"]) as sent:
            Full.serialize(Word.objects.using("other").filter(name="b"))
        assert len(sent) == 1


def test_no_more_texts_are_kept_than_there_may_be() -> None:
    for size in range(MAX_KEPT + 20):
        spelled(Word.objects.filter(id__in=range(size + 1)))
    assert len(Spelled.plan().selection.kept) <= MAX_KEPT
    assert spelled(Word.objects.filter(id__in=[0])) == []


def test_threads_never_mix_their_values() -> None:
    if connection.vendor == "sqlite":
        # In memory each thread would have a database of its own.
        return
    failures: list[Any] = []

    class Echo(orm.Schema[Word]):
        name: str

    shared = Word.objects.all()
    start = threading.Barrier(8)

    def run(number: int) -> None:
        try:
            seen: list[Any] = []

            def wrap(_execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
                if sql.startswith("SELECT") and "kept_word" in sql:
                    seen.append(list(params))
                return _execute(sql, params, many, context)

            start.wait(10)
            with connection.execute_wrapper(wrap):
                for turn in range(60):
                    value = f"{number}-{turn}"
                    names = [value] * (1 + turn % 3)
                    condition = Q(name=value) & Q(name__in=[f"{n}{i}" for i, n in enumerate(names)])
                    Echo.serialize(shared.filter(condition))
                    wrong = [p for p in seen[-1] if isinstance(p, str) and value not in p]
                    # What stands in the text by itself is the order's word.
                    failures.extend(item for item in wrong if item != Moment.word)
                    assert len(seen) == turn + 1
        except BaseException as exc:
            failures.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


# -- what changes ---------------------------------------------------------------------------------


def test_expressions_of_a_project_are_made_anew() -> None:
    class Placed(orm.Schema[Word]):
        name: str
        place: int = orm.Field(Spoken("name", output_field=models.IntegerField()))

    words()
    for word in at_each_word():
        rows = Placed.serialize(Word.objects.order_by("name"))
        assert [row.place for row in rows] == [1 if row.name == word else 2 for row in rows]
        assert spelled(Word.objects.order_by(Spoken("name"))) == sorted(
            "ab", key=lambda name: name != word
        )


def test_the_models_order_is_made_anew() -> None:
    words()
    for word in at_each_word():
        expected = sorted("ab", key=lambda name: name != word)
        assert [row.name for row in Word.objects.all()] == expected
        assert spelled(Word.objects.all()) == expected


def test_the_order_of_a_related_model_is_made_anew() -> None:
    for word in words():
        Sentence.objects.create(word=word, name=word.name)
    for word in at_each_word():
        rows = Sentence.objects.order_by("word")
        expected = sorted("ab", key=lambda name: name != word)
        assert [row.name for row in rows] == expected
        assert [row.name for row in Said.serialize(rows)] == expected


def test_managers_that_change_are_asked_each_time() -> None:
    words()
    for word in at_each_word():
        assert spelled(Word.shown.all()) == [word]
        assert spelled(Word.filtered.filter()) == [word]


@pytest.mark.parametrize("manager", ["shown", "filtered", "loud"])
def test_querysets_of_relations_read_as_their_class_does(manager: str) -> None:
    word = word_with("abab")
    base = getattr(Sentence, manager).order_by("id")

    def read() -> list[list[str]]:
        class Full(orm.Schema[Word]):
            sentences: list[str] = orm.Field("sentences.name", queryset=base)

        return [
            Full.serialize(Word.objects.filter(pk=word.pk))[0].sentences for _ in at_each_word()
        ]

    with nothing_kept():
        expected = read()
    assert read() == expected


def test_a_proxys_manager_that_changes_is_asked_each_time() -> None:
    word = word_with("abab")

    class Full(orm.Schema[Word]):
        sentences: list[str] = orm.Field(
            "sentences.name", queryset=SentenceProxy.objects.distinct()[:1]
        )

    for _ in at_each_word():
        found = Full.init(word.pk).sentences
        with nothing_kept():
            assert found == Full.init(word.pk).sentences


def test_a_table_betweens_manager_that_changes_is_asked_each_time() -> None:
    class Tagged(orm.Schema[Article]):
        tags: list[str] = orm.Field("tags.text")

    article = Article.objects.create()
    for name in "ab":
        Tagging(article=article, tag=Tag.objects.create(text=f"tag {name}"), name=name).save()
    for word in at_each_word():
        with nothing_kept():
            assert Tagged.init(article.pk).tags == [f"tag {word}"]
        assert Tagged.init(article.pk).tags == [f"tag {word}"]


def test_joins_with_conditions_that_change_are_made_anew() -> None:
    class Titled(orm.Schema[Article]):
        title: str | None = orm.Field("active.title")

    article = Article.objects.create()
    for lang, title in (("en", "hello"), ("de", "hallo")):
        Text.objects.create(article=article, lang=lang, title=title)
    for lang, title in (("en", "hello"), ("de", "hallo")):
        with translation.override(lang):
            assert Article.objects.values_list("active__title", flat=True).get() == title
            assert [row.title for row in Titled.serialize(Article.objects.all())] == [title]


def test_filters_by_joins_with_conditions_that_change_are_made_anew() -> None:
    class Sized(orm.Schema[Article]):
        size: int

    article = Article.objects.create()
    for lang, title in (("en", "hello"), ("de", "hallo")):
        Text.objects.create(article=article, lang=lang, title=title)
    for lang, title in (("en", "hello"), ("de", "hallo")):
        with translation.override(lang):
            rows = Article.objects.filter(active__title=title)
            assert list(rows) == [article]
            assert Sized.serialize(rows).keys == [article.pk]


def test_generic_relations_are_joined_by_the_content_type_there_is() -> None:
    class Sized(orm.Schema[Article]):
        size: int

    article = Article.objects.create()
    for _ in range(2):
        Note.objects.create(about=article, text="x")
        rows = Article.objects.filter(notes__text="x")
        assert list(rows) == [article]
        assert Sized.serialize(rows).keys == [article.pk]
        # As test databases that are emptied and filled again do.
        Note.objects.all().delete()
        ContentType.objects.get_for_model(Article).delete()
        ContentType.objects.clear_cache()


def test_lazy_texts_are_asked_each_time() -> None:
    class Marked(orm.Schema[Word]):
        name: str
        word: str = orm.Field(Value(lazy_word, output_field=models.CharField()))

    words()
    for word in at_each_word():
        assert {row.word for row in Marked.serialize(Word.objects.all())} == {word}
        for lookup, value in (("contains", lazy_word), ("exact", lazy_word), ("in", [lazy_word])):
            assert spelled(Word.objects.filter(**{f"name__{lookup}": value})) == [word]


def test_lazy_texts_in_conditions_of_expressions_are_asked_each_time() -> None:
    class Marked(orm.Schema[Word]):
        name: str
        is_it: bool = orm.Field(
            Case(When(name__contains=lazy_word, then=Value(True)), default=Value(False))
        )

    words()
    for word in at_each_word():
        rows = Marked.serialize(Word.objects.order_by("name"))
        assert [row.name for row in rows if row.is_it] == [word]


def test_lazy_texts_in_querysets_of_relations_are_asked_each_time() -> None:
    class Full(orm.Schema[Word]):
        sentences: list[str] = orm.Field(
            "sentences.name", queryset=Sentence.objects.filter(name__startswith=lazy_word)
        )

    word = word_with("ab")
    for name in at_each_word():
        assert Full.init(word.pk).sentences == [name]


def test_days_are_those_of_the_current_time_zone() -> None:
    class Dated(orm.Schema[Thing]):
        day: datetime.date | None = orm.Field(TruncDate("at"))

    thing = Thing.objects.create(at=datetime.datetime(2026, 1, 1, 23, tzinfo=datetime.UTC))
    for hours in (0, 2, 0):
        with timezone.override(datetime.timezone(datetime.timedelta(hours=hours))):
            # MariaDB knows none without its tables of time zones, and has no day then.
            day = Thing.objects.annotate(d=TruncDate("at")).values_list("d", flat=True).get()
            assert day in (datetime.date(2026, 1, 1 + hours // 2), None)
            assert Dated.init(thing.pk).day == day
            rows = Thing.objects.filter(at__date=datetime.date(2026, 1, 1 + hours // 2))
            assert Dated.serialize(rows).keys == list(rows.values_list("pk", flat=True))


def test_moments_are_as_django_has_them_without_time_zones() -> None:
    class Dated(orm.Schema[Thing]):
        at: datetime.datetime | None

    thing = Thing.objects.create(at=datetime.datetime(2026, 1, 1, 23, tzinfo=datetime.UTC))
    for use_tz in (True, False, True):
        with override_settings(USE_TZ=use_tz):
            expected = Thing.objects.get().at
            assert [Dated.init(thing.pk).at, Dated.serialize(Thing.objects.all())[0].at] == [
                expected,
                expected,
            ]


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_transactions_only() -> None:
    class Full(orm.Schema[Word]):
        sentences: list[str] = orm.Field(
            "sentences.name", queryset=Sentence.objects.select_for_update()
        )

    word = word_with("a")
    if not connection.features.has_select_for_update:
        return
    for _ in range(2):
        with transaction.atomic(), CaptureQueriesContext(connection) as sent:
            Full.init(word.pk)
            spelled(Word.objects.select_for_update().filter(name="a"))
        assert [query["sql"].endswith("FOR UPDATE") for query in sent] == [False, True, True]
        with pytest.raises(transaction.TransactionManagementError):
            spelled(Word.objects.select_for_update().filter(name="a"))
        with pytest.raises(transaction.TransactionManagementError):
            Full.init(word.pk)


def test_extra_and_raw_parts_are_filled_with_their_own_values() -> None:
    class Raw(orm.Schema[Word]):
        name: str
        text: str = orm.Field(RawSQL("'100%%s'", (), output_field=models.CharField()))

    words("abc")
    for name in "abc":
        rows = Word.objects.extra(where=["kept_word.name = %s"], params=[name])
        assert spelled(rows) == [name]
        raw = Word.objects.filter(name=RawSQL("LOWER(%s)", [name.upper()]))
        assert [(row.name, row.text) for row in Raw.serialize(raw)] == [(name, "100%s")]
        assert [row.text for row in Raw.serialize(Word.objects.filter(name=name))] == ["100%s"]
        assert spelled(Word.objects.filter(name=Upper(Value(name)))) in ([], [name])


def test_a_constant_queryset_is_filtered_by_each_alone() -> None:
    words("abc")
    base = Word.objects.exclude(name="c")
    for name in "abcab":
        assert spelled(base.filter(name=name)) == [name for _ in [0] if name != "c"]
    assert sorted(spelled(base)) == ["a", "b"]


# -- values ---------------------------------------------------------------------------------------

COLUMNS: dict[str, tuple[Any, list[Any]]] = {
    "at": (
        datetime.datetime,
        [
            datetime.datetime(2026, 10, 25, 1, 30, 0, 123456, tzinfo=datetime.UTC),
            datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=5))),
            datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.UTC),
        ],
    ),
    "day": (datetime.date, [datetime.date(2026, 1, 1), datetime.date(9999, 12, 31)]),
    "time": (datetime.time, [datetime.time(), datetime.time(23, 59, 59, 999999)]),
    "lasts": (
        datetime.timedelta,
        [datetime.timedelta(), datetime.timedelta(days=-3, microseconds=7)],
    ),
    "amount": (Decimal, [Decimal(0), Decimal("-1.500"), Decimal("999999999.999")]),
    "flag": (bool, [True, False]),
    "data": (Any, [{"a": [1, None, "%s"]}, [], "text", 1.5, False]),
    "raw": (bytes, [b"", b"\x00%s\xff"]),
    "ratio": (float, [0.0, -1e300, 0.1]),
    "big": (int, [2**63 - 1, -(2**63)]),
    "small": (int, [-32768, 32767]),
    "number": (int, [-(2**31), 2**31 - 1]),
    "positive": (int, [0, 2**31 - 1]),
    "ip": (str, ["::1", "10.0.0.1"]),
    "text": (str, ["", "%s", "%%", "😀", "_"]),
    "mirrored": (str, ["abc", "%s", ""]),
    "upper": (str, ["abc", "É%s"]),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_values_and_their_types_are_django_s(column: str) -> None:
    kind, values = COLUMNS[column]
    if column == "at" and connection.vendor == "mysql":
        values = values[:1]
    space: dict[str, Any] = {"__module__": __name__, "__qualname__": "Made"}
    space["__annotations__"] = {"value": kind | None if kind is not Any else Any}
    space["value"] = orm.Field(column)
    schema: Any = type(orm.Schema)("Made", (orm.Schema[Thing],), space)
    keys = [Thing.objects.create(**{column: value}).pk for value in [*values, None]]
    rows: Any = Thing.objects.order_by("token")
    for _ in range(2):
        expected = dict(rows.values_list("pk", column))
        read = schema.serialize(rows)
        found = dict(zip(read.keys, (row.value for row in read), strict=True))
        by_key = {key: schema.init(key).value for key in keys}
        as_bytes = kind is bytes
        for key, value in expected.items():
            wanted = bytes(value) if as_bytes and value is not None else value
            assert repr(found[key]) == repr(by_key[key]) == repr(wanted)
        if column == "data":
            continue
        for value in values:
            with nothing_kept():
                alone = schema.serialize(rows.filter(**{column: value})).keys
            assert schema.serialize(rows.filter(**{column: value})).keys == alone


def test_naive_and_folded_moments_find_what_django_finds() -> None:
    class Dated(orm.Schema[Thing]):
        at: datetime.datetime | None

    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    moments = [datetime.datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold) for fold in (0, 1)]
    things = [Thing.objects.create(at=moment) for moment in moments]
    for moment, thing in zip(moments, things, strict=True):
        read = Dated.serialize(Thing.objects.filter(at=moment))
        assert read.keys == [thing.pk]
        assert repr(read[0].at) == repr(Thing.objects.get(pk=thing.pk).at)
        assert Dated.serialize(Thing.objects.filter(at__in=[moment])).keys == [thing.pk]


@pytest.mark.parametrize("amount", [1, 2, 3, 4, 5, 6, 7, 24, 25, 70])
def test_rows_of_many_keys_have_their_own_children(amount: int) -> None:
    class Parent(orm.Schema[Thing]):
        number: int | None
        children: list[int | None] = orm.Field("children.number")

    parents = [Thing.objects.create(number=number) for number in range(amount)]
    for number, parent in enumerate(parents):
        Thing.objects.create(number=1000 + number, parent=parent, token=uuid.uuid4())
    read = Parent.serialize(Thing.objects.filter(parent=None).order_by("number"))
    assert [row.children for row in read] == [[1000 + number] for number in range(amount)]
    assert [row.number for row in Parent.serialize(parents)] == list(range(amount))


# -- aggregates -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Count, Max, Min])
@pytest.mark.parametrize("path", ["tags", "tags__text", "tagging", "tagging__tag", "tags__id"])
def test_aggregates_through_columns_that_are_no_keys_are_djangos(make: Any, path: str) -> None:
    article, _ = Article.objects.create(), Article.objects.create()
    for text in "yxz":
        Tagging(article=article, tag=Tag.objects.create(text=text), name=text).save()
    Tagging(article=article, tag=None).save()

    class Tagged(orm.Schema[Article]):
        value: Any = orm.Field(make(path))

    expected = list(
        Article.objects.order_by("pk").annotate(v=make(path)).values_list("v", flat=True)
    )
    found = [row.value for row in Tagged.serialize(Article.objects.order_by("pk"))]
    assert list(map(repr, found)) == list(map(repr, expected))


def test_asymmetric_relations_are_counted_in_their_direction() -> None:
    class Counted(orm.Schema[Word]):
        follows: int = orm.Field(Count("follows"))
        followers: int = orm.Field(Count("followers"))
        last: str | None = orm.Field(Max("followers__name"))

    one, two, three = words("abc")
    one.follows.add(two, three)
    two.follows.add(three)
    found = [
        (row.follows, row.followers, row.last)
        for row in Counted.serialize(Word.objects.order_by("name"))
    ]
    assert found == [(2, 0, None), (1, 1, "a"), (0, 2, "b")]


def test_expressions_that_ask_other_rows_are_of_each_row() -> None:
    class Known(orm.Schema[Word]):
        name: str
        is_said: bool = orm.Field(Exists(Sentence.objects.filter(word=OuterRef("pk"), name="x%s")))
        same: str = orm.Field(F("name"))

    word_with("x")
    Sentence.objects.create(word=Word.objects.create(name="b"), name="x%s")
    for name in "abab":
        (row,) = Known.serialize(Word.objects.filter(name=name))
        assert (row.name, row.same, row.is_said) == (name, name, name == "b")


def test_lists_of_many_lengths_do_not_fill_the_memory() -> None:
    class Own(orm.Schema[Sentence]):
        name: str

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for size in range(5000, 5050):
            Own.serialize(Sentence.objects.filter(id__in=range(size)))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # There may be five times as many for each schema, and there are many schemas.
    assert used < 20_000_000
