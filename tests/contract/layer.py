"""The second half of the contract's API: forms, files, templates, hooks, plugins, streams."""

import datetime
import enum
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Union

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from utilmeta.conf import current
from utilmeta.core import api, request
from utilmeta.core.file import File, FileType, Image
from utilmeta.core.request.conditions import require_match
from utilmeta.core.response import JSONLinesResponse, Response, ServerSentEvent, SSEResponse
from utilmeta.utils import exceptions


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


class Owner(BaseModel):
    name: str = Field(min_length=1)
    age: int = 0


class Form(BaseModel):
    title: str = Field(max_length=10)
    n: int = 0
    tags: list[str] = []
    owner: Owner | None = None


class Upload(BaseModel):
    title: str
    file: File
    more: list[File] = []


class Range(TypedDict, total=False):
    low: int
    high: int


@dataclass
class Point:
    x: int
    y: int = 0


class Filter(BaseModel):
    owner: Owner
    sizes: list[Size] = []
    items: list[Owner] = []
    extra: dict[str, int] = {}


def shown(file: File) -> dict[str, Any]:
    """Return what the service sees of a file."""
    return {
        "name": file.filename,
        "type": file.content_type,
        "size": file.size,
        "text": file.read().decode("latin-1"),
    }


class FormsAPI(api.API):
    """Bodies that are forms, files, or one of several kinds."""

    @api.post
    def form(self, form: Form = request.Form):
        return form

    @api.put
    def fields(self, title: str = request.FormParam, n: int = request.FormParam(1, alias="count")):
        return {"title": title, "n": n}

    @api.patch
    def upload(self, upload: Upload = request.Body):
        files = [upload.file, *upload.more]
        return {"title": upload.title, "files": [shown(file) for file in files]}

    @api.post
    def beside(
        self,
        owner: Owner = request.BodyParam,
        file: FileType("text/*", max_size=10) = request.BodyParam,  # type: ignore[valid-type]
        note: str | None = request.BodyParam(None),
    ):
        return {"owner": owner, "file": shown(file), "note": note}

    @api.post
    def files(self, files: list[File] = request.BodyParam):
        return [file.filename for file in files]

    @api.post
    def image(self, image: Image = request.Body):
        return shown(image)

    @api.put
    def raw_file(self, file: File = request.Body):
        return shown(file)

    @api.post
    def either(self, body: Owner | str | bytes = request.Body):
        return {"kind": type(body).__name__, "body": repr(body)}

    @api.post
    def marked(
        self,
        body: Annotated[Owner, request.Json]
        | Annotated[Point, request.Form]
        | Annotated[str, request.Body(content_type="text/csv")] = request.Body,
    ):
        return {"kind": type(body).__name__, "body": body}

    @api.patch
    def partial(
        self,
        title: str | None = request.BodyParam(request.Unset),
        n: int = request.BodyParam(request.Unset),
    ):
        return {
            "title": "unset" if title is request.Unset else title,
            "n": "unset" if n is request.Unset else n,
        }


class QueriesAPI(api.API):
    """Query strings that hold more than words."""

    @api.get
    def nested(self, query: Filter = request.Query):
        return query

    @api.get
    def one(
        self,
        between: Range = request.QueryParam(default_factory=dict),
        point: Point | None = request.QueryParam(None),
    ):
        return {"between": between, "point": point}

    @api.get
    def two(self, a: Owner = request.Query, b: Range = request.Query, page: int = 1):
        return {"a": a, "b": b, "page": page}

    @api.get
    def context(
        self,
        ip: str = request.var.ip,
        who: Any = request.var.user_id,
        mine: str = request.RequestContextVar("mine", factory=lambda r: r.method),  # type: ignore[assignment]
    ):
        return {"ip": ip, "who": who, "mine": mine}

    @api.get
    def headers(self, headers: "Names" = request.Headers, x_one: str = request.HeaderParam("-")):
        return {"headers": headers, "one": x_one}


class Names(BaseModel):
    x_one: str = "none"
    x_two: list[int] = Field(alias="X-Two", default=[])


class Envelope(Response[Any]):
    result_key = "data"
    message_key = "msg"
    state_key = "state"
    count_key = "count"
    errors_key = "errors"


class Bare(Response[Any]):
    result_key = "only"


class Strict(Response[list[int]]):
    result_key = "numbers"
    strict = True


class Made(Response[Any]):
    status = 201


