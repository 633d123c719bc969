"""View sets as the source of API classes, which answer as they did."""

from pathlib import Path
from typing import Any

import pydantic
import pytest
from django.core.management import CommandError, call_command

from testproject.conduit.models import Article, Comment, Tag, User
from tests.contrib import ported
from tests.contrib.porting import both, loaded, written

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "tests.contrib.ported"


@pytest.fixture
def rows() -> list[User]:
    users = [User.objects.create_user(name, f"{name}@example.com") for name in ("ann", "bob")]
    tags = [Tag.objects.create(name=name) for name in ("apple", "berry", "cherry", "date", "elder")]
    for number in range(5):
        article = Article.objects.create(
            author=users[number % 2], slug=f"a-{number}", title="T", description="D", body="B"
        )
        article.tags.set(tags[:number])
        Comment.objects.create(article=article, author=users[0], body="abc"[number % 3])
    return users


def test_a_paged_view_set_is_moved(rows: list[User], tmp_path: Path):
    text = written(f"{HERE}.TagViewSet")
    module = loaded(text, tmp_path, "moved_tags")
    with both(ported.TagViewSet, module.TagAPI) as pair:
        for query in ("", "?page=1", "?page=2", "?page=3", "?search=ber", "?ordering=-name&page=2"):
            pair.same("GET", query)
        assert pair.same("GET", "?page=4") == 404
        assert pair.same("GET", "?unknown=1")["count"] == 5
        key = Tag.objects.get(name="apple").pk
        assert pair.same("GET", f"{key}") == {"id": key, "name": "apple"}
        assert pair.same("GET", "9999") == 404
        for sent in (
            {},
            {"name": ""},
            {"name": None},
            {"name": "x" * 101},
            {"name": " "},
            {"name": "berry"},
            [],
        ):
            assert pair.same("POST", json=sent) == 400
        made = [answer.status_code for answer in pair.ask("POST", json={"name": "fig"})]
        assert made == [201, 400]
        assert pair.same("PUT", f"{key}", json={"name": "aprico"})["name"] == "aprico"
        assert pair.same("PUT", f"{key}", json={}) == 400
        assert pair.same("PUT", f"{key}", json={"name": "berry"}) == 400
        assert pair.same("PUT", "9999", json={"name": "none"}) == 404
        assert pair.same("PATCH", f"{key}", json={}) == {"id": key, "name": "aprico"}
        theirs, ours = pair.ask("DELETE", f"{key}")
        assert (theirs.status_code, ours.status_code) == (204, 404)
        assert pair.same("DELETE", "9999") == 404


def test_relations_sources_and_extra_actions_are_moved(rows: list[User], tmp_path: Path):
    text = written(f"{HERE}.ArticleViewSet")
    assert 'author_name: str = orm.Field("author.username")' in text
    assert "ArticleViewSet.perform_destroy is to be moved here by hand." in text
    assert '@api.delete("{slug}/favorite/{kind}")' in text
    module = loaded(text, tmp_path, "moved_articles")
    with both(ported.ArticleViewSet, module.ArticleAPI) as pair:
        first = pair.same("GET")
        assert first["next"].endswith("limit=2&offset=2")
        for query in ("?offset=2", "?offset=4", "?limit=3&offset=1", "?ordering=-author__username"):
            pair.same("GET", query)
        shown = pair.same("GET", "a-3")
        assert shown["tag_names"] == ["apple", "berry", "cherry"]
        assert "body" not in shown
        assert pair.same("GET", "none") == 404
        whole = {
            "slug": "a-3", "title": "N", "description": "D", "body": "B",
            "author": rows[1].pk, "tags": shown["tags"][:1],
        }  # fmt: skip
        for wrong in (
            {"title": "x" * 21},
            {"author": 99999},
            {"tags": [99999]},
            {"slug": "a-0"},
            {"slug": "no slug"},
            {"body": ""},
        ):
            assert pair.same("PUT", "a-3", json={**whole, **wrong}) == 400, wrong
        for name in ("slug", "title", "description", "body", "author"):
            lacking = {key: value for key, value in whole.items() if key != name}
            assert pair.same("PUT", "a-3", json=lacking) == 400, name
        theirs, ours = (answer.json() for answer in pair.ask("PUT", "a-3", json=whole))
        for answer in (theirs, ours):
            answer.pop("updated_at")
        assert theirs == ours
        assert ours["tag_names"] == ["apple"]
        assert Article.objects.get(slug="a-3").author == rows[1]
        without = {key: value for key, value in whole.items() if key != "tags"}
        bodies = [{**without, "slug": f"new-{index}"} for index in range(2)]
        answers = pair.each("POST", *bodies)
        assert [answer.status_code for answer in answers] == [201, 201]
        changing = {"id": None, "slug": None, "created_at": None, "updated_at": None}
        theirs, ours = ({**answer.json(), **changing} for answer in answers)
        assert theirs == ours
        assert ours["tags"] == []
        _, favored = pair.ask("POST", "a-3/favorite/much")
        assert favored.status_code == 501
        assert pair.ask("GET", "feed")[1].status_code == 501


