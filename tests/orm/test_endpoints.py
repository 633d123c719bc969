"""Schemas, queries and transactions as endpoints use them."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Count

from testproject.conduit.models import Article, Comment, Tag, User
from utilmeta.core import api, orm, request
from utilmeta.core.response import Response
from utilmeta.testing import AsyncClient, Client, override_service
from utilmeta.utils.exceptions import ConfigError, Conflict


class TagSchema(orm.Schema[Tag]):
    """A tag."""

    id: int
    name: str
    number: int = Count("articles")


class TagQuery(orm.Query[Tag]):
    """What may be asked of tags."""

    name: list[str]
    order: str = orm.OrderBy(["name"])
    limit: int = orm.Limit(5, le=10)
    fields: list[str] = orm.Scope()


class Envelope(Response[list[TagSchema]]):
    """A list with its length."""

    result_key = "items"
    count_key = "count"


class TagAPI(api.API):
    """Tags, each way an endpoint may answer with rows."""

    lang: str = request.QueryParam("en")

    def get(self, query: TagQuery, trace: str = "") -> list[TagSchema]:
        """Return a queryset, which the annotation's schema reads."""
        assert isinstance(trace, str)
        return query.get_queryset()  # type: ignore[return-value]

    @api.get
    def wrapped(self, query: TagQuery) -> Envelope:
        """Return a queryset in a response."""
        return Envelope(query.get_queryset(), count=query.count())  # type: ignore[arg-type]

    @api.get
    def typed(self, query: TagQuery) -> orm.Rows[TagSchema]:
        """Return rows."""
        return TagSchema.serialize(query)

    @api.get
    def asked(self, query: TagQuery) -> list[TagSchema]:
        """Return the query itself."""
        return query  # type: ignore[return-value]

    @api.get("{key}")
    def one(self, key: int) -> TagSchema:
        """Return an instance of the model."""
        return Tag.objects.get(pk=key)  # type: ignore[return-value]

    @api.get
    def listed(self) -> list[TagSchema]:
        """Return instances of the model."""
        return list(Tag.objects.all())  # type: ignore[arg-type]

    @api.put
    def written(self, name: str) -> TagSchema:
        """Return what was written."""
        return TagSchema[orm.A](name=name).save()  # type: ignore[type-arg, valid-type, no-any-return]

    @api.get("first")
    def first(self) -> TagSchema:
        """Return a queryset of which the first row is wanted."""
        return Tag.objects.filter(name="no such tag")  # type: ignore[return-value]

    @api.post
    @orm.Atomic()
    def both(self, names: list[str] = request.BodyParam) -> None:
        """Make tags, all or none."""
        for name in names:
            if name == "refused":
                raise Conflict("refused")
            Tag.objects.create(name=name)


class AsyncTagAPI(api.API):
    """The same, async."""

    async def get(self, query: TagQuery) -> list[TagSchema]:
        """Return a queryset."""
        return query.get_queryset()  # type: ignore[return-value]

    @api.get("{key}")
    async def one(self, key: int) -> TagSchema:
        """Return an instance of the model."""
        return await Tag.objects.aget(pk=key)  # type: ignore[return-value]

    @orm.Atomic()
    @api.post
    async def both(self, names: list[str] = request.BodyParam) -> None:
        """Make tags, all or none."""
        for name in names:
            if name == "refused":
                raise Conflict("refused")
            if name == "wait":
                await asyncio.sleep(30)
            await Tag.objects.acreate(name=name)


SYNC = {"backend": "flask", "name": "tags", "api": TagAPI, "route": "/tags"}
ASYNC = {"backend": "starlette", "name": "tags", "api": AsyncTagAPI, "route": "/tags"}


@pytest.fixture
def tags(db: None) -> list[Tag]:
    return [Tag.objects.create(name=name) for name in ("b", "a", "c")]


def test_a_queryset_is_read_by_the_schema_of_the_annotation(
    tags: list[Tag], django_assert_num_queries: Any
) -> None:
    with override_service(**SYNC) as service, Client(service) as client:
        with django_assert_num_queries(1):
            answer = client.get("/tags?order=-name&limit=2")
        assert [item["name"] for item in answer.json()] == ["c", "b"]
        assert answer.json()[0] == {"id": tags[2].pk, "name": "c", "number": 0}
        assert client.get("/tags?name=a,b").json()[0]["name"] == "a"
        for path in ("/tags", "/tags/asked", "/tags/typed"):
            assert client.get(f"{path}?fields=name&limit=1").json() == [{"name": "a"}]
            refused = client.get(f"{path}?fields=nothing")
            assert refused.json()["errors"][0]["place"] == "query.fields"
        wrapped = client.get("/tags/wrapped?limit=1").json()
        assert (len(wrapped["items"]), wrapped["count"]) == (1, 3)
        assert client.get(f"/tags/{tags[0].pk}").json()["name"] == "b"
        assert [item["name"] for item in client.get("/tags/listed").json()] == ["a", "b", "c"]
        written = client.put("/tags/written?name=d").json()
        assert written == {"id": Tag.objects.get(name="d").pk, "name": "d", "number": 0}
        assert client.get("/tags/first").status_code == 404


