"""From API classes to operations: what is made, and every declaration that is refused."""

# ruff: noqa: A002 - path parameters are named as users name them

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Optional

import pydantic
import pytest

from tests.unit.plain import JSON_HEADERS, PlainRequest, answer
from utilmeta.core import api, request
from utilmeta.core.api.compile import compile_api
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError


class Item(pydantic.BaseModel):
    name: str
    price: int = 0


def paths(root: type[api.API]) -> set[str]:
    return {f"{operation.method} {operation.template}" for operation in compile_api(root)}


def refuse(root: Any, *told: str) -> str:
    """Declare or compile what must be refused; the message must hold each text."""
    declare = partial(compile_api, root) if isinstance(root, type) else root
    with pytest.raises(ConfigError) as caught:
        declare()
    message = str(caught.value)
    for part in told:
        assert part in message
    return message


# -- the tree -------------------------------------------------------------------------------------


def test_nested_classes_answer_below_each_other():
    class Comments(api.API):
        def get(self): ...

        @api.delete("{id}")
        def remove(self, id: int): ...

    @api.route("posts/{slug}")
    class Posts(api.API):
        slug: str = request.SlugPathParam
        comments: Comments

    class Shop(api.API):
        @api.get
        def hello(self): ...

    class Root(api.API):
        posts: Posts
        shop: Shop = api.route("shop", "store")
        other = Shop

    assert paths(Root) == {
        "GET /posts/{slug}/comments",
        "DELETE /posts/{slug}/comments/{id}",
        "GET /shop/hello",
        "GET /store/hello",
        "GET /other/hello",
    }


def test_inherited_endpoints_count_and_may_be_overridden():
    class Base(api.API):
        @api.get
        def one(self): ...

        @api.get
        def two(self): ...

    class Child(Base):
        @api.post
        def two(self): ...

        one = None  # type: ignore[assignment]

    assert paths(Child) == {"POST /two"}


def test_trailing_optional_path_parameters_may_be_left_out():
    class Root(api.API):
        @api.get("a/{b}/{c}")
        def find(self, b: int, c: int = 1): ...

        @api.get("x/{y}/{z}")
        def both(self, y: int = 1, z: int | None = None): ...

    assert paths(Root) == {"GET /a/{b}/{c}", "GET /a/{b}", "GET /x/{y}/{z}", "GET /x/{y}", "GET /x"}


def test_api_without_endpoints_has_no_operations():
    class Root(api.API):
        def helper(self): ...

    assert compile_api(Root) == []


def test_operation_tells_async_status_and_null():
    class Root(api.API):
        @api.get
        async def a(self) -> int | None: ...

        @api.get("b", status=201)
        def b(self) -> int: ...

        @api.get
        async def c(self):
            yield b""

    found = {operation.where: operation for operation in compile_api(Root)}
    assert [found[f"Root.{name}"].is_async for name in "abc"] == [True, False, True]
    assert [found[f"Root.{name}"].status for name in "abc"] == [None, 201, None]
    assert [found[f"Root.{name}"].null_is_json for name in "abc"] == [True, False, False]


# -- what is refused ------------------------------------------------------------------------------


def test_two_endpoints_for_one_path_are_refused_as_soon_as_they_are_declared():
    def declare() -> None:
        class Root(api.API):
            @api.get("a/{id}")
            def one(self, id: int): ...

            @api.get("a/{name}")
            def two(self, name: str): ...

    refuse(declare, "Root", ".two", "one both answer", "GET /a/{", "another path")


def test_two_endpoints_are_refused_across_classes():
    class Child(api.API):
        def get(self): ...

    class Root(api.API):
        child: Child

        @api.get("child")
        def other(self): ...

    refuse(Root, "Child.get", "Root.other", "GET /child")


def test_optional_parameter_that_meets_another_endpoint_is_refused():
    class Root(api.API):
        def get(self): ...

        @api.get("{id}")
        def one(self, id: int = 0): ...

    refuse(Root, "Root.one", "Root.get", "GET /")


@pytest.mark.parametrize("annotation", [Item, dict, list[Item], dict[str, int], Item | None])
def test_bare_model_on_get_is_refused(annotation: Any):
    class Root(api.API):
        @api.get
        def find(self, item: annotation): ...  # type: ignore[valid-type]

    refuse(Root, "find", "'item'", "GET has", "request.Query")


@pytest.mark.parametrize(
    "declared", [request.Body, request.BodyParam, request.Json, request.Body()]
)
def test_declared_body_on_get_is_refused(declared: Any):
    class Root(api.API):
        @api.get
        def find(self, item: Item = declared): ...

    refuse(Root, "find", "'item'", "GET", "request.Query")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{a}{b}", "side by side"),
        ("{a", "braces"),
        ("{a b}", "identifier"),
        ("{a}/x/{a}", "twice"),
        ("a//b", "'//'"),
    ],
)
def test_wrong_template_is_refused_where_it_stands(template: str, told: str):
    def declare() -> None:
        class Root(api.API):
            @api.get(template)
            def find(self, a: str, b: str = ""): ...

    refuse(declare, ".find", told)