@api.route("inner")
class InnerAPI(api.API):
    """Inherits the template of the class above."""

    @api.get
    def inherited(self):
        return self.response([1], count=1)

    @api.get
    def own(self) -> Bare:
        return {"a": 1}  # type: ignore[return-value]


class TemplatesAPI(api.API):
    """Answers put into templates."""

    response = Envelope
    inner: InnerAPI

    @api.get
    def plain(self):
        return [1, 2]

    @api.get
    def empty(self):
        return []

    @api.get
    def nothing(self):
        return None

    @api.get
    def text(self):
        return "world"

    @api.get
    def raw(self):
        return b"raw"

    @api.get
    def full(self):
        return self.response([1], message="one", state=7, count=100, headers={"X-A": "1"})

    @api.get
    def finished(self):
        return Response({"mine": 1}, status=202)

    @api.get
    def missing(self):
        raise exceptions.NotFound("no such row", code="row")

    @api.get
    def crash(self):
        raise ValueError("secret text")

    @api.get
    def invalid(self, n: int):
        return n

    @api.get
    def strict(self, text: str = "1,2") -> Strict:
        return text.split(",")  # type: ignore[return-value]

    @api.get
    def made(self) -> Union[Made, Bare]:  # noqa: UP007 - the other spelling
        return {"a": 1}  # type: ignore[return-value]

    @api.get
    def attached(self):
        return Response(b"a,b", attachment='r\u00e9sum\u00e9 "1".csv', content_type="text/csv")

    @api.get
    def cookies(self):
        return Response("x", cookies={"a": "1"}).set_cookie("b", "2", path="/x", max_age=5)

    @api.get
    def moved(self):
        raise exceptions.PermanentRedirect("/caf\u00e9")


ASSET = Path(__file__).parent / "asset.txt"


class FilesAPI(api.API):
    """Files as answers."""

    @api.get
    def path(self):
        return Response(file=ASSET)

    @api.get
    def opened(self):
        return Response(file=ASSET.open("rb"), attachment=True)

    @api.get
    def absent(self):
        return Response(file=ASSET.with_name("absent.txt"))

    @api.get
    def received(self):
        return File(b"0123456789", filename="ten.txt", content_type="text/plain")


class Broken(Exception):  # noqa: N818
    """An exception of this API's own."""


class Worse(Broken):
    """A kind of it."""


class HooksInnerAPI(api.API):
    """Below the class that has the hooks."""

    @api.before
    def note_inner(self):
        self.request.context["trail"] = [*self.request.context.get("trail", ()), "inner"]

    @api.after
    def mark_inner(self, response: Response[Any]):
        response.headers["X-Trail"] = response.headers.get("X-Trail", "") + "inner,"

    @api.handle(Worse)
    def handle_worse(self, error: api.Error):
        return {"inner": error.type.__name__}

    @api.get
    def trail(self):
        return self.request.context["trail"]

    @api.get
    def fail(self, kind: str = "broken"):
        raise {"broken": Broken, "worse": Worse, "value": ValueError, "key": KeyError}[kind]("text")


class HooksAPI(api.API):
    """Hooks with targets, exclusions and parameters."""

    inner: HooksInnerAPI

    @api.get("open")
    def opened(self):
        return {"user": getattr(self, "user", None)}

    @api.get
    def closed(self):
        return {"user": self.user}

    @api.post
    def body(self, n: int = request.BodyParam):
        return {"n": n, "k": self.k}

    @api.get
    def early(self):
        return "never"

    @api.get
    def replaced(self):
        return {"a": 1}

    @api.before(closed)
    def authenticate(self, token: str = request.HeaderParam(alias="X-Token")):
        if token != "good":
            raise exceptions.Unauthorized("bad token")
        self.user = token

    @api.before("*", excludes=(opened, closed, body, early, replaced))
    def note_outer(self):
        self.request.context["trail"] = ["outer"]

    @api.before(body)
    def take_k(self, k: int = request.BodyParam(0)):
        self.k = k

    @api.before("early")
    def answer(self):
        return Response("early", status=203)

    @api.after(replaced)
    def replace(self, response: Response[Any]) -> Bare:
        return {"was": response.result}  # type: ignore[return-value]

    @api.after(HooksInnerAPI)
    def mark_outer(self, response: Response[Any]):
        response.headers["X-Trail"] = response.headers.get("X-Trail", "") + "outer"

    @api.handle("inner", Broken)
    def handle_broken(self, error: api.Error):
        return Response({"outer": error.type.__name__, "status": error.status}, status=418)

    @api.handle(KeyError)
    def handle_key(self, error: api.Error):
        raise exceptions.Conflict("from a hook")