def test_names_that_a_query_does_not_have_are_refused(tags: list[Tag]) -> None:
    with override_service(**SYNC) as service, Client(service) as client:
        # What other arguments take is theirs.
        assert client.get("/tags?lang=de&trace=1&limit=1").status_code == 200
        answer = client.get("/tags?naem=a&limit=11&order=id")
        assert answer.status_code == 400
        places = sorted(item["place"] for item in answer.json()["errors"])
        assert places == ["query.limit", "query.naem", "query.order"]


def test_a_query_is_described_by_its_fields(db: None) -> None:
    with override_service(**SYNC) as service:
        paths = service.openapi()["paths"]
        operation = paths["/tags"]["get"]
    answers = [paths[path]["get"]["responses"]["200"] for path in ("/tags", "/tags/typed")]
    assert answers[0] == answers[1]
    assert answers[0]["content"]["application/json"]["schema"]["type"] == "array"
    named = {item["name"]: item for item in operation["parameters"]}
    assert set(named) == {"lang", "name", "order", "limit", "fields", "trace"}
    assert named["order"]["schema"]["enum"] == ["name", "-name"]
    assert not any(item["required"] for item in named.values())


@pytest.mark.django_db(transaction=True)
def test_an_atomic_endpoint_writes_all_or_nothing() -> None:
    with override_service(**SYNC) as service, Client(service) as client:
        assert client.post("/tags/both", json={"names": ["x", "y"]}).status_code == 204
        assert client.post("/tags/both", json={"names": ["z", "refused"]}).status_code == 409
    assert set(Tag.objects.values_list("name", flat=True)) == {"x", "y"}


@pytest.mark.django_db(transaction=True)
def test_an_async_atomic_endpoint_writes_all_or_nothing() -> None:
    async def talk() -> list[int]:
        with override_service(**ASYNC) as service:
            async with AsyncClient(service) as client:
                found = [
                    (await client.post("/tags/both", json={"names": names})).status_code
                    for names in (["x", "y"], ["z", "refused"])
                ]
                calls = [
                    client.post("/tags/both", json={"names": [str(n), *["refused"] * (n % 2)]})
                    for n in range(6)
                ]
                # Transactions of requests at the same time are apart; the tests' SQLite, which is
                # in memory, refuses a second one that writes.
                if connection.vendor == "sqlite":
                    answers = [await call for call in calls]
                else:
                    answers = await asyncio.gather(*calls)
                found += sorted({answer.status_code for answer in answers})
                listed = await client.get("/tags?limit=10")
                found.append(len(listed.json()))
                one = await client.get(f"/tags/{listed.json()[0]['id']}")
                found.append(one.status_code)
        await sync_to_async(connections.close_all)()
        return found

    assert asyncio.run(talk()) == [204, 409, 204, 409, 5, 200]
    assert set(Tag.objects.values_list("name", flat=True)) == {"x", "y", "0", "2", "4"}


