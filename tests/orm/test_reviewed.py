"""What a review of queries and writes found, so that it stays mended."""

from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest
from django.contrib.admin.models import LogEntry
from django.db import models, transaction
from pydantic.fields import FieldInfo

from testproject.conduit.models import Article, Comment, Tag, User
from utilmeta.core import orm
from utilmeta.core.orm.columns import carry
from utilmeta.utils.exceptions import BadRequest, PreconditionFailed

pytestmark = pytest.mark.usefixtures("sample")


class Remark(orm.Schema[Comment]):
    id: int | None = None
    body: str
    author_id: int
    article_id: int = orm.Field(required=False)


class Story(orm.Schema[Article]):
    id: int
    title: str
    created_at: datetime
    comments: list[Remark] = orm.Field(mode="rwa", on_write="update", required=False)


class Entry(orm.Schema[LogEntry]):
    id: int
    object_repr: str
    action_flag: int = orm.Field(version=True)


class Label(orm.Schema[Tag]):
    id: int
    name: str


class Stories(orm.Query[Article]):
    order: list[str] = orm.OrderBy(["title"])
    limit: int = orm.Limit(3)


class Pages(orm.Query[Article]):
    limit: int = orm.Limit(3)
    cursor: str = orm.Cursor()


def test_what_was_read_is_changed_and_saved() -> None:
    story = Story.init(Article.objects.order_by("pk"))
    Article.objects.filter(pk=story.pk).update(body="meanwhile")
    story.title = "changed"
    story.save()
    saved = Article.objects.get(pk=story.pk)
    assert (saved.title, saved.body) == ("changed", "meanwhile")
