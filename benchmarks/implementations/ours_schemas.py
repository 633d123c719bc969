"""What our API reads and takes."""

from datetime import datetime
from typing import TypedDict

from django.db import connection, models

from benchmarks.data import slow_sql
from testproject.conduit.models import Article, Comment, User
from utilmeta.core import orm

SLOW_SQL = slow_sql()


class AuthorSchema(orm.Schema[User]):
    """An author."""

    username: str
    bio: str
    image: str | None


class ArticleSchema(orm.Schema[Article]):
    """An article."""

    slug: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    comments_count: int = orm.Field(models.Count("comments"))
    author: AuthorSchema
    tags: list[str] = orm.Field("tags.name")


class NewArticle(orm.Schema[Article]):
    """An article to be made."""

    author_id: int
    slug: str
    title: str
    description: str
    body: str


class CommentSchema(orm.Schema[Comment]):
    """A comment, shortly."""

    id: int
    article_id: int
    author_id: int
    created_at: datetime


class Made(TypedDict):
    """An article that was made."""

    id: int
    slug: str


def slow() -> dict[str, bool]:
    """Run the query that takes 20 ms."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW_SQL)
        cursor.fetchone()
    return {"slept": True}
