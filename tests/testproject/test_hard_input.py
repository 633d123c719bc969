"""What the RealWorld API makes of input that nobody should send, on every back end."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from testproject.conduit.models import Article, User
from testproject.conduit.users import tokens, users
from tests.clocks import stop_clock_of_logins
from tests.testproject.realworld import Visitor

INVALID = {"token": ["is invalid"]}
OBJECTS: tuple[Any, ...] = (5, 1.5, True, [], ["x"], {}, {"x": 1})
UNICODE = "naïve 数据 مرحبا 👩‍🚀🇪🇺 \u202e é́ <script>'\"\\"


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# -- tokens -------------------------------------------------------------------------------------


def test_tokens_that_are_none_are_nobodys(visitor: Visitor):
    user = visitor.register("ann")
    head, claims, signature = str(user.token).split(".")
    key = User.objects.get(username="ann").pk
    signing = next(iter(tokens.keyring.signing.values()))
    forged = {"_user_id": key, "kind": "access", "exp": int(time.time()) + 1000}
    bad = [
        "abc",
        "a.b.c",
        f"{head}.{claims}.",
        f"{head}.{claims}.c2lnbmF0dXJl",
        f"{head}.{encoded(forged)}.{signature}",
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(forged)}.",
        jwt.encode(forged, "another secret of more than thirty-two bytes", algorithm="HS256"),
        jwt.encode(forged, signing, algorithm="HS384"),
        tokens.encode({**forged, "exp": int(time.time()) - 1}),
        tokens.encode({name: value for name, value in forged.items() if name != "exp"}),
        tokens.encode({**forged, "_user_id": 10**9}),
        tokens.encode({**forged, "_user_id": [key]}),
        tokens.encode({**forged, "kind": "refresh"}),
        f"{user.token} {user.token}",
        "x" * 5000,
    ]
    for token in bad:
        visitor.token = token
        assert visitor.get("/user", 401) == INVALID, token
        # What anybody may see is seen without one that is worth something.
        assert visitor.get("/profiles/ann")["profile"]["following"] is False
    visitor.token = tokens.encode(forged)
    assert visitor.get("/user")["user"]["username"] == "ann"


def test_tokens_of_other_schemes_and_of_those_who_left_are_nobodys(visitor: Visitor):
    user = visitor.register("ann")
    for header in (
        f"Bearer {user.token}",
        str(user.token),
        "Token",
        f"Basic {user.token}",
    ):
        answer = visitor.send("GET", "/user", headers={"Authorization": header})
        assert answer.status_code == 401, header
    answer = visitor.send("GET", "/user", headers={"Authorization": f"token {user.token}"})
    assert answer.status_code == 200
    User.objects.filter(username="ann").update(is_active=False)
    assert user.get("/user", 401) == INVALID
    known = {"email": "ann@test.com", "password": "password123"}
    assert visitor.post("/users/login", {"user": known}, 401) == {"credentials": ["invalid"]}
    User.objects.filter(username="ann").delete()
    assert user.get("/user", 401) == INVALID


def test_guessing_a_password_is_slowed_down(visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    stop_clock_of_logins(monkeypatch)
    sent = {"user": {"email": "guessed@test.com", "password": "wrong"}}
    for _ in range(10):
        visitor.post("/users/login", sent, 401)
    answer = visitor.send("POST", "/users/login", sent)
    assert answer.status_code == 429
    assert answer.json() == {"errors": {"request": ["Too many attempts to log in"]}}
    assert int(answer.headers["retry-after"]) > 0


# -- bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["user", "article", "comment"])
def test_members_of_the_wrong_type_are_named(visitor: Visitor, member: str):
    writer = visitor.register("ann")
    path, good = {
        "user": (
            "/users",
            {"username": "x", "email": "x@test.com", "password": "password123", "image": ""},
        ),
        "article": ("/articles", {"title": "t", "description": "d", "body": "b", "tagList": []}),
        "comment": (f"/articles/{writer.publish()['slug']}/comments", {"body": "b"}),
    }[member]
    for name in good:
        for value in OBJECTS:
            if name == "tagList" and value in ([], ["x"]):
                continue
            found = writer.post(path, {member: {**good, name: value}}, 422)
            assert set(found) == {name}, (name, value, found)
    for body in ({}, [], "text", 5, {member: []}, {member: None}, {member: "x"}, {"other": good}):
        writer.post(path, body, 422)
    for text in (b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"a": 1, "a": 2', b"null", b"NaN"):
        answer = writer.send(
            "POST", path, content=text, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, text[:20]
        assert list(answer.json()) == ["errors"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "nonsense"):
        answer = writer.send("POST", path, content=b"a=b", headers={"Content-Type": kind})
        assert answer.status_code == 415
        assert list(answer.json()) == ["errors"]


def test_what_is_not_ones_to_set_is_left_alone(visitor: Visitor):
    new = {"username": "ann", "email": "ann@test.com", "password": "password123"}
    more = {"is_staff": True, "is_superuser": True, "id": 77, "pk": 77, "token": "x"}
    made = visitor.post("/users", {"user": new | more}, 201)["user"]
    visitor.token = made["token"]
    visitor.put("/user", {"user": more | {"bio": "b"}})
    user = User.objects.get(username="ann")
    assert (user.is_staff, user.is_superuser, user.bio) == (False, False, "b")
    assert user.pk != 77
    other = visitor.register("bob")
    old = "1970-01-01T00:00:00Z"
    forged = {"slug": "mine", "author": 1, "author_id": user.pk, "favoritesCount": 9}
    forged |= {"createdAt": old, "updatedAt": old}
    article = other.publish("Title", **forged)
    assert (article["slug"], article["author"]["username"]) == ("title", "bob")
    assert article["favoritesCount"] == 0
    assert old not in (article["createdAt"], article["updatedAt"])
    path = f"/articles/{article['slug']}/comments"
    sent = {"body": "b", "id": 9999, "author_id": user.pk, "article_id": 9999}
    sent |= {"createdAt": old, "updatedAt": old, "created_at": old}
    comment = other.post(path, {"comment": sent}, 201)["comment"]
    assert (comment["author"]["username"], comment["id"] == 9999) == ("bob", False)
    assert old not in (comment["createdAt"], comment["updatedAt"])


def test_unicode_is_kept_and_what_no_column_holds_is_refused(visitor: Visitor):
    user = visitor.register("数据.文", email="ascii@test.com")
    assert visitor.get("/profiles/数据.文")["profile"]["username"] == "数据.文"
    assert user.put("/user", {"user": {"bio": UNICODE}})["user"]["bio"] == UNICODE
    article = user.publish(
        f"{UNICODE} Zażółć", description=UNICODE, body=UNICODE, tagList=["文", "ß"]
    )
    assert article["title"] == f"{UNICODE} Zażółć"
    assert article["slug"].startswith("naïve-数据-مرحبا")
    assert visitor.get(f"/articles/{article['slug']}")["article"] == article
    assert visitor.get("/articles", tag="文")["articlesCount"] == 1
    assert visitor.get("/articles", author="数据.文")["articlesCount"] == 1
    path = f"/articles/{article['slug']}/comments"
    assert user.post(path, {"comment": {"body": UNICODE}}, 201)["comment"]["body"] == UNICODE
    assert user.publish("!?")["slug"] == "article"
    assert user.publish("feed")["slug"] == "feed"

    new = {"title": "t", "description": "d", "body": "b", "tagList": []}
    for name, value in {**dict.fromkeys(new, "a\0b"), "tagList": ["a\0b"]}.items():
        assert user.post("/articles", {"article": {**new, name: value}}, 422).keys() == {name}
    assert user.post(path, {"comment": {"body": "a\0b"}}, 422).keys() == {"body"}
    for name in ("username", "email", "bio", "image"):
        assert user.put("/user", {"user": {name: "a\0b"}}, 422).keys() == {name}
    for name in ("tag", "author", "favorited"):
        visitor.get("/articles", 422, **{name: "a\0b"})
    visitor.get("/articles/%00", 422)
    visitor.get("/profiles/%00", 422)


def test_sizes_have_bounds(visitor: Visitor):
    user = visitor.register("ann")
    sizes = {"username": 151, "email": 300, "password": 129, "image": 600}
    for name, size in sizes.items():
        text = {"email": "e" * size + "@test.com", "image": f"https://a.b/{'i' * size}"}
        found = user.put("/user", {"user": {name: text.get(name, "x" * size)}}, 422)
        assert found.keys() == {name}
    long = "x" * 300_000
    assert user.publish(body=long)["body"] == long
    assert user.publish("t" * 200)["title"] == "t" * 200
    new = {"title": "t" * 201, "description": "d", "body": "b", "tagList": ["g" * 101]}
    assert user.post("/articles", {"article": new}, 422).keys() == {"title", "tagList"}
    assert len(user.publish(tagList=[f"tag{n}" for n in range(500)])["tagList"]) == 500
    for params in ({"limit": 0}, {"limit": 101}, {"limit": -1}, {"limit": "x"}, {"limit": 2**70}):
        assert visitor.get("/articles", 422, **params).keys() == {"limit"}
    for params in ({"offset": -1}, {"offset": "x"}, {"offset": 2**70}):
        assert visitor.get("/articles", 422, **params).keys() == {"offset"}
    assert visitor.get("/articles", 422, unknown="x").keys() == {"unknown"}
    path = f"/articles/{user.publish()['slug']}/comments"
    for key in (0, -1, 2**63, 2**200):
        assert user.delete(f"{path}/{key}", 404) == {"comment": ["not found"]}
    assert user.delete(f"{path}/abc", 422).keys() == {"id"}


def test_nobody_follows_themselves_and_paths_that_are_none_say_so(visitor: Visitor):
    user = visitor.register("ann")
    assert user.post("/profiles/ann/follow", status=422) == {"profile": ["can't be your own"]}
    assert user.get("/profiles/ann")["profile"]["following"] is False
    assert visitor.get("/nothing", 404) == {"request": ["Not Found"]}
    answer = visitor.send("PATCH", "/user")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, PUT, OPTIONS")
    assert answer.json() == {"errors": {"request": ["Method Not Allowed"]}}


# -- what it costs ------------------------------------------------------------------------------


# Elsewhere they are other threads' statements.
@pytest.mark.parametrize("visitor", ["django", "flask"], indirect=True)
def test_statements_are_as_many_for_many_rows(visitor: Visitor):
    user, writer = visitor.register("fan"), visitor.register("writer")
    user.post("/profiles/writer/follow")
    article = writer.publish(tagList=["a", "b"])
    path = f"/articles/{article['slug']}"
    writer.post(f"{path}/comments", {"comment": {"body": "c"}}, 201)

    def costs() -> dict[tuple[str, bool], int]:
        found = {}
        for asking in (visitor, user):
            paths = ("/articles", "/articles/feed", path, f"{path}/comments", "/profiles/writer")
            for asked in paths:
                if asked == "/articles/feed" and asking is visitor:
                    continue
                with CaptureQueriesContext(connection) as statements:
                    asking.get(asked)
                # A connection that is opened has statements of its own.
                read = [item for item in statements if item["sql"].startswith("SELECT")]
                found[asked.replace(path, "/articles/one"), asking is user] = len(read)
        return found

    costs()
    few = costs()
    for number in range(10):
        writer.post(f"{writer.publish(f't{number}', tagList=['a', 'c']) and path}/favorite")
        user.post(f"{path}/comments", {"comment": {"body": str(number)}}, 201)
    assert costs() == few
    assert few == {
        ("/articles", False): 3,
        ("/articles/one", False): 2,
        ("/articles/one/comments", False): 2,
        ("/profiles/writer", False): 2,
        # One more finds out who asks.
        ("/articles", True): 4,
        ("/articles/feed", True): 4,
        ("/articles/one", True): 3,
        ("/articles/one/comments", True): 3,
        ("/profiles/writer", True): 3,
    }
    assert Article.objects.count() == 11


def test_a_token_that_is_issued_elsewhere_is_taken(visitor: Visitor):
    user = User.objects.create_user("ann", "ann@test.com", "password123")
    visitor.token = tokens.issue(users, user).access_token
    assert visitor.get("/user")["user"]["username"] == "ann"