def test_what_only_code_tells_is_left_to_be_moved_by_hand(rows: list[User], tmp_path: Path):
    text = written(
        f"{HERE}.CommentViewSet", f"{HERE}.CommentList", f"{HERE}.StatusView", f"{HERE}.OwnViewSet"
    )
    assert "# CommentViewSet.get_queryset is to be moved here." in text
    assert "# StatusView.get is code of its own" in text
    module = loaded(text, tmp_path, "moved_others")
    text = text.replace("Comment.objects.all()", 'Comment.objects.filter(body__startswith="a")', 1)
    module = loaded(text, tmp_path, "moved_others_by_hand")
    with both(ported.CommentViewSet, module.CommentAPI) as pair:
        assert len(pair.same("GET")) == 2
        assert pair.same("GET", f"{Comment.objects.filter(body='b')[0].pk}") == 404
        assert pair.same("POST", json={}) == 405
    assert {"StatusAPI", "OwnAPI", "CommentListAPI"} <= set(vars(module))


def test_policies_are_moved(rows: list[User], tmp_path: Path):
    text = written(f"{HERE}.GuardedTagViewSet")
    assert "(AllowAny & ~IsAdminUser)" in text
    module = loaded(text, tmp_path, "moved_guarded")
    from rest_framework.throttling import AnonRateThrottle

    AnonRateThrottle.rate = "100/day"
    try:
        with both(ported.GuardedTagViewSet, module.GuardedTagAPI) as pair:
            assert pair.ask("GET")[1].status_code == 200
            assert pair.same("POST", json={"name": "x"}) == 403
    finally:
        del AnonRateThrottle.rate


def test_serializers_are_moved(tmp_path: Path):
    text = written(f"{HERE}.OrderSerializer", f"{HERE}.ArticleSerializer")
    module: Any = loaded(text, tmp_path, "moved_serializers")
    order = {"amount": 1, "places": [{"city": "Rome"}], "price": "1.50"}
    made = module.OrderSchema.model_validate(order)
    assert made.places[0].kind == "a"
    for wrong in ({"amount": 10}, {"places": [{"city": "x" * 21}]}, {"price": "1.555"}):
        with pytest.raises(pydantic.ValidationError):
            module.OrderSchema.model_validate({**order, **wrong})
    assert "# seen: ArticleSerializer.get_seen is to be moved by hand" in text
    assert module.ArticleSchema.plan().queries == 3


def test_what_cannot_be_moved_is_refused(tmp_path: Path):
    for wrong, told in (
        (f"{HERE}.Missing", "has no 'Missing'"),
        (f"{HERE}.Open", "expected a view set"),
        ("testproject.conduit.models.Tag", "expected a view set"),
    ):
        with pytest.raises(CommandError, match=told):
            call_command("utilmeta_from_drf", wrong)
    path = tmp_path / "moved.py"
    call_command("utilmeta_from_drf", f"{HERE}.TagViewSet", output=str(path))
    assert "class TagAPI" in path.read_text()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("utilmeta_from_drf", f"{HERE}.TagViewSet", output=str(path))