@pytest.mark.django_db(transaction=True)
def test_a_transaction_ends_when_its_request_is_given_up() -> None:
    async def talk() -> int:
        with override_service(**ASYNC) as service:
            async with AsyncClient(service) as client:
                call = asyncio.ensure_future(
                    client.post("/tags/both", json={"names": ["gone", "wait"]})
                )
                await asyncio.sleep(0.5)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                answer = await client.post("/tags/both", json={"names": ["kept"]})
        await sync_to_async(connections.close_all)()
        return answer.status_code

    assert asyncio.run(talk()) == 204
    assert list(Tag.objects.values_list("name", flat=True)) == ["kept"]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_entered_too_late_is_left_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class LimitedAPI(api.API):
        @api.post(timeout=0.1)
        @orm.Atomic()
        async def both(self) -> None:
            pass

        @api.get
        async def state(self) -> bool:
            return await sync_to_async(lambda: connection.in_atomic_block)()

    enter = transaction.Atomic.__enter__

    def slow(self: transaction.Atomic) -> None:
        # As one that waits for a lock, or for a connection of a pool.
        time.sleep(0.4)
        enter(self)

    async def talk() -> list[Any]:
        with override_service(**{**ASYNC, "api": LimitedAPI}) as service:
            async with AsyncClient(service) as client:
                monkeypatch.setattr(transaction.Atomic, "__enter__", slow)
                refused = await client.post("/tags/both")
                monkeypatch.undo()
                await asyncio.sleep(0.5)
                state = await client.get("/tags/state")
        await sync_to_async(connections.close_all)()
        return [refused.status_code, state.json()]

    assert asyncio.run(talk()) == [504, False]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_left_open_is_undone(caplog: pytest.LogCaptureFixture) -> None:
    class CarelessAPI(api.API):
        async def post(self) -> None:
            """Open a transaction and forget it."""
            await sync_to_async(transaction.atomic().__enter__)()
            await Tag.objects.acreate(name="lost")

        async def get(self) -> bool:
            """Tell whether the next request is in it."""
            return await sync_to_async(lambda: connections["default"].in_atomic_block)()

    options = {**ASYNC, "api": CarelessAPI}
    with override_service(**options) as service, Client(service) as client:
        assert client.post("/tags").status_code == 204
        assert [client.get("/tags").json() for _ in range(3)] == [False] * 3
    assert "left a transaction of 'default' open" in caplog.text
    assert not Tag.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_left_open_is_undone_on_sync_servers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class CarelessAPI(api.API):
        def post(self) -> None:
            """Open a transaction and forget it."""
            transaction.atomic().__enter__()
            Tag.objects.create(name="lost")

        def get(self) -> bool:
            """Tell whether the next request is in it."""
            return connections["default"].in_atomic_block

    with override_service(**{**SYNC, "api": CarelessAPI}) as service, Client(service) as client:
        assert client.post("/tags").status_code == 204
        assert client.get("/tags").json() is False
    assert "left a transaction of 'default' open" in caplog.text
    assert not Tag.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_refuses_at_its_end_is_a_400() -> None:
    class LateAPI(api.API):
        @orm.Atomic()
        def post(self) -> None:
            Comment.objects.create(article_id=99, author_id=99, body="x")

    with override_service(**{**SYNC, "api": LateAPI}) as service, Client(service) as client:
        answer = client.post("/tags")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "foreign_key"
    assert not Comment.objects.exists()


def test_atomic_belongs_on_an_endpoint() -> None:
    for wrong, message in (
        (lambda: orm.Atomic(TagAPI.get), "needs parentheses"),  # type: ignore[arg-type]
        (lambda: orm.Atomic()(TagAPI), "belongs on an endpoint"),
    ):
        with pytest.raises(ConfigError, match=message):
            wrong()

    def stream(_self: Any) -> Any:
        yield b""

    with pytest.raises(ConfigError, match="generator"):
        orm.Atomic()(stream)


@pytest.mark.django_db(transaction=True)
def test_atomic_may_be_nested_and_durable() -> None:
    @orm.Atomic()
    def inner(name: str) -> None:
        Tag.objects.create(name=name)
        if name == "refused":
            raise Conflict

    @orm.Atomic()
    def outer() -> None:
        inner("kept")
        with pytest.raises(Conflict):
            inner("refused")

    outer()
    assert list(Tag.objects.values_list("name", flat=True)) == ["kept"]
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        orm.Atomic(durable=True)(lambda: None)()
    with pytest.raises(IntegrityError), transaction.atomic():
        Tag.objects.create(name="kept")


def test_a_strict_template_takes_rows_and_dictionaries(tags: list[Tag]) -> None:
    class Strict(Response[list[TagSchema]]):
        result_key = "items"
        strict = True

    class StrictAPI(api.API):
        def get(self, kind: str) -> Strict:
            rows = TagSchema.serialize(Tag.objects.all()[:1])
            plain = [{"id": 1, "name": "a", "number": 5}]
            return Strict({"rows": rows, "list": list(rows), "plain": plain}[kind])

    with override_service(**{**SYNC, "api": StrictAPI}) as service, Client(service) as client:
        for kind, number in (("rows", 0), ("list", 0), ("plain", 5)):
            (item,) = client.get(f"/tags?kind={kind}").json()["items"]
            assert (item["name"], item["number"]) == ("a", number)


def test_a_mode_may_be_annotated(db: None) -> None:
    class PlainTag(orm.Schema[Tag]):
        id: int
        name: str

    class AnnotatedAPI(api.API):
        def post(self, tag: Annotated[PlainTag, orm.A]) -> PlainTag:
            return PlainTag.init(tag.save().pk)

        def patch(self, tags: list[Annotated[PlainTag, orm.WP]] = request.Body) -> int:
            return len(PlainTag[orm.WP].bulk_save(tags))

    with override_service(**{**SYNC, "api": AnnotatedAPI}) as service, Client(service) as client:
        made = client.post("/tags", json={"id": 99, "name": "x"}).json()
        assert made == {"id": Tag.objects.get().pk, "name": "x"}
        assert client.patch("/tags", json=[{"id": made["id"], "name": "y"}]).json() == 1
        assert client.post("/tags", json={"name": "x" * 101}).status_code == 400
        described = service.openapi()["components"]["schemas"]
    assert Tag.objects.get().name == "y"
    assert {"PlainTag", "PlainTag_A", "PlainTag_WP"} <= set(described)


