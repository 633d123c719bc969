"""What users write, as type checkers see it; checked by mypy, run by nobody."""

from collections.abc import Iterator
from typing import assert_type

from testproject.conduit.models import Article
from testproject.conduit.schemas import ArticleSchema, ProfileSchema
from utilmeta import UtilMeta, service
from utilmeta.conf import Env, Time
from utilmeta.core import api, request
from utilmeta.core.orm import Database, Rows


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
