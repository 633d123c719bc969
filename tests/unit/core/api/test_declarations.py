"""What is refused as soon as an API class is declared, or when it is compiled."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.plain import PlainRequest, answer, make_request
from utilmeta.core import api, request
from utilmeta.core.api.compile import compile_api
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.file import File
from utilmeta.core.response import Response
from utilmeta.utils.exceptions import ConfigError

SYNC = CompileRules(asynchronous=False, backend="flask")
PRODUCTION = CompileRules(production=True)


def refuse(declare: Callable[[], Any], *told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        declare()
    for part in told:
        assert part in str(caught.value)


# -- overriding -----------------------------------------------------------------------------------


class Guarded(api.API):
    @api.before
    def check(self):
        raise api_error()

    @api.get("thing/{number}")
    def thing(self, number: int = request.PathParam(ge=1)):
        return number


def api_error() -> Exception:
    from utilmeta.utils.exceptions import Unauthorized

    return Unauthorized("no")


def test_hook_that_is_overridden_is_still_a_hook():
    calls = []

    class Stricter(Guarded):
        def check(self):
            calls.append(1)
            return super().check()

    operation = compile_api(Stricter)[0]
    assert [hook.function.__qualname__.rpartition(".")[2] for hook in operation.before] == ["check"]
    assert operation.before[0].function is vars(Stricter)["check"]


def test_endpoint_that_is_overridden_keeps_its_path_and_defaults():
    class Other(api.API):
        @api.get("thing/{number}")
        def thing(self, number: int = request.PathParam(ge=1)):
            return number

    class Doubled(Other):
        def thing(self, number: int = request.PathParam(ge=1)):
            return 2 * number

    assert answer(Doubled, PlainRequest(path="/thing/4")).body == b"8"


def test_hook_that_is_hidden_by_another_kind_of_method_is_refused():
    class Mixin:
        def check(self): ...

    refuse(lambda: type("Sub", (Mixin, Guarded), {}), "check", "hides a hook", "None")
    hidden = api.get("check")(lambda self: None)
    refuse(lambda: type("Sub", (Guarded,), {"check": hidden}), "check", "hides a hook")
    free: Any = type("Sub", (Guarded,), {"check": None})
    assert compile_api(free)[0].before == ()


def test_endpoints_of_one_name_from_two_bases_are_refused():
    class One(api.API):
        @api.get("a")
        def find(self): ...

    class Two(api.API):
        @api.get("b")
        def find(self): ...

    refuse(lambda: type("Both", (One, Two), {}), "'find'", "One", "Two")


# -- decorators -----------------------------------------------------------------------------------


def test_static_endpoint_is_refused():
    function = api.get("x")(lambda self: None)
    refuse(lambda: type("A", (api.API,), {"x": staticmethod(function)}), "A", ".x", "plain method")


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": True}, {"tags": "a"}, {"status": 404}]
)
def test_option_with_a_wrong_value_is_refused(options: dict[str, Any]):
    refuse(lambda: api.get("x", **options), "@api.get", next(iter(options)))


def test_unknown_option_is_refused_with_those_that_exist():
    refuse(lambda: api.post("x", sumary="a"), "sumary", "summary", "timeout")
    refuse(lambda: api.route("x", status=201), "status")
    refuse(lambda: api.get("x", extension={"logo": 1}), "'logo'", "x-")


@pytest.mark.parametrize("target", ["nothing", Guarded, Guarded.thing])
def test_hook_for_what_is_not_there_is_refused(target: Any):
    class A(api.API):
        @api.get
        def x(self): ...

        @api.before(target)
        def check(self): ...

    refuse(lambda: compile_api(A), "check", "nothing below the class")


@pytest.mark.parametrize("target", [1, object(), len, dict])
def test_hook_target_of_another_kind_is_refused(target: Any):
    refuse(lambda: api.before(target, "*"), "@api.before", "expected an")


def test_hook_that_takes_the_whole_body_or_a_response_before_it_is_there_is_refused():
    class A(api.API):
        @api.post
        def x(self, body: bytes = request.Body): ...

        @api.before
        def check(self, body: dict = request.Body): ...

    refuse(lambda: compile_api(A), "check", "'body'", "self.request.data")

    class B(api.API):
        @api.post
        def x(self, body: bytes = request.Body): ...

        @api.before
        def check(self, k: int = request.BodyParam): ...

    refuse(lambda: compile_api(B), "'body' is the whole body", "check", "'k'")

    class C(api.API):
        @api.get
        def x(self): ...

        @api.before
        def check(self, response): ...

    refuse(lambda: compile_api(C), "check", "@api.after")


def test_handle_hook_that_takes_a_body_is_refused():
    class A(api.API):
        @api.post
        def x(self, n: int = request.BodyParam): ...

        @api.handle
        def mend(self, error: api.Error, n: int = request.BodyParam): ...

    refuse(lambda: compile_api(A), "mend", "'n'", "handles errors")


# -- plugins --------------------------------------------------------------------------------------


def test_bare_plugin_has_its_defaults_or_asks_for_arguments():
    class A(api.API):
        @api.get
        @api.Cache
        def x(self): ...

    assert [type(item) for item in compile_api(A)[0].plugins] == [api.Cache]
    refuse(lambda: api.RateLimit(lambda self: None), "@api.RateLimit needs arguments", "rate")
    refuse(lambda: api.Timeout(A), "@api.Timeout needs arguments")


def test_plugin_on_anything_else_is_refused():
    refuse(lambda: api.Timeout(1)(dict), "@api.Timeout", "API class or an endpoint")
    refuse(lambda: api.before("*")(api.Timeout(1)(lambda self: None)), "not around hooks")
    hook = api.before("*")(lambda self: None)
    refuse(lambda: api.Timeout(1)(hook), "@api.Timeout")


@pytest.mark.parametrize(
    "rate", ["", "100", "100/fortnight", "0/minute", "1/0s", "-1/minute", "1/minute;2/hour"]
)
def test_rate_that_is_none_is_refused(rate: str):
    refuse(lambda: api.RateLimit(rate), "api.RateLimit", "'100/minute'")


@pytest.mark.parametrize(
    "origin",
    ["example.com", "https://a/b", "https://*", "https://*example.com", "*://a.b", "https://a.*.c"],
)
def test_origin_that_is_none_or_lets_everybody_in_is_refused(origin: str):
    refuse(lambda: api.CORS([origin], allow_credentials=True), "api.CORS", "origin")


def test_credentials_for_every_origin_are_refused():
    refuse(lambda: api.CORS("*", allow_credentials=True), "name the origins")


def test_retry_of_what_may_not_be_repeated_is_refused():
    class A(api.API):
        @api.get("x")
        def get_x(self): ...

    post = api.post("x")(lambda self: None)
    refuse(lambda: api.Retry(2)(post), "POST", "idempotent=True")
    api.Retry(2)(api.post("x", idempotent=True)(lambda self: None))

    class B(api.API):
        @api.put
        @api.Retry(2)
        def x(self, body: Iterator[bytes] = request.Body): ...

    refuse(lambda: compile_api(B), "streamed body", "Retry")


@pytest.mark.parametrize("make", [lambda: api.RateLimit("1/minute"), api.Idempotency])
def test_store_that_every_process_has_for_itself_is_refused_in_production(make: Any):
    class A(api.API):
        @api.post
        def x(self): ...

    plugged = make()(A)
    compile_api(plugged)
    refuse(
        lambda: compile_api(plugged, PRODUCTION),
        "production" if "Rate" in str(make) else "",
        "RedisCache",
    )


def test_cache_that_is_not_declared_is_refused():
    class A(api.API):
        @api.get
        @api.RateLimit("1/minute", cache="absent")
        def x(self): ...

    refuse(lambda: compile_api(A), "cache='absent'", "'default'")


# -- what a service cannot run --------------------------------------------------------------------


def test_async_hooks_plugins_and_factories_are_refused_on_a_sync_service():
    class A(api.API):
        @api.get
        def x(self): ...

        @api.before
        async def check(self): ...

    compile_api(A)
    refuse(lambda: compile_api(A, SYNC), "check", "async hook", "asynchronous=True")

    class Slow(api.Plugin):
        async def process_request(self, request: Any, api: Any) -> None: ...

    class B(api.API):
        @api.get
        @Slow()
        def x(self): ...

    refuse(lambda: compile_api(B, SYNC), "Slow", "async methods")

    async def find(_request: Any) -> int:
        return 1

    class C(api.API):
        @api.get
        def x(self, n: int = request.RequestContextVar("n", factory=find)): ...  # type: ignore[assignment]

    refuse(lambda: compile_api(C, SYNC), "request.var.n", "async factory")


def test_websockets_are_refused_where_there_are_none():
    class A(api.API):
        @api.ws
        async def talk(self, socket: api.WebSocket): ...

    refuse(lambda: compile_api(A, SYNC), "talk", "starlette", "flask")
    refuse(lambda: compile_api(A, CompileRules(has_sockets=False, backend="django")), "django")

    class B(api.API):
        @api.ws
        def talk(self, socket: api.WebSocket): ...

    refuse(lambda: compile_api(B), "talk", "async def")

    class C(api.API):
        @api.ws
        async def talk(self): ...

    refuse(lambda: compile_api(C), "talk", "socket after 'self'")

    class D(api.API):
        @api.ws
        async def talk(self, socket: int): ...

    refuse(lambda: compile_api(D), "talk", "api.WebSocket")


# -- parameters and templates ---------------------------------------------------------------------


def test_file_that_does_not_say_where_it_comes_from_is_refused():
    class A(api.API):
        @api.post
        def x(self, file: File): ...

    refuse(lambda: compile_api(A), "'file' is a file", "request.BodyParam", "request.Body")


@pytest.mark.parametrize(
    ("annotation", "default"),
    [(int, "abc"), (int, request.QueryParam("abc")), (list[int], 5), (bool, "perhaps")],
)
def test_default_of_another_type_is_refused(annotation: Any, default: Any):
    class A(api.API):
        @api.get
        def x(self, n: annotation = default): ...  # type: ignore[valid-type]

    refuse(lambda: compile_api(A), "x", "'n'", "does not fit its type")


def test_default_that_cannot_be_sent_may_be_declared():
    class A(api.API):
        @api.get
        def x(self, n: int = request.QueryParam(-1, ge=0), m: float = 1):
            return n + m

    assert answer(A, PlainRequest(path="/x")).body == b"0"


def test_whole_query_of_a_list_is_refused():
    class A(api.API):
        @api.get
        def x(self, ids: list[int] = request.Query): ...

    refuse(lambda: compile_api(A), "'ids' is the whole query", "model")


def test_websocket_with_a_time_limit_is_refused():
    class A(api.API):
        @api.ws(timeout=1)
        async def talk(self, socket: api.WebSocket): ...

    refuse(lambda: compile_api(A), "talk", "no time limit")


def test_nested_class_called_without_its_parameter_says_so():
    class Child(api.API):
        number: int = request.PathParam

        def get(self):
            return self.number

    made = Child(make_request())
    with pytest.raises(AttributeError, match="needs its parameter 'number'"):
        made.get()


def test_list_in_a_path_is_refused():
    class A(api.API):
        @api.get("{ids}")
        def x(self, ids: list[int]): ...

    refuse(lambda: compile_api(A), "'ids' is a list")


def test_whole_form_of_something_without_fields_is_refused():
    class A(api.API):
        @api.post
        def x(self, body: int = request.Form): ...

    refuse(lambda: compile_api(A), "named fields")


def test_template_with_wrong_keys_is_refused():
    refuse(lambda: type("R", (Response,), {"result_key": "a", "message_key": "a"}), "the same")
    refuse(lambda: type("R", (Response,), {"result_key": 1}), "no text")
    refuse(lambda: type("R", (Response,), {"strict": True}), "strict needs a type")


def test_api_response_that_is_no_template_is_refused():
    refuse(lambda: type("A", (api.API,), {"response": dict}), "response", "response.Response")


def test_reference_that_leads_nowhere_is_refused():
    refuse(lambda: api.ref("ItemAPI"), "api.ref('ItemAPI')")

    class A(api.API):
        items = api.ref("tests.unit.plain.JSON_HEADERS")

    refuse(lambda: compile_api(A), "items", "expected an API class")


def test_model_that_holds_itself_compiles_at_once():
    from pydantic import BaseModel

    class Node(BaseModel):
        name: str = ""
        a: "Node | None" = None
        b: "Node | None" = None
        c: "Node | None" = None
        d: "Node | None" = None
        e: "Node | None" = None

    class A(api.API):
        @api.get
        def x(self, node: Node = request.Query):
            return node.a.b.name  # type: ignore[union-attr]

    assert answer(A, PlainRequest(path="/x", query="a.b.name=deep")).body == b"deep"