class Counting(api.Plugin):
    """Writes down what comes by."""

    def __init__(self, name: str) -> None:
        self.name = name

    def process_request(self, request: Any, api: Any) -> Any:
        trail = request.context.setdefault("plugins", [])
        trail.append(f"{self.name} in")
        if request.query.get("stop") == self.name:
            return Response(f"stopped by {self.name}", status=203)
        return None

    def process_response(self, response: Any, api: Any) -> Any:
        api.request.context["plugins"].append(f"{self.name} out")
        response.headers["X-Plugins"] = ", ".join(api.request.context["plugins"])

    def handle_error(self, error: Any, api: Any) -> Any:
        if error.request.query.get("mend") == self.name:
            return {"mended": error.type.__name__}
        return None


class Flaky:
    """Fails the first times it is asked."""

    tries: ClassVar[dict[str, int]] = {}

    @classmethod
    def ask(cls, name: str, fails: int) -> int:
        cls.tries[name] = cls.tries.get(name, 0) + 1
        if cls.tries[name] <= fails:
            raise ConnectionError("not yet")
        return cls.tries.pop(name)


def who_asks(request: Any) -> str | None:
    """Return whom the rate limit counts, apart for each service of the process."""
    who = request.headers.get("x-who")
    return None if who is None else f"{current.get().name} {who}"


@Counting("class")
class PluginsAPI(api.API):
    """Plugins around endpoints."""

    @Counting("first")
    @api.get
    @Counting("second")
    def order(self):
        return "ordered"

    @api.get
    @Counting("only")
    def fails(self):
        raise ValueError("secret text")

    @api.get
    @api.Retry(2, delay=0, on=(ConnectionError,))
    def retried(self, name: str, fails: int):
        return {"tries": Flaky.ask(name, fails)}

    @api.get
    @api.Timeout(0.5)
    def slow(self, seconds: float = 1.5):
        time.sleep(seconds)
        return "done"

    @api.post
    @api.BodyLimit(5)
    def limited(self, body: bytes = request.Body):
        return len(body)

    @api.get
    @api.Cache(max_age=60, vary="Accept")
    def cached(self):
        return {"a": 1}

    @api.get
    @api.Cache("private")
    def dated(self):
        return Response("dated", headers={"Last-Modified": "Sat, 31 Jan 2026 00:00:00 GMT"})

    @api.put
    def versioned(self):
        require_match(self.request, etag='"v1"')
        return "written"

    @api.get
    @api.RateLimit("2/day", key=who_asks)
    def rated(self):
        return "rated"

    @api.post
    @api.Idempotency()
    def once(self, n: int = request.BodyParam):
        return {"n": n, "count": Flaky.ask("once", 0), "at": time.monotonic_ns()}


@api.CORS(["https://a.example.com", "https://*.b.example.com"], allow_credentials=True, max_age=60)
class SharedAPI(api.API):
    """Endpoints that other origins may call."""

    @api.get
    def data(self, x_version: str = request.HeaderParam("1")):
        return {"version": x_version}

    @api.post
    @api.CORS("*", allow_headers=["X-More"], expose_headers=["X-Count"])
    def public(self):
        return {}


class RecordsAPI(api.API):
    """Streams of records."""

    @api.get
    def events(self, fail: bool = False) -> SSEResponse[Any]:
        yield ServerSentEvent("start", "one\ntwo", id=1, retry=500)
        yield {"n": 1}
        if fail:
            raise exceptions.Conflict("half way")

    @api.get
    def made(self):
        return SSEResponse(event_stream=iter([1, "two"]))

    @api.get
    def lines(self) -> JSONLinesResponse[Any]:
        yield {"n": 1}
        yield [datetime.date(2026, 1, 31)]

    @api.get
    def early(self) -> SSEResponse[Any]:
        raise exceptions.Conflict("before the first event")
        yield 1


@api.route("things/{thing}")
class ThingAPI(api.API):
    """Called from Python by its parent."""

    thing: int = request.PathParam(ge=1)
    unit: str = request.QueryParam("kg")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label = f"{getattr(self, 'thing', '?')}{self.unit}"

    def get(self, times: int = request.QueryParam(1, ge=1)):
        return {"thing": self.label, "times": times}


