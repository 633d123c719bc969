"""What bare handlers do with the database: Django's `.values_list()`, joined in dictionaries.

`BENCHMARKS_PREBUILT` has the querysets made once, which saves what building them costs; views are
seldom written so.
"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

import benchmarks.implementations.project  # noqa: F401  (sets Django up)
from benchmarks.data import slow_sql
from benchmarks.implementations.shapes import NewArticle
from benchmarks.workloads import LISTED
from testproject.conduit.models import Article, Comment

encode = msgspec.json.Encoder().encode
encode_lines = msgspec.json.Encoder().encode_lines
LINES = 100
THROUGH = Article.tags.through
SLOW_SQL = slow_sql()


def comments_count() -> Any:
    """Return the number of comments of the wanted rows only.

    `Count("comments")` would group all articles before the first ones are taken.
    """
    numbers = (
        Comment.objects.filter(article=OuterRef("pk"))
        .order_by()
        .values("article")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return Coalesce(Subquery(numbers, output_field=IntegerField()), 0)


def articles() -> QuerySet[Any, Any]:
    """Return the articles, newest first, as tuples."""
    return Article.objects.values_list(
        "id",
        "slug",
        "title",
        "description",
        "created_at",
        "updated_at",
        comments_count(),
        "author__username",
        "author__bio",
        "author__image",
    )


if os.environ.get("BENCHMARKS_PREBUILT"):
    _articles = articles()

    def articles() -> QuerySet[Any, Any]:
        """Return the articles, newest first, as tuples, of a queryset made before."""
        return _articles


def joined(rows: Any) -> list[dict[str, Any]]:
    """Return articles with the names of their tags."""
    found: dict[int, dict[str, Any]] = {
        row[0]: {
            "slug": row[1],
            "title": row[2],
            "description": row[3],
            "created_at": row[4],
            "updated_at": row[5],
            "comments_count": row[6],
            "author": {"username": row[7], "bio": row[8], "image": row[9]},
            "tags": [],
        }
        for row in rows
    }
    tags = THROUGH.objects.filter(article__in=list(found)).order_by("tag__name")
    for article, name in tags.values_list("article_id", "tag__name"):
        found[article]["tags"].append(name)
    return list(found.values())


def newest() -> bytes:
    """Return the newest articles as JSON."""
    return encode(joined(articles()[:LISTED]))


def one(key: int) -> bytes | None:
    """Return an article as JSON; None when there is none."""
    found = joined(articles().filter(pk=key))
    return encode(found[0]) if found else None


def create(row: NewArticle) -> bytes:
    """Make an article and return its key and slug as JSON."""
    made = Article.objects.create(
        author_id=row.author_id,
        slug=row.slug,
        title=row.title,
        description=row.description,
        body=row.body,
    )
    return encode({"id": made.pk, "slug": made.slug})


def create_many(rows: list[NewArticle]) -> bytes:
    """Make articles and return their keys and slugs as JSON."""
    made = Article.objects.bulk_create(
        [
            Article(
                author_id=row.author_id,
                slug=row.slug,
                title=row.title,
                description=row.description,
                body=row.body,
            )
            for row in rows
        ]
    )
    return encode([{"id": article.pk, "slug": article.slug} for article in made])


def slow() -> bytes:
    """Run the query that takes 20 ms."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW_SQL)
        cursor.fetchone()
    return b'{"slept": true}'


def comments() -> QuerySet[Any, Any]:
    """Return all comments, shortly."""
    return Comment.objects.order_by("id").values("id", "article_id", "author_id", "created_at")


def lines() -> Iterator[bytes]:
    """Yield all comments as JSON lines, a hundred at a time: sending each alone costs far more."""
    rows = comments().iterator()
    while some := list(islice(rows, LINES)):
        yield encode_lines(some)