def test_template_that_names_another_variable_is_refused():
    class Root(api.API):
        @api.get("{pk}")
        def find(self, id: int): ...

    refuse(Root, "Root.find", "'pk'", "'id'", "rename one of them")


def test_template_that_repeats_a_variable_above_is_refused():
    class Child(api.API):
        @api.get("{slug}")
        def find(self, slug: str): ...

    class Root(api.API):
        child: Child = api.route("{slug}")

    refuse(Root, "Child.find", "'slug' twice")


def test_path_parameter_outside_the_path_is_refused():
    class Root(api.API):
        @api.get("a")
        def find(self, id: int = request.PathParam): ...

    refuse(Root, "Root.find", "'id'", "/a", "put {id} into the path")


@pytest.mark.parametrize("kind", ["QueryParam", "HeaderParam", "CookieParam"])
def test_other_parameter_inside_the_path_is_refused(kind: str):
    declared = getattr(request, kind)

    class Root(api.API):
        @api.get("{id}")
        def find(self, id: int = declared): ...

    refuse(Root, "Root.find", "'id'", "path", "rename one of them")


def test_rest_parameter_before_the_end_is_refused():
    class Root(api.API):
        @api.get("{path}/x")
        def find(self, path: str = request.FilePathParam): ...

    refuse(Root, "Root.find", "FilePathParam must be the last segment")


def test_rest_parameter_before_a_nested_class_is_refused():
    class Child(api.API):
        @api.get
        def x(self): ...

    class Root(api.API):
        path: str = request.FilePathParam
        child: Child = api.route("{path}")

    refuse(Root, "FilePathParam", "last segment")


@pytest.mark.parametrize("name", ["request", "parent", "response"])
@pytest.mark.parametrize("kind", ["endpoint", "parameter", "child"])
def test_reserved_names_are_refused(name: str, kind: str):
    child = type("Child", (api.API,), {"get": lambda self: None})
    members: dict[str, dict[str, Any]] = {
        "endpoint": {name: api.get("x")(lambda self: None)},
        "parameter": {name: request.QueryParam},
        "child": {name: child},
    }

    def declare() -> None:
        type("Root", (api.API,), members[kind])

    refuse(declare, f"Root.{name}: ", "the API's own")


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_parameter_named_like_a_verb_is_refused(verb: str):
    refuse(type("Root", (api.API,), {verb: request.QueryParam}), f".{verb}", "the API's own")


def test_class_nested_in_itself_is_refused():
    class Root(api.API):
        @api.get
        def a(self): ...

    Root.again = Root  # type: ignore[attr-defined]
    refuse(Root, "Root", "nested in itself")


def test_class_nested_in_its_child_is_refused():
    class Child(api.API): ...

    class Root(api.API):
        child: Child

    Child.back = Root  # type: ignore[attr-defined]
    refuse(Root, "Root", "nested in itself")


def test_route_without_an_api_class_is_refused():
    class Root(api.API):
        items: int = api.route("items")

    refuse(Root, "Root", ".items", "needs an API class")


def test_parameter_of_both_class_and_function_is_refused():
    class Root(api.API):
        page: int = request.QueryParam(1)

        @api.get
        def find(self, page: int = 2): ...

    refuse(Root, "find", "'page'", "self.page")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: _endpoint(lambda self, *args: None), "*args"),
        (lambda: _endpoint(lambda self, **kwargs: None), "**kwargs"),
        (lambda: _endpoint(lambda self, a, /: None), "a"),
    ],
    ids=["args", "kwargs", "positional"],
)
def test_argument_that_no_request_fills_is_refused(make: Callable[[], Any], told: str):
    refuse(make(), "find", told, "name each argument")


def _endpoint(function: Any, **members: Any) -> Any:
    return type("Root", (api.API,), {"find": api.post("find")(function), **members})


def test_function_without_self_is_refused():
    def find() -> None: ...

    refuse(_endpoint(find), "find", "self")


def test_request_as_argument_is_refused():
    class Root(api.API):
        @api.get
        def find(self, req: Request): ...

    refuse(Root, "Root.find", "self.request", "'req'")


def test_marker_in_both_annotation_and_default_is_refused():
    class Root(api.API):
        @api.get
        def find(self, a: Annotated[int, request.QueryParam] = request.HeaderParam): ...

    refuse(Root, "Root.find", "'a'", "both in Annotated and as default")


