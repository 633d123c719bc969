"""What RealWorld's own test suite asks of a back end, file by file, on all of ours.

Written after https://github.com/realworld-apps/realworld, `specs/api/hurl/*.hurl` and `openapi.yml`
(2.0.0), whose 13 files are the sections here.
"""

import re
from typing import Any

import pytest

from tests.testproject.realworld import Visitor

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
LISTED = {
    "slug",
    "title",
    "description",
    "tagList",
    "createdAt",
    "updatedAt",
    "favorited",
    "favoritesCount",
    "author",
}
MISSING = {"token": ["is missing"]}
BLANK = ["can't be blank"]
NO_ARTICLE = {"article": ["not found"]}


def check_article(article: dict[str, Any], *, in_list: bool = False) -> None:
    """Check the shape of an article."""
    assert set(article) == (LISTED if in_list else LISTED | {"body"})
    assert MOMENT.match(article["createdAt"])
    assert MOMENT.match(article["updatedAt"])
    assert isinstance(article["favorited"], bool)
    assert isinstance(article["favoritesCount"], int)
    assert all(isinstance(name, str) for name in article["tagList"])
    assert set(article["author"]) == {"username", "bio", "image", "following"}


# -- auth.hurl, errors_auth.hurl ----------------------------------------------------------------


def test_auth(visitor: Visitor):
    new = {"username": "ann", "email": "ann@test.com", "password": "password123"}
    made = visitor.post("/users", {"user": new}, 201)["user"]
    assert made.pop("token").count(".") == 2
    assert made == {"username": "ann", "email": "ann@test.com", "bio": None, "image": None}
    known = {"user": {"email": "ann@test.com", "password": "password123"}}
    visitor.token = visitor.post("/users/login", known)["user"]["token"]
    assert visitor.get("/user")["user"] | {"token": ""} == {**made, "token": ""}

    def change(**members: Any) -> dict[str, Any]:
        changed = visitor.put("/user", {"user": members})["user"]
        assert visitor.get("/user")["user"] | {"token": ""} == changed | {"token": ""}
        assert changed["token"]
        return changed

    assert change(bio="Updated bio") | {"token": ""} == {**made, "bio": "Updated bio", "token": ""}
    assert change(bio="")["bio"] is None
    assert change(bio="Back")["bio"] == "Back"
    assert change(bio=None)["bio"] is None
    image = "https://example.com/me.jpg"
    assert change(image=image)["image"] == image
    assert change(image="")["image"] is None
    assert change(image=image)["image"] == image
    assert change(image=None)["image"] is None
    renamed = change(username="anna", email="anna@test.com")
    assert (renamed["username"], renamed["email"]) == ("anna", "anna@test.com")
    change(password="another-password")
    other = {"email": "anna@test.com", "password": "another-password"}
    assert visitor.post("/users/login", {"user": other})["user"]["username"] == "anna"
    visitor.post("/users/login", known, 401)


@pytest.mark.parametrize("name", ["username", "email", "password"])
def test_errors_auth_blank(visitor: Visitor, name: str):
    new = {"username": "bob", "email": "bob@test.com", "password": "password123"}
    assert visitor.post("/users", {"user": {**new, name: ""}}, 422) == {name: BLANK}
    assert visitor.post("/users", {"user": {**new, name: None}}, 422).keys() == {name}
    del new[name]
    assert visitor.post("/users", {"user": new}, 422) == {name: BLANK}
    user = visitor.register("bob")
    assert user.put("/user", {"user": {name: ""}}, 422) == {name: BLANK}
    assert user.put("/user", {"user": {name: None}}, 422).keys() == {name}
    login = {"email": "bob@test.com", "password": "password123"}
    assert user.post("/users/login", {"user": login})["user"]["username"] == "bob"
    if name != "username":
        assert visitor.post("/users/login", {"user": {**login, name: ""}}, 422) == {name: BLANK}


