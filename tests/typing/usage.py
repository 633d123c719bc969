"""What users write, as type checkers see it; checked by mypy, run by nobody."""

from collections.abc import Iterator
from typing import Annotated, assert_type

from django.db.models import Count, Q, QuerySet

from testproject.conduit.models import Article, User
from testproject.conduit.schemas import ArticleSchema, ProfileSchema
from utilmeta import UtilMeta, service
from utilmeta.conf import Env, Time
from utilmeta.core import api, auth, orm, request
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.core.auth.tokens import Tokens
from utilmeta.core.file import Image
from utilmeta.core.orm import Database, Rows
from utilmeta.core.response import Response
from utilmeta.testing import Client


class ProjectEnv(Env):
    """Variables of a project."""

    PORT: int = 8000
    NAMES: list[str] = []


class ChildAPI(api.API):
    """An API with a parameter of its own."""

    id: int = request.PathParam(ge=1)

    def get(self) -> dict[str, int]:
        """Return the parameter."""
        assert_type(self.id, int)
        return {"id": self.id}


class RootAPI(api.API):
    """An API that nests another."""

    child: ChildAPI = api.route("children/{id}")

    @api.get
    def page(self, number: int = request.QueryParam(1, ge=1)) -> int:
        """Return the argument."""
        return number

    @api.post("up/{name}", status=201)
    def upload(self, name: str, body: Iterator[bytes] = request.Body) -> str:
        """Return the name."""
        return name + str(sum(map(len, body)))


class Envelope(Response[list[int]]):
    """A template."""

    result_key = "data"


@api.CORS(["https://a.example"])
class LayerAPI(api.API):
    """Hooks, plugins, templates and WebSockets."""

    response = Envelope

    @api.get("numbers", summary="all", timeout=2.5)
    @api.RateLimit("10/minute")
    def numbers(self) -> Envelope:
        """Return numbers."""
        return Envelope([1], count=1).set_cookie("a", "1", max_age=5)

    @api.before(numbers, excludes=())
    def check(self, token: str = request.HeaderParam("")) -> None:
        """Look at a header."""

    @api.after
    def change(self, response: Response[list[int]]) -> None:
        """Change a header."""
        response.headers["X-A"] = "1"

    @api.handle(KeyError)
    def mend(self, error: api.Error) -> Response[dict[str, str]]:
        """Answer for an exception."""
        assert_type(error.status, int)
        return Response({"error": error.message}, status=404)

    @api.ws
    async def talk(self, socket: api.WebSocket[dict[str, int], list[int]]) -> None:
        """Answer messages."""
        async for message in socket:
            assert_type(message, dict[str, int])
            await socket.send(list(message.values()))

    @api.post
    def upload(self, file: Image = request.BodyParam, note: str | None = request.Unset) -> None:
        """Take a file."""
        assert_type(file.read(), bytes)


class ArticleWrites(orm.Schema[Article]):
    """What is sent."""

    id: int
    title: str
    comments: int = orm.Field(Count("comments"))


class TitleQuery(orm.Query[Article]):
    """What is asked for."""

    title: str = orm.Filter("title__icontains")
    order: list[str] = orm.OrderBy(["title"])
    limit: int = orm.Limit(20, le=100)


class DataAPI(api.API):
    """Endpoints over rows."""

    def get(self, query: TitleQuery) -> Rows[ArticleSchema]:
        """Answer with rows."""
        assert_type(query.get_queryset(), QuerySet[Article])
        assert_type(query.count(), int)
        return ArticleSchema.serialize(query)

    @orm.Atomic()
    async def post(self, article: Annotated[ArticleWrites, orm.A]) -> ArticleWrites:
        """Write a row."""
        assert_type(article.title, str)
        return await article.asave()


tokens = JsonWebToken("a secret of more than thirty-two bytes")
members = auth.User(User, authentication=[tokens, CacheSession()], login_fields=["username"])


@auth.rule(is_quick=True)
def is_staff(asked: request.Request) -> bool:
    """Return whether somebody of the staff asks."""
    return request.var.user.get(asked) is not None


@auth.row_rule
def is_old(_asked: request.Request) -> Q:
    """Return which rows are old."""
    return Q(pk__lt=10)


class MemberAPI(api.API):
    """Endpoints of users."""

    user: User = members

    @auth.Require("articles.write", is_staff & ~auth.is_authenticated)
    def get(self, other: User | None = members) -> str:
        """Answer with names."""
        assert_type(self.user, User)
        assert_type((is_old | auth.Owns("author")).scope(Article.objects.all()), QuerySet[Article])
        assert_type(tokens.issue(members, self.user), Tokens)
        return self.user.username if other is None else other.username


def use_clients() -> None:
    """Call a service in process."""
    with Client() as client:
        assert_type(client.get("/numbers").status_code, int)
        with client.websocket("/talk") as socket:
            socket.send_json({"a": 1})
            assert_type(socket.receive(), str | bytes)


def use_service() -> None:
    """Make and use a service."""
    made = UtilMeta(__name__, backend="django", api=RootAPI, version=(1, 0, "rc1"))
    assert_type(made.use(Time(time_zone="UTC")), UtilMeta)
    assert_type(made.get_config(Time), Time | None)
    assert_type(service, UtilMeta)
    assert_type(ProjectEnv(sys_env=True).NAMES, list[str])
    assert_type(Database.from_url("sqlite:///x").name, str)

    @made.on_startup
    async def start() -> None:
        """Do nothing."""


async def use_schemas() -> None:
    """Read rows."""
    rows = ArticleSchema.serialize(Article.objects.all())
    assert_type(rows, Rows[ArticleSchema])
    assert_type(rows[0].author, ProfileSchema)
    assert_type(await ArticleSchema.ainit(1), ArticleSchema)