@pytest.mark.parametrize("hint", ["Missing", "pydantic.Missing", "int[", "list["])
def test_annotation_that_cannot_be_resolved_is_refused(hint: str):
    class Root(api.API):
        @api.get
        def find(self, a: int): ...

    Root.find.__annotations__["a"] = hint
    refuse(Root, "Root.find", hint.removeprefix("pydantic."))


def test_annotation_of_a_class_that_cannot_be_resolved_is_refused():
    class Root(api.API):
        items: "MissingAPI"  # type: ignore[name-defined]  # noqa: F821

    refuse(Root, "Root", "'MissingAPI'")


class Strange:
    pass


@pytest.mark.parametrize("declared", [request.QueryParam, request.BodyParam, request.Body])
def test_type_that_cannot_be_validated_is_refused(declared: Any):
    def find(self: Any, a: Strange = declared) -> None: ...

    refuse(_endpoint(find), "find", "cannot be validated", "Strange")


@pytest.mark.parametrize(
    ("annotation", "options"),
    [(str, {"regex": "("}), (int, {"ge": "a"}), (int, {"multiple_of": 0})],
)
@pytest.mark.parametrize("kind", ["QueryParam", "BodyParam"])
def test_constraint_that_cannot_hold_is_refused(kind: str, annotation: Any, options: dict):
    declared = getattr(request, kind)(**options)

    def find(self: Any, a: annotation = declared) -> None: ...

    refuse(_endpoint(find), "find", "cannot be validated")


@pytest.mark.parametrize(
    ("first", "second"), [("Body", "Body"), ("Body", "BodyParam"), ("Json", "BodyParam")]
)
def test_whole_body_beside_another_is_refused(first: str, second: str):
    one, two = getattr(request, first), getattr(request, second)

    def find(self: Any, a: dict = one, b: int = two) -> None: ...

    refuse(_endpoint(find), "find", "'a'", "whole body")


def test_two_bare_models_are_refused():
    def find(self: Any, a: Item, b: Item) -> None: ...

    refuse(_endpoint(find), "find", "'a' and 'b'", "whole body")


# -- what a request becomes -----------------------------------------------------------------------


def body(text: bytes) -> dict[str, Any]:
    return {"body": text, "headers": JSON_HEADERS}


def test_body_parameters_with_defaults_take_them_from_an_empty_body():
    class Root(api.API):
        def post(
            self,
            a: int = request.BodyParam(1),
            b: list[int] = request.BodyParam(default_factory=list),
        ):
            return [a, b]

    assert answer(Root, PlainRequest("POST", **body(b"{}"))).body == b"[1,[]]"
    assert answer(Root, PlainRequest("POST")).body == b"[1,[]]"


@pytest.mark.parametrize("options", [{"default": None}, {"default": {}}, {"default_factory": dict}])
def test_whole_body_with_a_default_may_be_left_out(options: dict[str, Any]):
    class Root(api.API):
        def post(self, data: Optional[dict[str, int]] = request.Body(**options)):  # noqa: UP045
            return [data]

    default = b"[null]" if options.get("default", 0) is None else b"[{}]"
    assert answer(Root, PlainRequest("POST")).body == default


def test_default_of_a_body_is_not_shared_between_requests():
    class Root(api.API):
        def post(self, data: list[int] = request.Body([])):
            data.append(1)
            return data

    assert [answer(Root, PlainRequest("POST")).body for _ in range(2)] == [b"[1]", b"[1]"]


def test_path_parameter_with_a_default_takes_it_when_left_out():
    class Root(api.API):
        @api.get("a/{id}")
        def find(self, id: int = request.PathParam(5, ge=1)):
            return id

    assert answer(Root, PlainRequest(path="/a/7")).body == b"7"
    assert answer(Root, PlainRequest(path="/a")).body == b"5"


def test_whole_path_takes_every_variable():
    class Place(pydantic.BaseModel):
        shop: str
        id: int

    class Root(api.API):
        @api.get("{shop}/{id}")
        def find(self, place: Place = request.Path):
            return place

    assert answer(Root, PlainRequest(path="/a/7")).body == b'{"shop":"a","id":7}'


def test_whole_headers_keep_their_aliases():
    class Sent(pydantic.BaseModel):
        token: str = pydantic.Field(alias="X-Token")
        user_agent: str = ""

    class Root(api.API):
        @api.get
        def find(self, sent: Sent = request.Headers):
            return [sent.token, sent.user_agent]

    raw = PlainRequest(path="/find", headers=[("x-token", "t"), ("user-agent", "u")])
    assert answer(Root, raw).body == b'["t","u"]'