def test_a_schema_that_does_not_fit_is_told_at_set_up(db: None) -> None:
    class Wrong(orm.Schema[Article]):
        titel: str

    class WrongQuery(orm.Query[User]):
        nam: str

    class ReadAPI(api.API):
        def get(self) -> list[Wrong]:
            return []

    class AskAPI(api.API):
        def get(self, query: WrongQuery) -> int:
            return query.count()

    for wrong, message in ((ReadAPI, r"Wrong\.titel"), (AskAPI, r"WrongQuery\.nam")):
        with (
            override_service(**{**SYNC, "api": wrong}) as service,
            pytest.raises(ConfigError, match=message),
        ):
            service.setup()


def test_values_of_the_request_are_those_of_the_one_being_answered(tags: list[Tag]) -> None:
    class Seen(orm.Schema[Tag]):
        name: str
        viewer: int | None = orm.Field(request.var.user_id)

    class SeenAPI(api.API):
        @api.before("*")
        def log_in(self, user: int = request.QueryParam(0)) -> None:
            request.var.user_id.set(self.request, user)

        def get(self) -> list[Seen]:
            return Tag.objects.all()[:1]  # type: ignore[return-value]

        @api.get
        def nested(self) -> dict[str, Any]:
            return {"rows": Seen.serialize(Tag.objects.all()[:1]), "one": Seen.init(tags[0])}

    with override_service(**{**SYNC, "api": SeenAPI}) as service, Client(service) as client:
        for user in (1, 2):
            assert client.get(f"/tags?user={user}").json() == [{"name": "a", "viewer": user}]
            assert client.get(f"/tags/nested?user={user}").json()["one"]["viewer"] == user


class StreamAPI(api.API):
    """Bodies that are read from the database while they are sent."""

    @api.before("*")
    def log_in(self, user: int = request.QueryParam(0)) -> None:
        request.var.user_id.set(self.request, user)

    @api.get("sync")
    def sync_body(self) -> Iterator[str]:
        for _ in range(3):
            yield self.seen()

    def seen(self) -> str:
        """Return who asks, as the database tells it, and on which thread."""
        viewer = Tag.objects.values_list(request.var.user_id, flat=True).first()
        return f"{viewer} {threading.current_thread().name},"


class AsyncStreamAPI(StreamAPI):
    """The same, and one that is async."""

    @api.get("async")
    async def async_body(self) -> AsyncIterator[str]:
        for _ in range(3):
            yield await sync_to_async(self.seen)()
            await asyncio.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_each_step_of_a_body_is_a_part_of_its_request() -> None:
    Tag.objects.create(name="a")

    async def talk() -> list[set[str]]:
        with override_service(**{**ASYNC, "api": AsyncStreamAPI}) as service:
            async with AsyncClient(service) as client:
                paths = [f"/tags/{kind}?user={n}" for kind in ("sync", "async") for n in (1, 2)]
                answers = await asyncio.gather(*map(client.get, paths))
        await sync_to_async(connections.close_all)()
        return [set(answer.text.strip(",").split(",")) for answer in answers]

    for index, steps in enumerate(asyncio.run(talk())):
        (step,) = steps
        assert step.startswith(f"{index % 2 + 1} utilmeta-lane")

    with override_service(**{**SYNC, "api": StreamAPI}) as service, Client(service) as client:
        text = client.get("/tags/sync?user=3").text
        assert [step[:2] for step in text.strip(",").split(",")] == ["3 "] * 3


def test_the_command_shows_statements_and_fails_when_they_are_many() -> None:
    out = StringIO()
    call_command("utilmeta_queries", stdout=out)
    text = out.getvalue()
    assert "GET /articles: 2 statements" in text
    assert "ArticleSchema.tag_list: article, tag__name" in text
    assert "SELECT" not in text
    call_command("utilmeta_queries", "--sql", "--max", "5", stdout=out)
    assert re.search(r"FROM .conduit_article.", out.getvalue())
    with pytest.raises(CommandError, match=r"more than 1 statement: GET /articles takes 2"):
        call_command("utilmeta_queries", "--max", "1", stdout=StringIO())


def test_records_are_what_json_is_made_of(tags: list[Tag]) -> None:
    rows = TagSchema.serialize(Tag.objects.all())
    assert json.loads(json.dumps(rows.__json_rows__()))[0]["name"] == "a"
    assert rows.keys == [tag.pk for tag in Tag.objects.all()]