class PythonAPI(api.API):
    """Endpoints that call each other."""

    things: ThingAPI
    routed: ThingAPI = api.route("again/{thing}")
    late = api.ref("tests.contract.layer.LateAPI")

    plain = QueriesAPI

    def get(self, n: int = request.QueryParam(3)):
        return n

    @api.get
    def calls(self):
        return [
            self.things.get(thing=2),
            self.things(thing=3, unit="g").get(times=2),
            ThingAPI(self.request, thing=4).get(),
            self.get(),
            self.get(5),
            self.late.get(),
        ]

    @api.delete(calls)
    def forget(self):
        return "forgotten"


class LateAPI(api.API):
    """Nested by reference."""

    def get(self):
        return "late"


class Refusing(api.API):
    """Its instances cannot always be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.query.get("refuse"):
            raise exceptions.PermissionDenied("not today")

    @api.get
    def x(self):
        return "made"


def computed(request: Any) -> str:
    """Make a value where it may block, as a query of the database does."""
    from asgiref.sync import async_to_sync

    async def inside() -> str:
        return request.method

    # Refuses to run on an event loop.
    return async_to_sync(inside)()


@api.CORS("*")
class EdgesAPI(api.API):
    """What reviewers found."""

    response = Envelope
    refusing: Refusing

    @api.handle(exceptions.Conflict, exceptions.PermissionDenied)
    def mend(self, error: api.Error):
        return self.response(None, message=f"mended {error.status}", error=error)

    @api.get
    def first(self) -> Iterator[str]:
        raise exceptions.Conflict("before the first chunk")
        yield ""

    @api.get
    def first_event(self) -> SSEResponse[Any]:
        raise exceptions.Conflict("before the first event")
        yield 1

    @api.get
    def absent(self):
        return Response(file="/nowhere")

    @api.get
    def strange_file(self, name: str):
        return Response(file=Path("/tmp") / name)

    @api.handle(exceptions.NotFound)
    def mend_absent(self, error: api.Error):
        return None

    @api.get
    def value(self, made: str = request.RequestContextVar("made", factory=computed)):  # type: ignore[assignment]
        return made

    @api.before("shared_names")
    def take(self, tags: str = request.QueryParam(""), x_list: str = request.HeaderParam("")):
        self.seen = [tags, x_list]

    @api.get
    def shared_names(self, tags: list[str] = request.QueryParam(default_factory=list)):
        return [self.seen, tags]

    @api.put
    @api.Retry(2, delay=0, on=(ConnectionError,))
    def again(self, body: File = request.Body, name: str = ""):
        text = body.read().decode()
        return {"text": text, "tries": Flaky.ask(f"again {name}", 1)}

    @api.post
    @api.Idempotency(cache="default")
    @api.BodyLimit(20)
    def limited(self, n: int = request.BodyParam):
        return n

    @api.get
    def numbers(self):
        yield 1

    @api.get
    def strict(self) -> Strict:
        raise exceptions.Conflict("not of the type")


class KnownAPI(api.API):
    """Who asks is found out by a hook."""

    class Failing(api.API):
        @api.get
        def events(self) -> SSEResponse[Any]:
            raise exceptions.Conflict("before the first event")
            yield 1

        @api.get
        def own(self) -> Bare:
            raise exceptions.Conflict("taken")

        @api.get
        def typed(self) -> Annotated[Iterator[dict[str, int]], SSEResponse]:
            yield {"n": 1}

    response = Envelope
    failing: Failing

    @api.before("me")
    def find(self, x_user: str = request.HeaderParam("")):
        request.var.user_id.set(self.request, x_user or None)

    @api.get
    def me(self, user: str | None = request.var.user_id):
        return user


class IndexedAPI(api.API):
    """Lists written with indices, models that mind other names."""

    @api.get
    def lists(self, tags: list[int] = request.QueryParam(default_factory=list)):
        return tags

    @api.get
    def exact(self, query: "Exact" = request.Query):
        return query

    @api.get
    def open(self, query: dict[str, list[int]] = request.Query):
        return query

    @api.get("y{year}-{month}.json")
    def mixed(self, year: int, month: str):
        return [year, month]


class Exact(BaseModel):
    model_config = {"extra": "forbid", "populate_by_name": True}

    page_size: int = Field(1, alias="pageSize")


class LayerAPI(api.API):
    """All of it."""

    edges: EdgesAPI
    known: KnownAPI
    indexed: IndexedAPI

    forms: FormsAPI
    queries: QueriesAPI
    templates: TemplatesAPI
    files: FilesAPI
    hooks: HooksAPI
    plugins: PluginsAPI
    shared: SharedAPI
    records: RecordsAPI
    python: PythonAPI