@pytest.mark.parametrize("query", ["page=3", "@page=3"])
def test_whole_query_keeps_alias_choices(query: str):
    class Sent(pydantic.BaseModel):
        page: int = pydantic.Field(validation_alias=pydantic.AliasChoices("page", "@page"))

    class Root(api.API):
        @api.get
        def find(self, sent: Sent = request.Query):
            return sent.page

    assert answer(Root, PlainRequest(path="/find", query=query)).body == b"3"


def test_class_parameter_with_a_default_is_set_where_the_path_leaves_it_out():
    class Root(api.API):
        id: int = request.PathParam(1)

        @api.get
        def plain(self):
            return self.id

        @api.get("of/{id}")
        def of(self):
            return self.id

    assert answer(Root, PlainRequest(path="/of/7")).body == b"7"
    assert answer(Root, PlainRequest(path="/plain")).body == b"1"


def test_class_body_parameter_with_a_default_is_set_from_an_empty_body():
    class Root(api.API):
        note: str = request.BodyParam("none")

        def post(self):
            return self.note

    assert answer(Root, PlainRequest("POST")).body == b"none"


def test_parameter_of_two_nested_classes_is_refused_or_set_on_both():
    class Child(api.API):
        page: int = request.QueryParam(2)

        def get(self):
            return [self.page, self.parent.page]

    class Root(api.API):
        page: int = request.QueryParam(1)
        child: Child

    try:
        compile_api(Root)
    except ConfigError as exc:
        assert "'page'" in str(exc)  # noqa: PT017
    else:
        assert answer(Root, PlainRequest(path="/child", query="page=4")).body == b"[4,4]"


def test_class_parameters_reach_every_endpoint_below():
    class Child(api.API):
        @api.get("{id}")
        def find(self, id: int):
            return [self.parent.slug, id]

    class Root(api.API):
        slug: str = request.SlugPathParam
        child: Child = api.route("{slug}/child")

    assert answer(Root, PlainRequest(path="/a-b/child/7")).body == b'["a-b",7]'


class Everything(api.API):
    @api.post("{id}/{name}")
    def find(
        self,
        id: int,
        name: str = request.SlugPathParam,
        limit: int = request.QueryParam(10, le=100),
        tags: list[str] = request.QueryParam(default_factory=list),
        x_token: str = request.HeaderParam(min_length=3),
        session: str | None = request.CookieParam,
        item: Item = request.Body,
    ):
        return [id, name, limit, tags, x_token, session, item.name]


def test_each_kind_is_read_from_its_place():
    raw = PlainRequest(
        "POST",
        "/7/a-b",
        query="limit=5&tags=a,b&tags=c%2Cd",
        headers=[*JSON_HEADERS, ("x-token", "abc"), ("cookie", "session=s")],
        body=b'{"name": "n"}',
    )
    assert answer(Everything, raw).body == b'[7,"a-b",5,["a","b","c,d"],"abc","s","n"]'


def test_all_faults_are_reported_together_each_with_its_place_and_no_secret():
    raw = PlainRequest(
        "POST",
        "/x/a b",
        query="limit=500",
        headers=[*JSON_HEADERS, ("x-token", "h2")],
        body=b'{"price": "hunter2"}',
    )
    response = answer(Everything, raw)
    assert response.status == 400
    for place in (
        b"path.id",
        b"path.name",
        b"query.limit",
        b"header.x-token",
        b"body.name",
        b"body.price",
    ):
        assert b'"place":"' + place + b'"' in response.body
    assert b'"h2"' not in response.body


@pytest.mark.parametrize(
    ("headers", "text", "status"),
    [
        (JSON_HEADERS, b"{", 400),
        (JSON_HEADERS, b"", 400),
        (JSON_HEADERS, b"\xff", 400),
        (JSON_HEADERS, b"[" * 100_000, 400),
        (JSON_HEADERS, b"1" * 10_000, 400),
        ((), b"", 400),
        ([("content-length", "2")], b"{}", 415),
        ([("content-type", "text/plain")], b"{}", 415),
        ([("content-type", "application/vnd.shop+json")], b'{"name": "n"}', 200),
        ([("content-type", "Application/JSON;charset=utf-8")], b'{"name": "n"}', 200),
    ],
    ids=range(10),
)
def test_body_that_cannot_be_read_is_the_clients_fault(headers: Any, text: bytes, status: int):
    class Root(api.API):
        def post(self, item: Item):
            return item.name

    assert answer(Root, PlainRequest("POST", headers=headers, body=text)).status == status


def test_body_parameter_errors_hide_secrets():
    class Login(pydantic.BaseModel):
        user: int
        password: int

    class Root(api.API):
        def post(self, login: Login):
            return login

    raw = PlainRequest("POST", **body(b'{"user": "u", "password": "hunter2"}'))
    response = answer(Root, raw)
    assert response.status == 400
    assert b"body.password" in response.body
    assert b"hunter2" not in response.body