def test_errors_auth(visitor: Visitor):
    user = visitor.register("dup")
    visitor.register("other")
    taken = {"username": "dup", "email": "dup@test.com", "password": "password123"}
    for name, value in (("username", "dup2"), ("email", "dup2@test.com")):
        other = "email" if name == "username" else "username"
        found = visitor.post("/users", {"user": {**taken, name: value}}, 409)
        assert found == {other: ["has already been taken"]}
        found = user.put("/user", {"user": {other: taken[other].replace("dup", "other")}}, 409)
        assert found == {other: ["has already been taken"]}
    wrong = {"email": "dup@test.com", "password": "wrongpassword"}
    assert visitor.post("/users/login", {"user": wrong}, 401) == {"credentials": ["invalid"]}
    wrong["email"] = "nobody@test.com"
    assert visitor.post("/users/login", {"user": wrong}, 401) == {"credentials": ["invalid"]}
    assert visitor.get("/user", 401) == MISSING
    assert visitor.put("/user", {"user": {"bio": "test"}}, 401) == MISSING
    assert user.put("/user", {"user": {"password": "short12"}}, 422).keys() == {"password"}


# -- articles.hurl, errors_articles.hurl --------------------------------------------------------


def test_articles(visitor: Visitor):
    user = visitor.register("writer")
    made = user.publish("Test Article", tagList=["d_tag", "t_tag"])
    check_article(made)
    assert (made["title"], made["body"], made["tagList"]) == (
        "Test Article",
        "b",
        ["d_tag", "t_tag"],
    )
    assert (made["favorited"], made["favoritesCount"]) == (False, 0)
    assert made["author"]["username"] == "writer"
    for asking in (visitor, user):
        for params in ({}, {"author": "writer"}, {"tag": "d_tag"}):
            page = asking.get("/articles", **params)
            assert page["articlesCount"] == 1
            check_article(page["articles"][0], in_list=True)
    path = f"/articles/{made['slug']}"
    assert visitor.get(path)["article"] == made

    changed = user.put(path, {"article": {"body": "Updated body"}})["article"]
    assert changed["updatedAt"] > made["updatedAt"]
    assert changed == {**made, "body": "Updated body", "updatedAt": changed["updatedAt"]}
    assert visitor.get(path)["article"] == changed
    # Tags that are not sent stay, an empty list takes them away, null is refused.
    assert user.put(path, {"article": {"tagList": None}}, 422).keys() == {"tagList"}
    assert visitor.get(path)["article"]["tagList"] == ["d_tag", "t_tag"]
    assert user.put(path, {"article": {"tagList": ["t_tag"]}})["article"]["tagList"] == ["t_tag"]
    assert user.put(path, {"article": {"tagList": []}})["article"]["tagList"] == []
    # A new title makes a new slug.
    renamed = user.put(path, {"article": {"title": "Another title"}})["article"]
    assert renamed["slug"] != made["slug"]
    assert visitor.get(path, 404) == NO_ARTICLE
    assert visitor.get(f"/articles/{renamed['slug']}")["article"] == renamed
    user.delete(f"/articles/{renamed['slug']}")
    assert visitor.get(f"/articles/{renamed['slug']}", 404) == NO_ARTICLE


def test_errors_articles(visitor: Visitor):
    new = {"title": "t", "description": "d", "body": "b"}
    assert visitor.post("/articles", {"article": new}, 401) == MISSING
    assert visitor.put("/articles/some-slug", {"article": {"body": "x"}}, 401) == MISSING
    assert visitor.delete("/articles/some-slug", 401) == MISSING
    assert visitor.get("/articles/feed", 401) == MISSING
    assert visitor.post("/articles/some-slug/favorite", status=401) == MISSING
    assert visitor.delete("/articles/some-slug/favorite", 401) == MISSING
    assert visitor.get("/articles/unknown", 404) == NO_ARTICLE
    user = visitor.register("writer")
    for name in new:
        assert user.post("/articles", {"article": {**new, name: ""}}, 422) == {name: BLANK}
        assert user.post("/articles", {"article": {**new, name: " \n"}}, 422) == {name: BLANK}
        assert user.post("/articles", {"article": {**new, name: None}}, 422) == {name: BLANK}
    first, second = user.publish("Same"), user.publish("Same")
    assert first["slug"] != second["slug"]
    assert user.put("/articles/unknown", {"article": {"body": "x"}}, 404) == NO_ARTICLE
    assert user.post("/articles/unknown/favorite", status=404) == NO_ARTICLE
    assert user.delete("/articles/unknown/favorite", 404) == NO_ARTICLE
    assert user.delete("/articles/unknown", 404) == NO_ARTICLE
    user.delete(f"/articles/{second['slug']}")


