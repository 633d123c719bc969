"""The API of the contract: one endpoint for each behaviour seen over HTTP."""

import datetime
import decimal
import enum
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Optional, TypeVar

from pydantic import BaseModel, Field

from tests.contract.layer import LayerAPI
from tests.contract.sockets import SocketsAPI
from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.utils import exceptions


class Colour(enum.Enum):
    RED = "red"


class Author(BaseModel):
    name: str = Field(min_length=1)
    email: str | None = None


class Article(BaseModel):
    title: str = Field(max_length=20)
    views: int = 0
    tags: list[str] = []
    author: Author


@dataclass
class Point:
    x: int
    y: int


class Paging(BaseModel):
    limit: int = Field(10, ge=1, le=100)
    tags: list[str] = []


R = TypeVar("R")


class Made(Response[R], Generic[R]):
    """An answer with a member for its result, and no status of its own."""

    result_key = "made"


class ValuesAPI(api.API):
    """Results of each kind."""

    @api.get
    def text(self):
        return "héllo 世界"

    @api.get
    def raw(self):
        return b"\x00\xff"

    @api.get
    def nothing(self):
        return None

    @api.get
    def null(self) -> Optional[int]:  # noqa: UP045 - the other spelling of a union
        return None

    @api.get("empty-list")
    def empty_list(self):
        return []

    @api.get("empty-object")
    def empty_object(self):
        return {}

    @api.get
    def zero(self):
        return 0

    @api.get
    def false(self):
        return False

    @api.get
    def forms(self):
        zone = datetime.timezone(datetime.timedelta(hours=8))
        return {
            "datetime": datetime.datetime(2026, 1, 31, 12, 30, 1, 5, tzinfo=zone),
            "utc": datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC),
            "date": datetime.date(2026, 1, 31),
            "time": datetime.time(12, 30),
            "duration": datetime.timedelta(minutes=90),
            "decimal": decimal.Decimal("1.10"),
            "uuid": uuid.UUID(int=5),
            "enum": Colour.RED,
            "bytes": b"\x00\x01",
            "tuple": (1, 2),
            "set": {3},
            "dataclass": Point(1, 2),
            "model": Author(name="a"),
            "nan": float("nan"),
            "float": 1e16,
        }

    @api.get
    def custom(self):
        response = Response({"a": 1}, status=202, headers={"X-One": "1"})
        response.set_cookie("first", "a b", max_age=60)
        response.set_cookie("second", "ü", http_only=False, same_site="Strict")
        return response

    @api.get
    def teapot(self):
        return Response("short and stout", status=418, content_type="text/plain")

    @api.get
    def unmodified(self):
        return Response("never sent", status=304, headers={"ETag": '"1"'})


class ParamsAPI(api.API):
    """Parameters from each place."""

    @api.get("items/{id}")
    def item(self, id: int, page: int = request.QueryParam(1, ge=1), q: str = "none"):  # noqa: A002
        return {"id": id, "page": page, "q": q}

    @api.get
    def lists(self, tags: list[str] = request.QueryParam(default_factory=list), n: list[int] = []):  # noqa: B006
        return {"tags": tags, "n": n}

    @api.get
    def whole(self, query: Paging = request.Query):
        return query

    @api.get
    def optional(self, a: int | None, b: Annotated[bool, request.QueryParam(alias="@b")] = False):
        return {"a": a, "b": b}

    @api.get
    def header(self, x_token: str = request.HeaderParam, sid: str = request.CookieParam("none")):
        return {"token": x_token, "sid": sid}

    @api.get("files/{path}")
    def file(self, path: str = request.FilePathParam):
        return {"path": path}

    @api.get("segments/{first}/{second}")
    def segments(self, first: str, second: str = "default"):
        return [first, second]

    @api.get("mixed/{name}.{extension}")
    def mixed(self, name: str, extension: str):
        return [name, extension]

    @api.get("fixed/{anything}")
    def variable(self, anything: str):
        return f"variable {anything}"

    @api.get("fixed/exact")
    def exact(self):
        return "exact"

    @api.get
    def secret(self, password: int = 0):
        return password


