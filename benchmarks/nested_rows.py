"""What rows with nested rows cost, here, in other libraries and by hand.

    make bench-orm                        # a temporary SQLite file
    make bench-orm ARGS=--postgres        # a temporary database of PostgreSQL on 127.0.0.1:5432
    make bench-orm ARGS='--postgres postgresql://me:password@db:5432/bench --rounds 9'

The rows are those of `manage.py conduit_sample_data`: 1,000 articles, 50 users, 20 tags, 10,000
comments, 5,000 favorites. Three operations are measured:

* list: the first 100 articles with slug, title, description, moments, number of favorites, author
  (username, bio, image), names of tags and the 3 latest comments of each (id, body, moment,
  author's username), as JSON bytes;
* detail: one article with the same members, found by its slug, as JSON bytes;
* create: 100 new articles with 2 tags each, from dictionaries of plain values.

Each library is used as its documentation advises, with the relations read at once:

* utilmeta: `orm.Schema` and the encoder of its responses; `bulk_save`;
* rest_framework: `ModelSerializer` over `select_related`, `Prefetch` of slices and `only`, rendered
  by `JSONRenderer`; a serializer with `many=True`, which sets the tags of each row;
* ninja: `ModelSchema` over the same queryset, dumped and rendered by its `JSONRenderer` as its
  operations do;
* by hand: `values_list` of three statements, joined in dictionaries, and `json.dumps` with
  `DjangoJSONEncoder`; `bulk_create` of both tables. It validates nothing: utilmeta and
  rest_framework also check types, lengths, keys and unique columns.

Nothing is measured before all answers are the same, and all created rows. The time is that of this
process's CPU, without that of a database server, so that figures of SQLite hold the work of the
database and figures of PostgreSQL do not. All implementations take turns in each round; a figure is
the median of the rounds, a ratio the median of each round's ratio to the same operation by hand.
Created rows are rolled back, which is not measured. Statements are counted without savepoints.
"""

import argparse
import gc
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

NUMBER = 100
LATEST = 3
BY_HAND = "by hand"
OPERATIONS = ("list", "detail", "create")
# Calls of each measurement: enough for the clock, few enough for two minutes.
CALLS = {"list": 2, "detail": 20, "create": 1}
# Creating takes far longer than reading, so it is measured in every third round.
CREATE_EVERY = 3
POSTGRES = f"postgresql://postgres@127.0.0.1:5432/nested_rows_{os.getpid()}"

NewRow = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Implementation:
    """One way to do the operations.

    Attributes:
        name: what it is called in the table.
        first: returns the first articles as JSON.
        detail: returns the article of a slug as JSON.
        create: makes articles; None where the library leaves that to Django.
    """

    name: str
    first: Callable[[], bytes]
    detail: Callable[[str], bytes]
    create: Callable[[list[NewRow]], object] | None = None


def utilmeta() -> Implementation:
    """Schemas of this project."""
    from django.db import models

    from testproject.conduit.models import Article, Comment, User
    from utilmeta.core import orm
    from utilmeta.core.response.encode import make_encoder

    class AuthorSchema(orm.Schema[User]):
        username: str
        bio: str
        image: str | None

    class CommentSchema(orm.Schema[Comment]):
        id: int
        body: str
        created_at: datetime
        author: str = orm.Field("author.username")

    class ArticleSchema(orm.Schema[Article]):
        slug: str
        title: str
        description: str
        created_at: datetime
        updated_at: datetime
        favorites_count: int = orm.Field(models.Count("favorited_by"))
        author: AuthorSchema
        tags: list[str] = orm.Field("tags.name")
        comments: list[CommentSchema] = orm.Field(
            "comments", queryset=Comment.objects.order_by("-created_at", "-id")[:LATEST]
        )

    class NewArticle(orm.Schema[Article]):
        author: int
        slug: str
        title: str
        description: str
        body: str
        tags: list[int]

    encode = make_encoder()
    creating = NewArticle[orm.A]
    return Implementation(
        "utilmeta",
        lambda: encode(ArticleSchema.serialize(Article.objects.all()[:NUMBER])),
        lambda slug: encode(ArticleSchema.init(Article.objects.filter(slug=slug))),
        creating.bulk_save,
    )


def instances() -> Any:
    """Return the queryset of instances with all that serializers read of them."""
    from django.db.models import Prefetch

    from testproject.conduit.models import Article, Comment

    comments = (
        Comment.objects.select_related("author")
        .only("article_id", "body", "created_at", "author__username")
        .order_by("-created_at", "-id")[:LATEST]
    )
    return (
        Article.objects.select_related("author")
        .only(
            "slug",
            "title",
            "description",
            "created_at",
            "updated_at",
            "author__username",
            "author__bio",
            "author__image",
        )
        .annotate(favorites_count=favorites_count())
        .prefetch_related("tags", Prefetch("comments", comments, to_attr="latest_comments"))
    )