def test_errors_authorization(visitor: Visitor):
    one, other = visitor.register("one"), visitor.register("other")
    path = f"/articles/{one.publish()['slug']}"
    assert other.delete(path, 403) == {"article": ["forbidden"]}
    assert other.put(path, {"article": {"body": "x"}}, 403) == {"article": ["forbidden"]}
    # Strangers learn nothing about what else is wrong.
    assert other.put(path, {"article": {"body": ""}}, 403) == {"article": ["forbidden"]}
    comment = one.post(f"{path}/comments", {"comment": {"body": "mine"}}, 201)["comment"]
    found = other.delete(f"{path}/comments/{comment['id']}", 403)
    assert found == {"comment": ["forbidden"]}
    assert [item["body"] for item in visitor.get(f"{path}/comments")["comments"]] == ["mine"]
    one.delete(path)


# -- comments.hurl, errors_comments.hurl --------------------------------------------------------


def test_comments(visitor: Visitor):
    user = visitor.register("reader")
    path = f"/articles/{user.publish()['slug']}/comments"
    made = user.post(path, {"comment": {"body": "Test comment"}}, 201)["comment"]
    assert set(made) == {"id", "createdAt", "updatedAt", "body", "author"}
    assert isinstance(made["id"], int)
    assert MOMENT.match(made["createdAt"])
    assert MOMENT.match(made["updatedAt"])
    assert (made["body"], made["author"]["username"]) == ("Test comment", "reader")
    for asking in (user, visitor):
        assert asking.get(path)["comments"] == [made]
    user.delete(f"{path}/{made['id']}")
    assert visitor.get(path) == {"comments": []}
    first = user.post(path, {"comment": {"body": "First"}}, 201)["comment"]
    second = user.post(path, {"comment": {"body": "Second"}}, 201)["comment"]
    assert visitor.get(path)["comments"] == [second, first]
    user.delete(f"{path}/{first['id']}")
    assert visitor.get(path)["comments"] == [second]


def test_errors_comments(visitor: Visitor):
    sent = {"comment": {"body": "x"}}
    assert visitor.post("/articles/some-slug/comments", sent, 401) == MISSING
    assert visitor.delete("/articles/some-slug/comments/1", 401) == MISSING
    user = visitor.register("reader")
    path = f"/articles/{user.publish('One')['slug']}/comments"
    assert user.post(path, {"comment": {"body": ""}}, 422) == {"body": BLANK}
    assert user.post("/articles/unknown/comments", sent, 404) == NO_ARTICLE
    assert visitor.get("/articles/unknown/comments", 404) == NO_ARTICLE
    assert user.delete("/articles/unknown/comments/1", 404) == NO_ARTICLE
    assert user.delete(f"{path}/99999", 404) == {"comment": ["not found"]}
    made = user.post(path, sent, 201)["comment"]
    elsewhere = f"/articles/{user.publish('Two')['slug']}/comments"
    assert user.delete(f"{elsewhere}/{made['id']}", 404) == {"comment": ["not found"]}
    assert visitor.get(path)["comments"] == [made]


# -- profiles.hurl, errors_profiles.hurl --------------------------------------------------------


