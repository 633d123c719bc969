"""What a review of queries and writes found, so that it stays mended."""

from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest
from django.contrib.admin.models import LogEntry
from django.db import models, transaction
from django.test import override_settings
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


class Secretive(orm.Schema[User]):
    username: str
    password: str


class Tagged(orm.Schema[Article]):
    title: str
    slug: str
    description: str
    body: str
    author_id: int
    tags: list[Label] = orm.Field(mode="rwa", on_write="link")


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


@pytest.mark.parametrize("known", [False, True])
def test_related_rows_do_not_choose_their_parent(known: bool) -> None:
    mine, other = Article.objects.order_by("pk")[:2]
    author = mine.author_id
    sent: dict[str, Any] = {"body": "mine", "author_id": author, "article_id": other.pk}
    if known:
        sent["id"] = Comment.objects.create(article=mine, author_id=author, body="old").pk
    Story[orm.WP].model_validate({"id": mine.pk, "comments": [sent]}).save()
    assert Comment.objects.get(body="mine").article_id == mine.pk


def test_related_rows_need_not_name_their_parent() -> None:
    article = Article.objects.order_by("pk")[0]
    sent = {"body": "new", "author_id": article.author_id}
    Story[orm.WP].model_validate({"id": article.pk, "comments": [sent]}).save()
    assert Comment.objects.get(body="new").article_id == article.pk


@pytest.mark.parametrize("header", ['W/"1"', '"' + "9" * 5000 + '"', '"\u0661"'])
def test_weak_and_impossible_tags_name_no_version(header: str) -> None:
    user = User.objects.order_by("pk")[0]
    entry = LogEntry.objects.create(user=user, action_flag=1, object_repr="x")
    with pytest.raises(PreconditionFailed):
        Entry[orm.WP](id=entry.pk, object_repr="y").save(if_match=header)
    Entry[orm.WP](id=entry.pk, object_repr="y").save(if_match='W/"7", "1"')


def test_a_refused_row_leaves_the_open_transaction_usable() -> None:
    with transaction.atomic():
        Tag.objects.create(name="taken")
        with pytest.raises(BadRequest):
            Label[orm.A](name="taken").save()
        with pytest.raises(BadRequest):
            Label[orm.WP](name="taken").commit(Tag.objects.all())
        assert Tag.objects.filter(name="taken").count() == 1


def test_an_asked_order_counts_over_a_reversed_queryset() -> None:
    reverse = Article.objects.order_by("pk").reverse()
    asked = Stories(order=["title"], limit=50).get_queryset(reverse)
    assert list(asked) == list(Article.objects.order_by("title", "pk"))
    assert list(Stories(limit=3).get_queryset(reverse)) == list(Article.objects.order_by("-pk")[:3])


def test_pages_by_cursor_of_a_reversed_queryset_hold_each_row_once() -> None:
    reverse = Article.objects.order_by("pk").reverse()
    keys: list[Any] = []
    token: str | None = ""
    while token is not None:
        page = Story.serialize(Pages(cursor=token).over(reverse))
        keys += page.keys
        token = page.next_cursor
        assert len(keys) <= 12
    assert keys == list(Article.objects.order_by("-pk").values_list("pk", flat=True))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_moments_without_a_zone_are_those_of_the_settings(zone: str) -> None:
    moment = "0001-01-01T00:00:00" if zone.startswith("Asia") else "9999-12-31T23:59:59"
    with override_settings(TIME_ZONE=zone):
        with pytest.raises(pydantic.ValidationError, match="years 1 to 9999"):
            Story[orm.WP].model_validate({"created_at": moment})
        assert Story[orm.WP].model_validate({"created_at": "2026-01-01T00:00:00"}).created_at


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moments_that_utc_has_not_are_refused(moment: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="years 1 to 9999"):
        Story[orm.WP].model_validate({"created_at": moment})
    fine = Story[orm.WP].model_validate({"created_at": "2026-01-01T00:00:00Z"})
    assert fine.created_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_numbers_that_json_has_not_are_refused() -> None:
    info = FieldInfo(annotation=float)
    carry(info, models.FloatField())
    made = pydantic.create_model("Made", number=(float, info))
    for text in ("nan", "inf", "-inf", 1e400):
        with pytest.raises(pydantic.ValidationError, match="finite"):
            made.model_validate({"number": text})


def test_faults_of_rows_mask_secrets_and_cut_long_values() -> None:
    with pytest.raises(BadRequest) as caught:
        Secretive.bulk_save([{"username": "x" * 999, "password": ["hunter2"]}])
    assert "hunter2" not in str(caught.value.errors)
    assert [item["got"] for item in caught.value.errors] == ["x" * 200 + "...", "***"]


def test_a_new_row_is_linked_with_rows_that_exist() -> None:
    tag = Tag.objects.order_by("pk")[0]
    article = Article.objects.order_by("pk")[0]
    sent = {"title": "t", "slug": "linked", "description": "", "body": ""}
    sent |= {"author_id": article.author_id, "tags": [{"id": tag.pk}]}
    saved = Tagged[orm.A].model_validate(sent).save()
    assert list(Article.objects.get(pk=saved.pk).tags.all()) == [tag]
    with pytest.raises(BadRequest):
        Tagged[orm.A].model_validate({**sent, "slug": "other", "tags": [{"name": "x"}]}).save()
