"""What `orm.Schema` reads of the test project's models; `test_engines` runs it on each engine."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Count, F, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Length, Upper

from testproject.conduit.models import Article, Comment, Favorite, Follow, Tag, User
from testproject.conduit.schemas import ArticleSchema, CommentSchema, FullArticleSchema
from utilmeta.core import orm
from utilmeta.core.response.encode import make_encoder
from utilmeta.core.response.response import ANSWER
from utilmeta.utils.exceptions import ConfigError, OrmError

pytestmark = pytest.mark.usefixtures("sample")
encode = make_encoder()
# Whether articles are the reader's favorites is asked of whoever sent the request.
NOBODY = {"user_id": None}


class Person(orm.Schema[User]):
    username: str
    bio: str
    image: str | None


class Remark(orm.Schema[Comment]):
    id: int
    body: str
    author: Person


class Label(orm.Schema[Tag]):
    name: str


class Piece(orm.Schema[Article]):
    id: int
    slug: str
    comments: list[Remark]
    tags: list[Label]


class Writer(orm.Schema[User]):
    username: str
    articles: list[Piece]


def plain(rows: Any) -> list[dict[str, Any]]:
    """Return what stands in the JSON of rows."""
    return json.loads(encode(rows))


def test_the_engine_is_the_one_asked_for() -> None:
    scheme = os.environ.get("TESTPROJECT_DATABASE_URL", "sqlite:").partition(":")[0]
    assert connection.vendor == scheme


# -- columns ------------------------------------------------------------------------------------


def test_columns_have_the_values_of_the_model() -> None:
    class Columns(orm.Schema[Article]):
        id: int
        slug: str
        title: str
        description: str
        body: str
        created_at: datetime
        updated_at: datetime

    read = Columns.serialize(Article.objects.order_by("pk"))
    expected = list(Article.objects.order_by("pk").values(*Columns.model_fields))
    assert [item.model_dump() for item in read] == expected
    assert len(read) == 12
    assert all(item.created_at.utcoffset() is not None for item in read)


def test_pk_and_a_key_column_are_columns() -> None:
    class Keys(orm.Schema[Article]):
        pk: int
        author_id: int
        author: int
        key: int = orm.Field("author.pk")

    for row, article in zip(
        Keys.serialize(Article.objects.order_by("pk")), Article.objects.order_by("pk"), strict=True
    ):
        assert (row.pk, row.author_id) == (article.pk, article.author_id)
        assert row.author == row.key == article.author_id


def test_an_alias_names_the_value_in_json_and_the_field_names_it_in_python() -> None:
    class Aliased(orm.Schema[Article]):
        slug: str = orm.Field(alias="address")
        created_at: datetime = orm.Field(alias="createdAt")

    rows = Aliased.serialize(Article.objects.all())
    first = Article.objects.all()[0]
    assert rows[0].slug == first.slug
    assert rows[0].created_at == first.created_at
    assert set(plain(rows)[0]) == {"address", "createdAt"}
    assert plain(rows)[0]["address"] == first.slug


def test_a_path_leads_through_single_relations() -> None:
    class Pathed(orm.Schema[Comment]):
        writer: str = orm.Field("author.username")
        article_writer: str = orm.Field("article.author.username")

    comments = Comment.objects.select_related("author", "article__author")
    rows = Pathed.serialize(Comment.objects.all())
    assert [(row.writer, row.article_writer) for row in rows] == [
        (comment.author.username, comment.article.author.username) for comment in comments
    ]
    assert Pathed.plan().queries == 1


def test_null_and_text_of_all_scripts_come_through_unchanged() -> None:
    text = "naïve 数据 こんにちは مرحبا 👩‍🚀🇪🇺 'quoted' \"double\" \\ % %s {x} \u200b é\u0301"
    user = User.objects.create(username="文🌱", email="w@example.com", bio=text, image=None)
    read = Person.init(user.pk)
    assert (read.username, read.bio, read.image) == ("文🌱", text, None)
    assert json.loads(encode(read)) == {"username": "文🌱", "bio": text, "image": None}
    assert text.encode()[:20] in encode(Person.serialize([user.pk]))


# -- single relations ---------------------------------------------------------------------------


def test_a_single_relation_is_read_in_the_same_statement() -> None:
    rows = Remark.serialize(Comment.objects.order_by("pk"))
    assert Remark.plan().queries == 1
    for row, comment in zip(
        rows, Comment.objects.select_related("author").order_by("pk"), strict=True
    ):
        assert isinstance(row.author, Person)
        assert row.author.username == comment.author.username
        assert row.author.image == comment.author.image


def test_an_absent_single_relation_is_none() -> None:
    class Kind(orm.Schema[ContentType]):
        app_label: str
        model: str

    class Entry(orm.Schema[LogEntry]):
        id: int
        content_type: Kind | None
        model: str | None = orm.Field("content_type.model")
        user: Person

    user = User.objects.order_by("pk")[0]
    kind = ContentType.objects.get_for_model(Article)
    common = {"user": user, "object_repr": "x", "action_flag": 1}
    without = LogEntry.objects.create(content_type=None, **common)
    having = LogEntry.objects.create(content_type=kind, **common)
    rows = Entry.serialize([without.pk, having.pk])
    assert rows[0].content_type is None
    assert rows[0].model is None
    assert rows[0].user.username == user.username
    assert rows[1].content_type == Kind(app_label="conduit", model="article")
    assert rows[1].model == "article"
    assert plain(rows)[0]["content_type"] is None


# -- many relations -----------------------------------------------------------------------------


def test_a_reverse_foreign_key_is_read_as_a_list_in_the_models_order() -> None:
    rows = Piece.serialize(Article.objects.order_by("pk"))
    for row, article in zip(rows, Article.objects.order_by("pk"), strict=True):
        # Comment.Meta.ordering: the newest first
        assert [item.id for item in row.comments] == [item.pk for item in article.comments.all()]
    assert sum(len(row.comments) for row in rows) == 40


def test_a_many_to_many_field_is_read_forward_in_the_models_order() -> None:
    rows = Piece.serialize(Article.objects.order_by("pk"))
    for row, article in zip(rows, Article.objects.order_by("pk"), strict=True):
        assert [tag.name for tag in row.tags] == [tag.name for tag in article.tags.all()]
    assert any(len(row.tags) > 1 for row in rows)


def test_a_many_to_many_field_is_read_backward() -> None:
    class Tagged(orm.Schema[Tag]):
        name: str
        articles: list[Piece]

    rows = Tagged.serialize(Tag.objects.all())
    for row, tag in zip(rows, Tag.objects.all(), strict=True):
        assert [item.slug for item in row.articles] == [item.slug for item in tag.articles.all()]
    assert any(row.articles for row in rows)


def test_a_many_to_many_field_with_its_own_through_model_is_read_both_ways() -> None:
    class Favored(orm.Schema[Article]):
        id: int
        favorited_by: list[Person]

    class Fan(orm.Schema[User]):
        id: int
        favorites: list[str] = orm.Field("favorites.slug")

    for row in Favored.serialize(Article.objects.all()):
        users = User.objects.filter(favorite_entries__article=row.id).order_by("pk")
        assert [item.username for item in row.favorited_by] == [item.username for item in users]
    for row in Fan.serialize(User.objects.order_by("pk")):
        expected = Article.objects.filter(favorite_entries__user=row.id)
        assert row.favorites == [item.slug for item in expected]
    assert Favorite.objects.count() == 20


def test_a_relation_of_a_model_to_itself_is_read_both_ways() -> None:
    class Follower(orm.Schema[User]):
        id: int
        following: list[str] = orm.Field("following.username")
        followers: list[str] = orm.Field("followers.username")

    for row in Follower.serialize(User.objects.order_by("pk")):
        out = Follow.objects.filter(follower=row.id).order_by("followed")
        back = Follow.objects.filter(followed=row.id).order_by("follower")
        assert row.following == [item.followed.username for item in out]
        assert row.followers == [item.follower.username for item in back]


def test_a_list_of_plain_values_follows_a_path_beyond_the_relation() -> None:
    class Names(orm.Schema[Article]):
        id: int
        names: list[str] = orm.Field("comments.author.username")
        tags: list[str] = orm.Field("tags.name")

    assert Names.plan().queries == 3
    for row in Names.serialize(Article.objects.all()):
        comments = Comment.objects.filter(article=row.id).select_related("author")
        assert row.names == [item.author.username for item in comments]
        assert row.tags == list(Tag.objects.filter(articles=row.id).values_list("name", flat=True))


def test_a_list_of_a_plain_type_holds_keys() -> None:
    class Keys(orm.Schema[Article]):
        id: int
        comments: list[int]
        tags: list[int]

    for row in Keys.serialize(Article.objects.all()):
        assert row.comments == [item.pk for item in Comment.objects.filter(article=row.id)]
        assert row.tags == [item.pk for item in Tag.objects.filter(articles=row.id)]


def test_a_many_relation_of_a_single_one_is_read_by_its_key() -> None:
    class Author(orm.Schema[User]):
        id: int
        slugs: list[str] = orm.Field("articles.slug")

    class Authored(orm.Schema[Article]):
        author: Author
        others: list[int] = orm.Field("author.articles")

    assert Authored.plan().queries == 3
    for row in Authored.serialize(Article.objects.all()):
        expected = Article.objects.filter(author=row.author.id)
        assert row.author.slugs == [item.slug for item in expected]
        assert row.others == [item.pk for item in expected]


def test_rows_that_share_a_related_row_do_not_share_its_lists() -> None:
    class Author(orm.Schema[User]):
        slugs: list[str] = orm.Field("articles.slug")

    class Authored(orm.Schema[Article]):
        author: Author

    author = User.objects.filter(articles__isnull=False).distinct()[0]
    Article.objects.create(author=author, slug="another", title="t", description="d", body="b")
    first, second = Authored.serialize(author.articles.all()[:2])
    before = list(second.author.slugs)
    first.author.slugs.append("changed")
    assert second.author.slugs == before


def test_rows_without_related_rows_have_empty_lists() -> None:
    alone = User.objects.create(username="alone", email="alone@example.com")
    row = Writer.init(alone)
    assert row.articles == []


# -- statements ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "model", "queries"),
    [
        (Person, User, 1),
        (Remark, Comment, 1),
        (Piece, Article, 3),
        (Writer, User, 4),
        (ArticleSchema, Article, 2),
        (FullArticleSchema, Article, 2),
        (CommentSchema, Comment, 1),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_number_of_statements_is_the_plans_for_1_row_and_for_200(
    schema: type[orm.Schema[Any]],
    model: Any,
    queries: int,
    fill: Callable[..., None],
    django_assert_num_queries: Any,
) -> None:
    fill(users=200, articles=200, comments=400, favorites=100, follows=100, flush=True)
    assert schema.plan().queries == queries
    for size in (1, 200):
        with django_assert_num_queries(queries):
            rows = schema.serialize(model.objects.order_by("pk")[:size], NOBODY)
            assert len(rows) == size
            # Neither JSON nor instances ask the database anything more.
            assert len(plain(rows)) == len([item.model_dump() for item in rows]) == size
    keys = list(model.objects.values_list("pk", flat=True)[:200])
    with django_assert_num_queries(queries):
        assert len(schema.serialize(keys, NOBODY)) == 200
    with django_assert_num_queries(1):
        assert plain(schema.serialize(model.objects.filter(pk=-1), NOBODY)) == []


def test_two_levels_of_nesting_hold_what_the_models_hold() -> None:
    rows = plain(Writer.serialize(User.objects.order_by("pk")))
    assert rows == [
        {
            "username": user.username,
            "articles": [
                {
                    "id": article.pk,
                    "slug": article.slug,
                    "comments": [
                        {
                            "id": comment.pk,
                            "body": comment.body,
                            "author": {
                                "username": comment.author.username,
                                "bio": comment.author.bio,
                                "image": comment.author.image,
                            },
                        }
                        for comment in article.comments.all()
                    ],
                    "tags": [{"name": tag.name} for tag in article.tags.all()],
                }
                for article in user.articles.all()
            ],
        }
        for user in User.objects.order_by("pk")
    ]


def test_more_keys_than_one_statement_takes_are_read_all_the_same() -> None:
    keys = [*range(10_000_000, 10_040_000), *Article.objects.values_list("pk", flat=True)]
    assert len(ArticleSchema.serialize(keys, NOBODY)) == 12


# -- expressions --------------------------------------------------------------------------------


def test_expressions_are_read_with_the_columns() -> None:
    bodies = Comment.objects.filter(article=OuterRef("pk")).values("body")

    class Counted(orm.Schema[Article]):
        id: int
        comments_count: int = orm.Field(Count("comments"), alias="commentsCount")
        latest: str | None = orm.Field(Subquery(bodies[:1]))
        constant: int = orm.Field(Value(7, output_field=IntegerField()))
        is_read: bool = orm.Field(Value(value=False))
        shouted: str = orm.Field(Upper("slug"))
        length: int = orm.Field(Length(F("author__username")))
        author: Person

    assert Counted.plan().queries == 1
    Comment.objects.filter(article=Article.objects.earliest("pk")).delete()
    rows = Counted.serialize(Article.objects.order_by("pk"))
    assert rows[0].comments_count == 0
    assert rows[0].latest is None
    for row in rows:
        article = Article.objects.get(pk=row.id)
        newest = article.comments.first()
        assert row.comments_count == article.comments.count()
        assert row.latest == (newest.body if newest else None)
        assert row.constant == 7
        assert row.is_read is False
        assert row.shouted == article.slug.upper()
        assert row.length == len(article.author.username)
    assert plain(rows)[0]["is_read"] is False
    assert plain(rows)[0]["commentsCount"] == 0


def test_an_expression_over_columns_is_read_in_a_nested_list() -> None:
    class Sized(orm.Schema[Comment]):
        id: int
        size: int = orm.Field(Length("body"))

    class Holder(orm.Schema[Article]):
        comments: list[Sized]

    for row in Holder.serialize(Article.objects.all()):
        for item in row.comments:
            assert item.size == len(Comment.objects.get(pk=item.id).body)


def test_an_expression_is_read_from_a_sliced_queryset() -> None:
    class Counted(orm.Schema[Article]):
        id: int
        number: int = orm.Field(Count("comments"))

    rows = Counted.serialize(Article.objects.order_by("-pk")[2:5])
    keys = list(Article.objects.order_by("-pk").values_list("pk", flat=True)[2:5])
    assert [row.id for row in rows] == keys
    assert [row.number for row in rows] == [
        Comment.objects.filter(article=key).count() for key in keys
    ]


def test_a_queryset_keeps_its_own_filters_annotations_and_order() -> None:
    queryset = (
        Article.objects.filter(comments__isnull=False)
        .annotate(number=Count("comments"))
        .filter(number__gte=2)
        .order_by("-number", "pk")
    )
    assert [row.slug for row in Piece.serialize(queryset)] == [item.slug for item in queryset]
    assert queryset.count() > 1


# -- sources ------------------------------------------------------------------------------------


def test_keys_keep_their_order_and_unknown_ones_are_left_out() -> None:
    keys = list(Article.objects.order_by("pk").values_list("pk", flat=True))
    asked = [keys[4], 10**9, keys[0], keys[11], -1, keys[7]]
    rows = Piece.serialize(asked)
    assert [row.id for row in rows] == [keys[4], keys[0], keys[11], keys[7]]
    assert [row.id for row in Piece.serialize(str(key) for key in asked)] == [
        row.id for row in rows
    ]


def test_instances_are_read_like_their_keys() -> None:
    articles = list(Article.objects.order_by("slug"))
    assert [row.id for row in Piece.serialize(articles)] == [item.pk for item in articles]


def test_init_takes_a_key_an_instance_and_a_queryset() -> None:
    article = Article.objects.order_by("pk")[3]
    by_key = Piece.init(article.pk)
    assert by_key == Piece.init(str(article.pk)) == Piece.init(article)
    assert by_key == Piece.init(Article.objects.filter(slug=article.slug))
    assert (by_key.id, by_key.slug) == (article.pk, article.slug)
    assert Piece.init(Article.objects.order_by("pk")).id == Article.objects.earliest("pk").pk


@pytest.mark.parametrize("source", [10**9, -1, 0, 2**70, "no-number", None])
def test_init_of_a_key_without_a_row_is_a_404(source: object) -> None:
    with pytest.raises(orm.EmptyQueryset) as caught:
        Piece.init(source)
    assert caught.value.status == 404
    assert isinstance(caught.value, OrmError)


def test_init_of_an_empty_queryset_is_a_404_that_names_the_model() -> None:
    for queryset in (Article.objects.none(), Article.objects.filter(slug="-")):
        with pytest.raises(orm.EmptyQueryset, match="article not found") as caught:
            Piece.init(queryset)
        assert caught.value.status == 404


def test_serialize_of_nothing_is_an_empty_sequence(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        for source in ([], (), Article.objects.none(), Article.objects.all()[0:0]):
            rows = Piece.serialize(source)
            assert len(rows) == 0
            assert list(rows) == []
            assert encode(rows) == b"[]"
    with django_assert_num_queries(1):
        assert list(Piece.serialize(Article.objects.filter(pk=-1))) == []


def test_a_sliced_queryset_is_read_as_it_is() -> None:
    rows = Piece.serialize(Article.objects.order_by("pk")[3:6])
    assert [row.id for row in rows] == [item.pk for item in Article.objects.order_by("pk")[3:6]]
    one = Piece.init(Article.objects.order_by("pk")[3:6])
    assert one == rows[0]


def test_a_queryset_of_another_model_is_refused() -> None:
    with pytest.raises(OrmError, match=r"Piece reads Article, got a queryset of User"):
        Piece.serialize(User.objects.all())
    with pytest.raises(OrmError, match=r"Piece reads Article, got a queryset of User"):
        Piece.init(User.objects.all())


def test_an_instance_of_another_model_is_refused() -> None:
    user = User.objects.order_by("pk")[0]
    with pytest.raises(OrmError, match="User"):
        Piece.init(user)
    with pytest.raises(OrmError, match="User"):
        Piece.serialize([user])


def test_the_async_twins_read_the_same() -> None:
    keys = [item.pk for item in Article.objects.order_by("slug")]
    articles = Article.objects.order_by("pk")
    assert async_to_sync(Piece.aserialize)(articles) == Piece.serialize(articles)
    assert async_to_sync(Piece.aserialize)(keys) == Piece.serialize(keys)
    for source in (keys[0], Article.objects.get(pk=keys[0]), articles):
        assert async_to_sync(Piece.ainit)(source) == Piece.init(source)
    with pytest.raises(orm.EmptyQueryset):
        async_to_sync(Piece.ainit)(-1)


# -- rows ---------------------------------------------------------------------------------------


def test_rows_are_a_sequence_of_instances() -> None:
    rows = Piece.serialize(Article.objects.order_by("pk"))
    keys = [item.pk for item in Article.objects.order_by("pk")]
    assert isinstance(rows[0], Piece)
    assert rows[-1].id == keys[-1]
    assert [row.id for row in rows[2:5]] == keys[2:5]
    assert [row.id for row in reversed(rows)] == keys[::-1]
    assert rows[0] in rows
    assert rows == list(rows)
    assert rows[:3] != rows
    assert repr(rows) == "<12 of Piece>"
    with pytest.raises(IndexError):
        rows[12]


@pytest.mark.parametrize(
    ("schema", "model"),
    [(ArticleSchema, Article), (FullArticleSchema, Article), (CommentSchema, Comment)],
)
def test_json_of_rows_equals_json_of_instances(schema: Any, model: Any) -> None:
    rows = schema.serialize(model.objects.all(), NOBODY)
    dumped = [item.model_dump(mode="json", by_alias=True) for item in rows]
    assert plain(rows) == dumped
    assert encode(rows) == encode(list(rows))
    assert encode({"items": rows}) == encode({"items": list(rows)})
    assert len(dumped) == model.objects.count()


def test_instances_pass_the_schemas_own_validation() -> None:
    for row in ArticleSchema.serialize(Article.objects.all(), NOBODY):
        assert ArticleSchema.model_validate(row.model_dump(by_alias=True), context=ANSWER) == row


# -- declarations -------------------------------------------------------------------------------


def test_an_unknown_field_is_refused_with_near_misses() -> None:
    def declare() -> None:
        class Wrong(orm.Schema[Article]):
            titel: str

        Wrong.plan()

    with pytest.raises(ConfigError, match=r"Wrong\.titel.*no field 'titel'.*'title'"):
        declare()


def test_an_unknown_part_of_a_path_is_refused_with_near_misses() -> None:
    def declare() -> None:
        class Wrong(orm.Schema[Article]):
            name: str = orm.Field("author.usrname")

        Wrong.plan()

    with pytest.raises(ConfigError, match=r"Wrong\.name.*User has no field 'usrname'.*'username'"):
        declare()


def test_an_unknown_end_of_a_path_through_many_rows_is_refused() -> None:
    def declare() -> None:
        class Wrong(orm.Schema[Article]):
            names: list[str] = orm.Field("tags.nmae")

        Wrong.plan()

    with pytest.raises(ConfigError, match=r"Wrong\.names.*Tag has no field 'nmae'.*'name'"):
        declare()


def test_an_unknown_field_of_a_nested_schema_is_refused() -> None:
    def declare() -> None:
        class Inner(orm.Schema[Tag]):
            nmae: str

        class Wrong(orm.Schema[Article]):
            tags: list[Inner]

        Wrong.plan()

    with pytest.raises(ConfigError, match=r"Inner\.nmae"):
        declare()


@pytest.mark.parametrize(
    ("annotation", "source", "message"),
    [
        (Label, "tags", r"'tags' leads to many rows, so the type must be a list"),
        (str, "tags.name", r"'tags' leads to many rows"),
        (list[Person], "author", r"'author' leads to one row, so the type must not be a list"),
        (Person, "slug", r"'slug' is a column, which has no Person"),
        (str, "slug.length", r"'slug' is a column, so nothing can follow it"),
        (list[str], "tags.name.length", r"'name' is a column, so nothing can follow it"),
        (Label, "author", r"Label is a schema of Tag, but the relation leads to User"),
        (list[Person], "tags", r"Person is a schema of User, but the relation leads to Tag"),
        (list[str], "comments.article.tags", r"a second many relation, 'tags'"),
        (list[Person], "comments.author", r"a list of schemas takes a relation, not a path"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_type_that_does_not_fit_its_relation_is_refused(
    annotation: Any, source: str, message: str
) -> None:
    def declare() -> None:
        wrong = type(
            "Wrong",
            (orm.Schema[Article],),
            {
                "__module__": __name__,
                "__annotations__": {"value": annotation},
                "value": orm.Field(source),
            },
        )
        wrong.plan()

    with pytest.raises(ConfigError, match=rf"Wrong\.value.*{message}"):
        declare()


def test_a_schema_without_a_model_is_refused() -> None:
    def declare() -> None:
        class Wrong(orm.Schema):  # type: ignore[type-arg]
            name: str

        Wrong.plan()

    with pytest.raises(ConfigError, match=r"Wrong: of which model\? write orm\.Schema\[Model\]"):
        declare()


def test_a_source_that_is_no_path_and_no_expression_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"orm\.Field\(7\)"):
        orm.Field(7)  # type: ignore[arg-type]


def test_a_subclass_reads_the_parents_fields_and_has_a_plan_of_its_own() -> None:
    assert "body" in FullArticleSchema.plan().columns
    assert "body" not in ArticleSchema.plan().columns
    first = Article.objects.all()[0]
    assert FullArticleSchema.init(first, NOBODY).body == first.body
    assert FullArticleSchema.init(first, NOBODY).author.username == first.author.username
