"""Fields of schemas that some may read or write and others may not."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection, models
from pydantic import ValidationError

from testproject.conduit.models import Article, User
from tests.testing.services import BACKENDS, service_on
from utilmeta.core import api, auth, orm, request
from utilmeta.core.api.compile import compile_api
from utilmeta.core.api.specs.openapi import make_document
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.orm.backends.django.models import PasswordField
from utilmeta.testing import Client
from utilmeta.utils.exceptions import ConfigError

pytestmark = pytest.mark.django_db(transaction=True)

tokens = JsonWebToken("a secret of more than thirty-two bytes")
users = auth.User(User, authentication=tokens)


@auth.rule(is_quick=True)
def is_staff(asked: request.Request) -> bool:
    user = request.var.user.get(asked)
    return user is not None and user.is_staff


class AuthorSchema(orm.Schema[User]):
    username: str
    email: str = orm.Field(read=is_staff)


class ArticleSchema(orm.Schema[Article]):
    slug: str
    title: str
    description: str = orm.Field(read=auth.is_authenticated, write=is_staff)
    body: str = orm.Field(alias="text", write=is_staff)
    author: AuthorSchema


class ArticleQuery(orm.Query[Article]):
    fields: list[str] = orm.Scope()


class ArticleAPI(api.API):
    user: User | None = users

    def get(self, query: ArticleQuery) -> list[ArticleSchema]:
        return ArticleSchema.serialize(query)

    @api.get("{slug}")
    def one(self, slug: str) -> ArticleSchema:
        return ArticleSchema.init(Article.objects.filter(slug=slug))

    @api.patch("{slug}")
    def change(self, slug: str, data: ArticleSchema[orm.WP]) -> ArticleSchema:
        data.pk = Article.objects.get(slug=slug).pk
        return data.save()

    @api.put
    def made(self, title: str = request.BodyParam) -> str:
        made = ArticleSchema[orm.WP](title=title, description="set by code")
        return made.description


@pytest.fixture
def people() -> dict[str, str]:
    plain = User.objects.create(username="plain", email="plain@example.com")
    staff = User.objects.create(username="staff", email="staff@example.com", is_staff=True)
    Article.objects.create(author=plain, slug="a", title="A", description="d", body="b")
    return {
        user.username: f"Bearer {tokens.issue(users, user).access_token}" for user in (plain, staff)
    }


@pytest.fixture(params=BACKENDS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with service_on(request.param, ArticleAPI) as service, Client(service) as client:
        yield client


def test_fields_are_read_by_those_they_are_for(client: Client, people: dict[str, str]):
    nobody = client.get("/").json()
    assert nobody == [{"slug": "a", "title": "A", "text": "b", "author": {"username": "plain"}}]
    plain = client.get("/", headers={"Authorization": people["plain"]}).json()
    assert plain[0]["description"] == "d"
    assert plain[0]["author"] == {"username": "plain"}
    staff = client.get("/", headers={"Authorization": people["staff"]}).json()
    assert staff[0]["author"] == {"username": "plain", "email": "plain@example.com"}
    assert client.get("/a").json() == nobody[0]


def test_asking_for_a_field_by_name_does_not_help(client: Client, people: dict[str, str]):
    asked = "/?fields=slug,description,author(username,email)"
    assert client.get(asked).json() == [{"slug": "a", "author": {"username": "plain"}}]
    staff = client.get(asked, headers={"Authorization": people["staff"]}).json()
    assert staff == [
        {
            "slug": "a",
            "description": "d",
            "author": {"username": "plain", "email": "plain@example.com"},
        }
    ]
    assert client.get("/?fields=nothing").status_code == 400


def test_fields_are_set_by_those_they_are_for(client: Client, people: dict[str, str]):
    for name in ("description", "text"):
        refused = client.patch(
            "/a", json={"title": "B", name: "x"}, headers={"Authorization": people["plain"]}
        )
        assert refused.status_code == 403
        assert name in refused.json()["detail"]
    assert Article.objects.get().title == "A"
    headers = {"Authorization": people["plain"]}
    assert client.patch("/a", json={"title": "B"}, headers=headers).json()["title"] == "B"
    headers = {"Authorization": people["staff"]}
    changed = client.patch("/a", json={"text": "new"}, headers=headers)
    assert changed.json()["text"] == "new"


def test_code_may_set_what_its_client_may_not(client: Client):
    assert client.put("/made", json={"title": "x"}).text == "set by code"


def test_no_column_is_asked_for_that_is_not_read(django_assert_num_queries: Any):
    from utilmeta.core.request.current import current_request

    class Nobody:
        context: ClassVar[dict[str, Any]] = {}

    token = current_request.set(Nobody())  # type: ignore[arg-type]
    try:
        with django_assert_num_queries(1) as captured:
            list(ArticleSchema.serialize(Article.objects.all()))
    finally:
        current_request.reset(token)
    assert "description" not in captured.captured_queries[0]["sql"]


def test_rules_that_may_wait_are_refused():
    @auth.rule
    def slow(asked: request.Request) -> bool:
        return User.objects.exists()

    with pytest.raises(ConfigError, match="may ask the database"):
        orm.Field(read=slow)
    with pytest.raises(ConfigError, match="expected a rule"):
        orm.Field(write="staff")


def test_description_tells_what_endpoints_ask_for():
    class Root(api.API):
        articles: ArticleAPI

        @auth.Require("articles.write")
        @api.post
        def made(self, user: User = users) -> None:
            """Make one."""

        @api.get
        def free(self) -> None:
            """Answer anybody."""

    document = make_document(compile_api(Root), title="T", version="1.0.0")
    schemes = document["components"]["securitySchemes"]
    assert schemes == {"JsonWebToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    made = document["paths"]["/made"]["post"]
    assert made["security"] == [{"JsonWebToken": ["articles.write"]}]
    assert {"401", "403"} <= set(made["responses"])
    assert document["paths"]["/articles"]["get"]["security"] == [{}, {"JsonWebToken": []}]
    assert "security" not in document["paths"]["/free"]["get"]
    read = document["components"]["schemas"]["AuthorSchema"]
    assert read["required"] == ["username"]


def test_password_is_hashed_whatever_it_looks_like():
    class Member(models.Model):  # noqa: DJ008
        name = models.CharField(max_length=20)
        password = PasswordField(min_length=6, regex=r"\d")

        class Meta:
            app_label = "conduit"

    class MemberSchema(orm.Schema[Member]):
        id: int
        name: str
        password: str

    with connection.schema_editor() as editor:
        editor.create_model(Member)
    try:
        looks = "md5$salt$" + "0" * 32
        key = MemberSchema[orm.A].model_validate({"name": "a", "password": looks}).save().pk
        row = Member.objects.get(pk=key)
        assert row.password != looks
        assert check_password(looks, row.password)
        kept = row.password
        row.save()
        assert Member.objects.get(pk=key).password == kept
        MemberSchema[orm.WP].model_validate({"id": key, "password": "another1"}).save()
        assert check_password("another1", Member.objects.get(pk=key).password)
        for short in ("", "12345", "no digit"):
            with pytest.raises(ValidationError):
                MemberSchema[orm.WP].model_validate({"id": key, "password": short})
        Member.objects.filter(pk=key).update(password="plain text 1")
        assert check_password("plain text 1", Member.objects.get(pk=key).password)
        shown = json.dumps(MemberSchema.init(key).model_dump())
        assert shown == json.dumps({"id": key, "name": "a"})
        for wrong in ("short", "no digits here", "x1" * 100):
            with pytest.raises(ValueError, match="password"):
                MemberSchema[orm.A].model_validate({"name": "a", "password": wrong})
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Member)