def favorites_count() -> Any:
    """Return the expression of an article's favorites, which counts those of the wanted rows only.

    `Count("favorited_by")` would group all articles before the first ones are taken.
    """
    from django.db.models import Count, IntegerField, OuterRef, Subquery
    from django.db.models.functions import Coalesce

    from testproject.conduit.models import Favorite

    numbers = (
        Favorite.objects.filter(article=OuterRef("pk"))
        .order_by()
        .values("article")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return Coalesce(Subquery(numbers, output_field=IntegerField()), 0)


def rest_framework() -> Implementation:
    """Serializers of Django REST framework."""
    from django.db import transaction
    from rest_framework import serializers
    from rest_framework.renderers import JSONRenderer

    from testproject.conduit.models import Article, Comment, User

    class AuthorSerializer(serializers.ModelSerializer):
        class Meta:
            model = User
            fields = ("username", "bio", "image")

    class CommentSerializer(serializers.ModelSerializer):
        author = serializers.CharField(source="author.username")

        class Meta:
            model = Comment
            fields = ("id", "body", "created_at", "author")

    class ArticleSerializer(serializers.ModelSerializer):
        favorites_count = serializers.IntegerField()
        author = AuthorSerializer()
        tags = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
        comments = CommentSerializer(source="latest_comments", many=True)

        class Meta:
            model = Article
            fields = (
                "slug",
                "title",
                "description",
                "created_at",
                "updated_at",
                "favorites_count",
                "author",
                "tags",
                "comments",
            )

    class NewArticleSerializer(serializers.ModelSerializer):
        class Meta:
            model = Article
            fields = ("author", "slug", "title", "description", "body", "tags")

    def create(rows: list[NewRow]) -> None:
        with transaction.atomic():
            serializer = NewArticleSerializer(data=rows, many=True)
            serializer.is_valid(raise_exception=True)
            serializer.save()

    renderer = JSONRenderer()
    queryset = instances()
    return Implementation(
        "rest_framework",
        lambda: renderer.render(ArticleSerializer(queryset[:NUMBER], many=True).data),
        lambda slug: renderer.render(ArticleSerializer(queryset.get(slug=slug)).data),
        create,
    )


def ninja() -> Implementation:
    """Schemas of django-ninja."""
    from ninja import ModelSchema
    from ninja.renderers import JSONRenderer
    from pydantic import TypeAdapter

    from testproject.conduit.models import Article, Comment, User

    class AuthorOut(ModelSchema):
        class Meta:
            model = User
            fields = ("username", "bio", "image")

    class CommentOut(ModelSchema):
        author: str

        class Meta:
            model = Comment
            fields = ("id", "body", "created_at")

        @staticmethod
        def resolve_author(comment: Any) -> str:
            return str(comment.author.username)

    class ArticleOut(ModelSchema):
        favorites_count: int
        author: AuthorOut
        tags: list[str]
        comments: list[CommentOut]

        class Meta:
            model = Article
            fields = ("slug", "title", "description", "created_at", "updated_at")

        @staticmethod
        def resolve_tags(article: Any) -> list[str]:
            return [tag.name for tag in article.tags.all()]

        @staticmethod
        def resolve_comments(article: Any) -> list[Comment]:
            found: list[Comment] = article.latest_comments
            return found

    renderer = JSONRenderer()
    queryset = instances()
    many: Any = TypeAdapter(list[ArticleOut])

    def read_list() -> bytes:
        answer = many.validate_python(list(queryset[:NUMBER]), from_attributes=True)
        text: str = renderer.render(None, many.dump_python(answer), response_status=200)
        return text.encode()

    def read_one(slug: str) -> bytes:
        answer = ArticleOut.from_orm(queryset.get(slug=slug))
        text: str = renderer.render(None, answer.model_dump(), response_status=200)
        return text.encode()

    return Implementation("ninja", read_list, read_one)


def by_hand() -> Implementation:
    """Django alone."""
    from django.core.serializers.json import DjangoJSONEncoder
    from django.db import transaction
    from django.db.models import F, Window
    from django.db.models.functions import RowNumber

    from testproject.conduit.models import Article, Comment

    through = Article.tags.through
    articles = Article.objects.values_list(
        "id",
        "slug",
        "title",
        "description",
        "created_at",
        "updated_at",
        favorites_count(),
        "author__username",
        "author__bio",
        "author__image",
    )
    place = Window(
        RowNumber(), partition_by=F("article_id"), order_by=(F("created_at").desc(), F("id").desc())
    )

    def read(rows: Any) -> list[dict[str, Any]]:
        found = {
            row[0]: {
                "slug": row[1],
                "title": row[2],
                "description": row[3],
                "created_at": row[4],
                "updated_at": row[5],
                "favorites_count": row[6],
                "author": {"username": row[7], "bio": row[8], "image": row[9]},
                "tags": [],
                "comments": [],
            }
            for row in rows
        }
        keys = list(found)
        tags = through.objects.filter(article__in=keys).order_by("tag__name")
        for article, name in tags.values_list("article_id", "tag__name"):
            found[article]["tags"].append(name)
        comments = (
            Comment.objects.filter(article__in=keys)
            .annotate(place=place)
            .filter(place__lte=LATEST)
            .order_by("-created_at", "-id")
            .values_list("article_id", "id", "body", "created_at", "author__username")
        )
        for article, key, body, created_at, author in comments:
            found[article]["comments"].append(
                {"id": key, "body": body, "created_at": created_at, "author": author}
            )
        return list(found.values())

    def read_one(slug: str) -> bytes:
        return json.dumps(read(articles.filter(slug=slug))[0], cls=DjangoJSONEncoder).encode()

    def create(rows: list[NewRow]) -> None:
        with transaction.atomic():
            made = Article.objects.bulk_create(
                [
                    Article(
                        author_id=row["author"],
                        slug=row["slug"],
                        title=row["title"],
                        description=row["description"],
                        body=row["body"],
                    )
                    for row in rows
                ]
            )
            through.objects.bulk_create(
                [
                    through(article_id=article.pk, tag_id=tag)
                    for article, row in zip(made, rows, strict=True)
                    for tag in row["tags"]
                ]
            )

    return Implementation(
        BY_HAND,
        lambda: json.dumps(read(articles[:NUMBER]), cls=DjangoJSONEncoder).encode(),
        read_one,
        create,
    )


@contextmanager
def database(postgres: str | None) -> Iterator[str]:
    """Make a temporary database with the sample data, and yield what it is.

    Args:
        postgres: URL whose database, with `test_` before its name, is made and dropped; None for
            a file of SQLite.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nested_rows.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "testproject.settings"
        os.environ["TESTPROJECT_DATABASE_URL"] = postgres or f"sqlite:///{path}"
        # In debug mode Django keeps the text of each statement.
        os.environ["TESTPROJECT_PRODUCTION"] = "1"
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        name = str(connection.settings_dict["NAME"])
        if postgres is None:
            connection.settings_dict["TEST"]["NAME"] = str(path)
        connection.creation.create_test_db(verbosity=0, autoclobber=postgres is None)
        try:
            call_command("conduit_sample_data", verbosity=0, stdout=io.StringIO())
            with connection.cursor() as cursor:
                # As the server does by itself a minute later.
                if postgres is not None:
                    cursor.execute("ANALYZE")
                sql = "SHOW server_version" if postgres else "SELECT sqlite_version()"
                version = cursor.execute(sql).fetchone()[0].split()[0]
            yield f"{connection.display_name} {version}"
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


def new_rows() -> list[NewRow]:
    """Return what is created: plain values, with keys of authors and tags."""
    from testproject.conduit.models import Tag, User

    authors = list(User.objects.order_by("pk").values_list("pk", flat=True))
    tags = list(Tag.objects.order_by("pk").values_list("pk", flat=True))
    return [
        {
            "author": authors[index % len(authors)],
            "slug": f"new-{index}",
            "title": f"New {index}",
            "description": "A new article.",
            "body": " ".join(["A text of some length."] * 20),
            "tags": [tags[index % len(tags)], tags[(index + 1) % len(tags)]],
        }
        for index in range(NUMBER)
    ]


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what is written inside."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def normalised(answer: bytes) -> Any:
    """Return parsed JSON, its moments as such: `Z`, `+00:00` and zero fractions are one."""

    def moments(members: dict[str, Any]) -> dict[str, Any]:
        return {
            name: datetime.fromisoformat(value) if name.endswith("_at") else value
            for name, value in members.items()
        }

    return json.loads(answer, object_hook=moments)


def created(implementation: Implementation, rows: list[NewRow]) -> list[Any]:
    """Return the rows that an implementation makes of these."""
    from testproject.conduit.models import Article

    assert implementation.create is not None
    with rolled_back():
        implementation.create(rows)
        return [
            {
                "author": article.author_id,
                "slug": article.slug,
                "title": article.title,
                "description": article.description,
                "body": article.body,
                "tags": [tag.pk for tag in article.tags.order_by("pk")],
            }
            for article in Article.objects.filter(slug__startswith="new-").order_by("id")
        ]


def check(implementations: list[Implementation], slug: str, rows: list[NewRow]) -> None:
    """Check that all answers and all created rows are the same.

    Raises:
        SystemExit: some are not.
    """
    wanted = [{**row, "tags": sorted(row["tags"])} for row in rows]
    hand = implementations[-1]
    articles, article = normalised(hand.first()), normalised(hand.detail(slug))
    if len(articles) != NUMBER or article not in articles:
        raise SystemExit(f"{hand.name}: the list, or the article of the list, is not whole")
    if sum(len(item["comments"]) for item in articles) != NUMBER * LATEST:
        raise SystemExit(f"not each article has {LATEST} comments")
    for other in implementations:
        if normalised(other.first()) != articles or normalised(other.detail(slug)) != article:
            raise SystemExit(f"{other.name}: another answer than {hand.name}")
        if other.create is not None and created(other, rows) != wanted:
            raise SystemExit(f"{other.name}: other rows than asked for")


def operation(
    implementation: Implementation, name: str, slug: str, rows: list[NewRow]
) -> Callable[[], object] | None:
    """Return an operation without arguments; None when there is none."""
    if name == "list":
        return implementation.first
    if name == "detail":
        return lambda: implementation.detail(slug)
    create = implementation.create
    return None if create is None else lambda: create(rows)


def statements(call: Callable[[], object]) -> int:
    """Return how many statements an operation executes, without those of transactions."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with rolled_back(), CaptureQueriesContext(connection) as captured:
        call()
    return sum(
        not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
        for query in captured.captured_queries
    )


def measure(call: Callable[[], object], calls: int) -> float:
    """Return the CPU time of one call, in microseconds."""
    gc.collect()
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6


def take_turns(
    calls: dict[str, Callable[[], object]], name: str, times: dict[str, list[float]]
) -> None:
    """Measure an operation of each implementation once; whoever was first is last next time."""
    order = list(calls)
    turn = len(times[BY_HAND]) % len(order)
    for implementation in order[turn:] + order[:turn]:
        if name == "create":
            with rolled_back():
                times[implementation].append(measure(calls[implementation], CALLS[name]))
        else:
            times[implementation].append(measure(calls[implementation], CALLS[name]))


def cells(times: dict[str, list[float]], counts: dict[str, int], name: str) -> str:
    """Return an operation's cells of an implementation's line."""
    if name not in times:
        return "- | - | -"
    ratios = [mine / hand for mine, hand in zip(times[name], times[BY_HAND], strict=True)]
    micros = statistics.median(times[name])
    return f"{statistics.median(ratios):.2f} | {micros:,.0f} | {counts[name]}"


def main() -> None:
    """Check, measure and print the table."""
    parser = argparse.ArgumentParser(description="Compare ways to read and write nested rows.")
    parser.add_argument(
        "--postgres",
        nargs="?",
        const=POSTGRES,
        metavar="URL",
        help="use PostgreSQL; test_ and the database's name is made and dropped (%(const)s)",
    )
    parser.add_argument("--rounds", type=int, default=31, help="number of rounds (%(default)s)")
    options = parser.parse_args()
    with database(options.postgres) as engine:
        rows = new_rows()
        from testproject.conduit.models import Article

        slug = Article.objects.all()[NUMBER // 2].slug
        implementations = [utilmeta(), rest_framework(), ninja(), by_hand()]
        check(implementations, slug, rows)
        calls: dict[str, dict[str, Callable[[], object]]] = {
            name: {
                implementation.name: call
                for implementation in implementations
                if (call := operation(implementation, name, slug, rows)) is not None
            }
            for name in OPERATIONS
        }
        counts = {
            name: {who: statements(call) for who, call in calls[name].items()}
            for name in OPERATIONS
        }
        times: dict[str, dict[str, list[float]]] = {
            name: {who: [] for who in calls[name]} for name in OPERATIONS
        }
        for number in range(options.rounds):
            for name in OPERATIONS:
                if name != "create" or number % CREATE_EVERY == 0:
                    take_turns(calls[name], name, times[name])
    print(f"{engine}, {options.rounds} rounds; ratios of CPU time to {BY_HAND!r}\n")
    heads = [f"{name} | µs | statements" for name in OPERATIONS]
    print(f"| implementation | {' | '.join(heads)} |")
    print(f"|---|{'--:|' * 3 * len(OPERATIONS)}")
    for item in implementations:
        line = " | ".join(cells(times[name], counts[name], item.name) for name in OPERATIONS)
        print(f"| {item.name} | {line} |")


if __name__ == "__main__":
    main()