def test_profiles(visitor: Visitor):
    fan = visitor.register("fan")
    visitor.register("celeb")
    shown = {"username": "celeb", "bio": None, "image": None, "following": False}
    followed = {**shown, "following": True}
    for asking in (visitor, fan):
        assert asking.get("/profiles/celeb") == {"profile": shown}
    for _ in range(2):
        assert fan.post("/profiles/celeb/follow") == {"profile": followed}
    assert fan.get("/profiles/celeb") == {"profile": followed}
    assert visitor.get("/profiles/celeb") == {"profile": shown}
    for _ in range(2):
        assert fan.delete("/profiles/celeb/follow", 200) == {"profile": shown}
    assert fan.get("/profiles/celeb") == {"profile": shown}


def test_errors_profiles(visitor: Visitor):
    unknown = {"profile": ["not found"]}
    assert visitor.get("/profiles/unknown", 404) == unknown
    assert visitor.post("/profiles/unknown/follow", status=401) == MISSING
    assert visitor.delete("/profiles/unknown/follow", 401) == MISSING
    user = visitor.register("fan")
    assert user.post("/profiles/unknown/follow", status=404) == unknown
    assert user.delete("/profiles/unknown/follow", 404) == unknown


# -- favorites.hurl, feed.hurl, pagination.hurl, tags.hurl --------------------------------------


def test_favorites(visitor: Visitor):
    fan, writer = visitor.register("fan"), visitor.register("writer")
    path = f"/articles/{writer.publish()['slug']}"
    for _ in range(2):
        favored = fan.post(f"{path}/favorite")["article"]
        check_article(favored)
        assert (favored["favorited"], favored["favoritesCount"]) == (True, 1)
    assert fan.get(path)["article"] == favored
    assert writer.get(path)["article"] == {**favored, "favorited": False}
    for asking, is_mine in ((visitor, False), (fan, True), (writer, False)):
        page = asking.get("/articles", favorited="fan")
        check_article(page["articles"][0], in_list=True)
        assert page["articles"][0]["favorited"] is is_mine
        assert page["articles"][0]["favoritesCount"] == page["articlesCount"] == 1
    assert visitor.get("/articles", favorited="writer")["articlesCount"] == 0
    for _ in range(2):
        left = fan.delete(f"{path}/favorite", 200)["article"]
        assert (left["favorited"], left["favoritesCount"]) == (False, 0)
    assert fan.get(path)["article"] == left


def test_feed_and_pagination(visitor: Visitor):
    fan, writer, stranger = map(visitor.register, ("fan", "writer", "stranger"))
    assert fan.get("/articles/feed") == {"articles": [], "articlesCount": 0}
    for number in range(3):
        writer.publish(f"Written {number}")
        stranger.publish(f"Strange {number}")
    fan.post("/profiles/writer/follow")

    def titles(path: str, count: int, **params: Any) -> list[str]:
        page = fan.get(path, **params)
        assert page["articlesCount"] == count
        for article in page["articles"]:
            check_article(article, in_list=True)
            assert article["author"]["following"] is (article["author"]["username"] == "writer")
        return [article["title"] for article in page["articles"]]

    assert titles("/articles/feed", 3) == ["Written 2", "Written 1", "Written 0"]
    assert titles("/articles/feed", 3, limit=1) == ["Written 2"]
    assert titles("/articles/feed", 3, limit=1, offset=1) == ["Written 1"]
    assert titles("/articles/feed", 3, offset=5) == []
    assert titles("/articles", 6, limit=1) == ["Strange 2"]
    assert titles("/articles", 6, limit=1, offset=1) == ["Written 2"]
    assert titles("/articles", 3, author="stranger", limit=2) == ["Strange 2", "Strange 1"]
    fan.delete("/profiles/writer/follow", 200)
    assert titles("/articles/feed", 0) == []


def test_tags(visitor: Visitor):
    user = visitor.register("writer")
    assert visitor.get("/tags") == {"tags": []}
    user.publish("One", tagList=["zebra", "apple"])
    assert user.publish("Two", tagList=["apple", "mango", "apple"])["tagList"] == ["apple", "mango"]
    assert visitor.get("/tags") == {"tags": ["apple", "mango", "zebra"]}
