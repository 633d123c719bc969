"""The test project's API over its rows; `test_engines` runs it on each engine."""

import json
from typing import Any

import pytest
from django.test import Client

from testproject.conduit.models import Article, Comment, Tag, User
from testproject.conduit.users import tokens, users
from utilmeta.testing import override_service

pytestmark = pytest.mark.usefixtures("sample")


def slugs(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/api/articles{query}")
    assert answer.status_code == 200, answer.content
    return [item["slug"] for item in answer.json()["articles"]]


def expected(**filters: Any) -> list[str]:
    return list(Article.objects.filter(**filters).values_list("slug", flat=True))


def refused(client: Client, query: str) -> dict[str, list[str]]:
    answer = client.get(f"/api/articles{query}")
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/json"
    return answer.json()["errors"]


def test_articles_are_listed_with_everything_they_promise(client: Client) -> None:
    answer = client.get("/api/articles")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert body["articlesCount"] == 12
    assert [item["slug"] for item in body["articles"]] == expected()
    for item in body["articles"]:
        article = Article.objects.get(slug=item["slug"])
        author = article.author
        assert item == {
            "slug": article.slug,
            "title": article.title,
            "description": article.description,
            "tagList": [tag.name for tag in article.tags.all()],
            "createdAt": article.created_at.isoformat().replace("+00:00", "Z"),
            "updatedAt": article.updated_at.isoformat().replace("+00:00", "Z"),
            "favorited": False,
            "favoritesCount": article.favorited_by.count(),
            "author": {
                "username": author.username,
                "bio": author.bio or None,
                "image": author.image,
                "following": False,
            },
        }


def test_articles_are_filtered(client: Client) -> None:
    for tag in Tag.objects.all():
        assert slugs(client, f"?tag={tag.name}") == expected(tags=tag)
    for user in User.objects.all():
        assert slugs(client, f"?author={user.username}") == expected(author=user)
        assert slugs(client, f"?favorited={user.username}") == expected(favorited_by=user)
        both = client.get("/api/articles", {"author": user.username, "tag": "数据"}).json()
        assert both["articlesCount"] == len(expected(author=user, tags__name="数据"))
    assert slugs(client, "?tag=no-such-tag") == []


def test_pages_are_cut_by_limit_and_offset(client: Client) -> None:
    assert slugs(client, "?limit=5") == expected()[:5]
    assert slugs(client, "?limit=5&offset=10") == expected()[10:]
    assert slugs(client, "?offset=100") == []
    assert slugs(client, "?limit=100") == expected()
    assert client.get("/api/articles?limit=2").json()["articlesCount"] == 12


@pytest.mark.parametrize("value", ["0", "101", "-1", "abc", "1.5", ""])
def test_a_limit_out_of_bounds_is_refused(client: Client, value: str) -> None:
    assert list(refused(client, f"?limit={value}")) == ["limit"]


def test_all_wrong_parameters_are_reported_together(client: Client) -> None:
    assert list(refused(client, "?limit=1000&offset=-3")) == ["limit", "offset"]


def test_an_offset_beyond_64_bits_is_refused(client: Client) -> None:
    assert list(refused(client, f"?offset={2**70}")) == ["offset"]


def test_one_article_is_answered_by_slug(client: Client) -> None:
    article = Article.objects.order_by("pk")[4]
    answer = client.get(f"/api/articles/{article.slug}")
    assert answer.status_code == 200
    body = answer.json()["article"]
    assert body["body"] == article.body
    assert body["author"]["username"] == article.author.username
    listed = {item["slug"]: item for item in client.get("/api/articles").json()["articles"]}
    assert body == {**listed[article.slug], "body": article.body}


@pytest.mark.parametrize(
    ("path", "errors"),
    [
        ("articles/no-such-article", {"article": ["not found"]}),
        ("profiles/nobody", {"profile": ["not found"]}),
        ("nothing", {"request": ["Not Found"]}),
    ],
)
def test_what_is_not_there_is_a_404(client: Client, path: str, errors: object) -> None:
    answer = client.get(f"/api/{path}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"errors": errors}


def test_tags_are_listed_by_name(client: Client) -> None:
    tags = client.get("/api/tags").json()["tags"]
    assert tags == list(Tag.objects.order_by("name").values_list("name", flat=True))
    assert len(tags) == 8
    assert "数据" in tags


def test_a_profile_is_answered_by_name(client: Client) -> None:
    for user in User.objects.all():
        answer = client.get(f"/api/profiles/{user.username}")
        assert answer.json() == {
            "profile": {
                "username": user.username,
                "bio": user.bio or None,
                "image": user.image,
                "following": False,
            }
        }


def as_user(user: User) -> dict[str, str]:
    """Return the headers of a user's requests."""
    return {"Authorization": f"Token {tokens.issue(users, user).access_token}"}


def test_a_comment_is_added(client: Client) -> None:
    article, author = Article.objects.earliest("pk"), User.objects.earliest("pk")
    text = "こんにちは 👩‍🚀 naïve"
    before = article.comments.count()
    answer = client.post(
        f"/api/articles/{article.slug}/comments",
        json.dumps({"comment": {"body": text}}),
        content_type="application/json",
        headers=as_user(author),
    )
    assert answer.status_code == 201, answer.content
    made = Comment.objects.latest("pk")
    assert (made.article, made.author, made.body) == (article, author, text)
    assert article.comments.count() == before + 1
    body = answer.json()["comment"]
    assert (body["id"], body["body"]) == (made.pk, text)
    assert body["author"]["username"] == author.username


@pytest.mark.parametrize(
    ("slug", "body", "status"),
    [
        ("no-such-article", {"comment": {"body": "x"}}, 404),
        (None, {"comment": {"body": ""}}, 422),
        (None, {"comment": {}}, 422),
        (None, {"comment": []}, 422),
        (None, {}, 422),
        (None, [], 422),
    ],
)
def test_a_wrong_comment_is_refused(
    client: Client, slug: str | None, body: object, status: int
) -> None:
    path = f"/api/articles/{slug or Article.objects.earliest('pk').slug}/comments"
    before = Comment.objects.count()
    headers = as_user(User.objects.earliest("pk"))
    text = json.dumps(body)
    answer = client.post(path, text, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content
    assert Comment.objects.count() == before


def test_the_list_takes_three_statements_whatever_its_length(
    client: Client, fill: Any, django_assert_num_queries: Any
) -> None:
    fill(users=60, articles=200, comments=300, favorites=100, follows=50, flush=True)
    client.get("/api/articles")
    for limit in (1, 100):
        with django_assert_num_queries(3):
            assert len(slugs(client, f"?limit={limit}")) == limit
    with django_assert_num_queries(3):
        assert len(slugs(client, "?limit=100&tag=garden")) > 1
    first = expected()[0]
    with django_assert_num_queries(2):
        client.get(f"/api/articles/{first}")
    with django_assert_num_queries(1):
        client.get("/api/tags")


def test_flask_answers_the_same_bytes(client: Client) -> None:
    slug, name = expected()[0], User.objects.earliest("pk").username
    paths = [
        "/api/articles?limit=3",
        "/api/articles?limit=1000",
        f"/api/articles/{slug}",
        "/api/articles/nothing",
        "/api/tags",
        f"/api/profiles/{name}",
    ]
    answers = [client.get(path) for path in paths]
    with override_service(
        backend="flask", name="conduit", api="testproject.conduit.api.RootAPI", route="/api"
    ) as service:
        flask = service.application().test_client()
        for path, answer in zip(paths, answers, strict=True):
            other = flask.get(path)
            assert (other.status_code, other.data) == (answer.status_code, answer.content), path
            assert other.headers["Content-Type"] == answer["Content-Type"]
