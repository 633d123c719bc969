"""Serializer classes of REST framework as the types of arguments and answers."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from openapi_spec_validator import validate
from rest_framework import serializers

from testproject.conduit.models import Article, Tag, User
from tests.testing.services import ASYNC, BACKENDS, service_on
from utilmeta.contrib.rest_framework import Existing
from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.testing import AsyncClient, Client
from utilmeta.utils.exceptions import ConfigError

threads: list[str] = []


class PersonSerializer(serializers.Serializer):
    """Who wrote something."""

    name = serializers.CharField(max_length=20)
    email = serializers.EmailField(required=False)
    password = serializers.CharField(write_only=True, required=False)


class NoteSerializer(serializers.Serializer):
    title = serializers.CharField(min_length=2)
    kind = serializers.ChoiceField(choices=[("a", "A"), ("b", "B")], default="a")
    words = serializers.ListField(child=serializers.CharField(max_length=3), required=False)
    price = serializers.DecimalField(max_digits=5, decimal_places=2, required=False)
    author = PersonSerializer(required=False)
    people = PersonSerializer(many=True, required=False)
    seen = serializers.SerializerMethodField()

    def get_seen(self, _value: Any) -> bool:
        return self.context["request"] is not None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        threads.append(threading.current_thread().name)
        if attrs.get("title") == "both" and attrs.get("kind") == "b":
            raise serializers.ValidationError("not both", code="both")
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Any:
        return {"kind": "a", **validated_data}


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ("id", "name")


class NoteAPI(api.API):
    def post(self, note: NoteSerializer) -> NoteSerializer:
        return note.save()

    @api.post
    def many(self, notes: list[NoteSerializer]) -> list[NoteSerializer]:
        return notes

    @api.post
    def marked(
        self, note: Annotated[NoteSerializer, "kept"] = request.Body
    ) -> Response[NoteSerializer]:
        return Response(note, status=201)

    @api.post
    def maybe(self, note: NoteSerializer | None = None) -> NoteSerializer | None:
        return note

    @api.post
    def form(self, note: NoteSerializer = request.Form) -> NoteSerializer:
        return note

    @api.post
    def member(self, note: NoteSerializer = request.BodyParam, n: int = request.BodyParam) -> int:
        return n + len(note.validated_data["title"])


class TagAPI(api.API):
    def get(self) -> list[TagSerializer]:
        return Tag.objects.all()

    def post(self, tag: TagSerializer) -> TagSerializer:
        tag.save()
        return tag

    @api.get("{id}")
    def one(self, id: int) -> TagSerializer:  # noqa: A002
        return Tag.objects.filter(pk=id)

    @api.put("{id}")
    def change(self, id: int, tag: Annotated[TagSerializer, Existing(Tag)]) -> TagSerializer:  # noqa: A002
        return tag.save()

    @api.patch("{id}")
    def partly(self, id: int, tag: Annotated[TagSerializer, Existing(Tag)]) -> TagSerializer:  # noqa: A002
        return tag.save()


class AsyncTagAPI(api.API):
    async def get(self) -> list[TagSerializer]:
        return Tag.objects.all()

    async def post(self, tag: TagSerializer) -> TagSerializer:
        return await sync_to_async(tag.save)()


class RootAPI(api.API):
    notes: NoteAPI
    tags: TagAPI


@pytest.fixture(params=BACKENDS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    threads.clear()
    with service_on(request.param, RootAPI) as service, Client(service) as client:
        yield client


def places(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 400, answer.text
    return [(item["place"], item["code"]) for item in answer.json()["errors"]]


def test_a_serializer_reads_the_body_and_writes_the_answer(client: Client):
    sent = {"title": "hello", "price": "1.50", "author": {"name": "ann", "password": "x"}}
    answer = client.post("/notes", json=sent)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "title": "hello", "kind": "a", "price": "1.50", "author": {"name": "ann"}, "seen": True,
    }  # fmt: skip
    if client.service.backend_name not in {"django", "flask"}:
        assert all(name.startswith("utilmeta-lane") for name in threads)
    many = client.post("/notes/many", json=[sent, {"title": "there"}])
    assert [item["title"] for item in many.json()] == ["hello", "there"]
    marked = client.post("/notes/marked", json=sent)
    assert (marked.status_code, marked.json()["title"]) == (201, "hello")
    assert client.post("/notes/maybe").json() is None
    assert client.post("/notes/maybe", json=sent).json()["title"] == "hello"
    assert client.post("/notes/member", json={"note": sent, "n": 2}).json() == 7


def test_every_fault_is_told_with_its_place(client: Client):
    sent = {
        "title": "x",
        "kind": "c",
        "words": ["abc", "abcd"],
        "author": {"email": "no"},
        "people": [{"name": "a"}, {"name": "a", "password": ""}],
    }
    answer = client.post("/notes", json=sent)
    assert sorted(places(answer)) == [
        ("body.author.email", "invalid"),
        ("body.author.name", "missing"),
        ("body.kind", "invalid_choice"),
        ("body.people.1.password", "blank"),
        ("body.title", "min_length"),
        ("body.words.1", "max_length"),
    ]
    found = {item["place"]: item for item in answer.json()["errors"]}
    assert found["body.words.1"]["got"] == "abcd"
    assert found["body.author.email"] == {
        "place": "body.author.email",
        "code": "invalid",
        "expected": "Enter a valid email address.",
        "got": "no",
    }
    assert "got" not in found["body.author.name"]
    assert found["body.people.1.password"]["expected"] == "a valid value"
    assert places(client.post("/notes", json={"title": "both", "kind": "b"})) == [("body", "both")]
    assert places(client.post("/notes", json=[1])) == [("body", "invalid")]
    many = client.post("/notes/many", json=[{"title": "ok"}, {"author": {}}])
    assert places(many) == [("body.1.title", "missing"), ("body.1.author.name", "missing")]
    assert places(client.post("/notes/many", json={})) == [("body", "not_a_list")]
    assert places(client.post("/notes/member", json={"n": "x", "note": {}})) == [
        ("body.note.title", "missing"),
        ("body.n", "int_parsing"),
    ]
    assert (
        client.post(
            "/notes", content=b"{", headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )


def test_forms_are_read_as_the_serializer_reads_forms(client: Client):
    fields = {"title": "hello", "words": ["a", "b"], "author.name": "ann"}
    for path in ("/notes", "/notes/form"):
        got = client.post(path, data=fields).json()
        assert (got["words"], got["author"]) == (["a", "b"], {"name": "ann"})
    parts = client.post("/notes/form", files={"title": (None, "hello")})
    assert parts.json()["title"] == "hello"
    assert client.post("/notes/form", json={"title": "hello"}).status_code == 415


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("backend", ["django", "flask", "starlette"])
def test_a_model_serializer_asks_the_database(backend: str):
    with service_on(backend, TagAPI) as service, Client(service) as client:
        made = client.post("/", json={"name": "a"}).json()
        assert made == {"id": Tag.objects.get().pk, "name": "a"}
        assert places(client.post("/", json={"name": "a"})) == [("body.name", "unique")]
        other = client.post("/", json={"name": "b"}).json()["id"]
        assert client.get("/").json() == [made, {"id": other, "name": "b"}]
        assert client.get(f"/{other}").json()["name"] == "b"
        assert client.get("/99").status_code == 404
        # Its own name is no other's.
        assert client.put(f"/{other}", json={"name": "b"}).json()["name"] == "b"
        assert places(client.put(f"/{other}", json={"name": "a"})) == [("body.name", "unique")]
        assert places(client.put(f"/{other}", json={})) == [("body.name", "missing")]
        assert client.patch(f"/{other}", json={}).json()["name"] == "b"
        assert client.patch("/99", json={}).status_code == 404
        assert client.put("/x", json={"name": "c"}).status_code in {400, 404}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("backend", ASYNC)
def test_validation_of_an_async_service_is_on_the_lane(backend: str):
    async def talk() -> list[Any]:
        with service_on(backend, AsyncTagAPI) as service:
            async with AsyncClient(service) as client:
                found = [
                    (await client.post("/", json={"name": name})).status_code for name in ("a", "a")
                ]
                found.append((await client.get("/")).json()[0]["name"])
        await sync_to_async(connections.close_all)()
        return found

    assert asyncio.run(talk()) == [200, 400, "a"]


def test_serializers_are_described():
    with service_on("flask", RootAPI) as service:
        document = service.openapi()
    validate(document)
    schemas = document["components"]["schemas"]
    sent, answered = schemas["Note-Input"], schemas["Note-Output"]
    assert sent["required"] == ["title"]
    assert sent["properties"]["title"] == {"type": "string", "minLength": 2}
    assert sent["properties"]["kind"] == {"enum": ["a", "b"], "type": "string", "default": "a"}
    assert sent["properties"]["words"]["items"] == {
        "type": "string", "maxLength": 3, "minLength": 1,
    }  # fmt: skip
    assert sent["properties"]["author"] == {"$ref": "#/components/schemas/Person-Input"}
    assert "seen" not in sent["properties"]
    assert answered["properties"]["seen"] == {"type": "boolean"}
    assert "password" not in schemas["Person-Output"]["properties"]
    assert schemas["Person-Input"]["properties"]["email"]["format"] == "email"
    assert schemas["Person-Input"]["description"] == "Who wrote something."
    assert "required" not in schemas["PatchedTag"]
    assert schemas["Tag-Input"]["required"] == ["name"]
    post = document["paths"]["/notes"]["post"]
    assert set(post["requestBody"]["content"]) == {
        "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
    }  # fmt: skip
    many = document["paths"]["/notes/many"]["post"]
    content = many["responses"]["200"]["content"]["application/json"]["schema"]
    assert content == {"type": "array", "items": {"$ref": "#/components/schemas/Note-Output"}}


def test_serializers_belong_into_bodies():
    class Query(api.API):
        def get(self, note: NoteSerializer = request.Query) -> int:
            return 1

    with (
        service_on("flask", Query) as service,
        pytest.raises(ConfigError, match="read from a body"),
    ):
        service.setup()


def test_models_nested_by_depth_are_described():
    class ArticleSerializer(serializers.ModelSerializer):
        class Meta:
            model = Article
            fields = ("slug", "author", "created_at")
            depth = 1

    class ArticleAPI(api.API):
        def get(self) -> list[ArticleSerializer]:
            return Article.objects.all()

    with service_on("flask", ArticleAPI) as service:
        document = service.openapi()
    validate(document)
    author = document["components"]["schemas"]["Article"]["properties"]["author"]
    assert author["properties"]["email"] == {"type": "string", "format": "email"}
    assert User._meta.get_field("email").unique