class BodiesAPI(api.API):
    """Bodies of each kind."""

    @api.post
    def model(self, article: Article):
        return article

    @api.put("members/{id}")
    def members(self, id: int, title: str = request.BodyParam, n: int = request.BodyParam(1)):  # noqa: A002
        return {"id": id, "title": title, "n": n}

    @api.patch
    def anything(self, body: dict[str, Any] = request.Body):
        return body

    @api.post
    def text(self, body: str = request.Body):
        return body[::-1]

    @api.post
    def raw(self, body: bytes = request.Body):
        return {"size": len(body)}

    @api.post
    def small(self, body: bytes = request.Body(max_length=10)):
        return {"size": len(body)}

    @api.post(status=201)
    def created(self, n: int = request.BodyParam):
        return {"n": n}

    @api.post(status=201)
    def created_response(self):
        return Response({"n": 1}, headers={"X-Made": "1"})

    @api.post(status=201)
    def created_generic(self) -> Made[dict[str, int]]:
        return Made[dict[str, int]]({"n": 1})

    @api.post(status=201)
    def accepted_response(self):
        return Response({"n": 1}, status=202)

    @api.delete
    def gone(self):
        return None


class ErrorsAPI(api.API):
    """Exceptions of each kind."""

    @api.get
    def missing(self):
        raise exceptions.NotFound("no such thing", code="absent")

    @api.get
    def unauthorized(self):
        raise exceptions.Unauthorized

    @api.get
    def redirect(self):
        raise exceptions.SeeOther("/elsewhere")

    @api.get
    def conflict(self):
        raise exceptions.Conflict("taken", headers={"X-Why": "name"}, errors=[{"field": "name"}])

    @api.get
    def permission(self):
        raise PermissionError("secret text")

    @api.get
    def timeout(self):
        raise TimeoutError("secret text")

    @api.get
    def crash(self):
        raise ValueError("secret text")

    @api.get
    def unencodable(self):
        return object()


class StreamsAPI(api.API):
    """Bodies that come in pieces."""

    @api.get
    def numbers(self, n: int = 3) -> Iterator[str]:
        for number in range(n):
            yield f"{number}\n"

    @api.get
    def broken(self) -> Iterator[str]:
        raise ValueError("before the first chunk")
        yield ""

    @api.get
    def silent(self) -> Iterator[str]:
        yield from ()


class SeenAPI(api.API):
    """What the application sees of the request."""

    @api.get
    def url(self):
        return {"path": self.request.path, "url": self.request.url, "method": self.request.method}

    @api.get
    def ip(self):
        return {
            "ip": self.request.ip_address,
            "scheme": self.request.scheme,
            "host": self.request.host,
        }

    @api.get
    def query(self):
        return {name: self.request.query.getlist(name) for name in self.request.query}

    @api.get
    def cookies(self):
        return self.request.cookies


@api.route("shops/{shop}")
class ShopAPI(api.API):
    """An API below a parameter."""

    shop: int = request.PathParam(ge=1)

    def get(self):
        return {"shop": self.shop}

    def post(self, name: str = request.BodyParam):
        return {"shop": self.shop, "name": name}

    @api.get("items/{item}")
    def item(self, item: str):
        return {"shop": self.shop, "item": item}


class RootAPI(api.API):
    values: ValuesAPI
    params: ParamsAPI
    bodies: BodiesAPI
    errors: ErrorsAPI
    streams: StreamsAPI
    seen: SeenAPI
    shops: ShopAPI
    layer: LayerAPI

    def get(self):
        return "root"

    @api.get
    def hello(self):
        return "world"


class AsyncAPI(api.API):
    """Async endpoints, for services that answer on an event loop."""

    @api.get
    async def hello(self):
        import asyncio

        await asyncio.sleep(0)
        return "async world"

    @api.get
    async def numbers(self, n: int = 3) -> AsyncIterator[str]:
        for number in range(n):
            yield f"{number}\n"

    @api.post
    async def echo(self, body: AsyncIterator[bytes] = request.Body):
        return Response(body, content_type="text/plain")

    @api.post
    async def model(self, article: Article):
        return article

    @api.post(status=201)
    async def created_response(self):
        return Response({"n": 1})

    @api.post(status=201)
    async def created_generic(self) -> Made[dict[str, int]]:
        return Made[dict[str, int]]({"n": 1})

    @api.get
    async def crash(self):
        raise ValueError("secret text")


class SyncStreamAPI(api.API):
    """Streamed request bodies of sync services."""

    @api.post
    def echo(self, body: Iterator[bytes] = request.Body):
        return Response(body, content_type="text/plain")


class AsyncRootAPI(RootAPI):
    asynchronous: AsyncAPI
    sockets: SocketsAPI


class SyncRootAPI(RootAPI):
    sync: SyncStreamAPI
