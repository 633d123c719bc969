"""The entrances of Starlette, FastAPI and Sanic: what a project adds is honoured."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server.entering import Act, Entered, entered

SEEN: list[str] = []
STARLETTES = ("starlette", "fastapi")


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    SEEN.clear()
    with django_db_blocker.unblock():
        yield


def see(name: str) -> None:
    SEEN.append(name)


def made(name: str, **options: Any) -> Any:
    from fastapi import FastAPI
    from starlette.applications import Starlette

    return Starlette(**options) if name == "starlette" else FastAPI(**options)


class Layer:
    """ASGI middleware."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            see("middleware")
        await self.app(scope, receive, send)


async def own(_request: Any) -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("own")


def _route(path: str) -> Any:
    from starlette.routing import Route

    return Route(path, own)


@pytest.mark.parametrize("name", STARLETTES)
@pytest.mark.parametrize("when", ["before", "asked", "running"])
def test_own_overlapping_routes_win(name: str, when: str):
    with entered(name, app=made(name)) as service:
        if when == "asked":
            assert service.reason is None
        if when == "running":
            assert service.get("/api/hello").body == b"world"
        service.app.router.routes.append(_route("/api/{name}"))
        assert service.get("/api/hello").body == b"own"
        assert service.get("/api/").body == b"root"


@pytest.mark.parametrize("name", STARLETTES)
def test_own_routes_elsewhere_leave_the_entrance_open(name: str):
    with entered(name, app=made(name)) as service:
        service.app.router.routes.append(_route("/other"))
        assert service.get("/other").body == b"own"
        assert service.get("/api/hello").body == b"world"
        assert service.reason is None


@pytest.mark.parametrize("name", STARLETTES)
@pytest.mark.parametrize("is_asked", [False, True])
def test_middleware_is_called(name: str, is_asked: bool):
    with entered(name, app=made(name)) as service:
        if is_asked:
            # As `manage.py utilmeta_routes` and the banner do.
            assert service.reason is None
        service.app.add_middleware(Layer)
        service.get("/api/hello")
    assert SEEN == ["middleware"]


@pytest.mark.parametrize("name", STARLETTES)
def test_middleware_of_a_stack_that_is_built_anew_is_called(name: str):
    with entered(name, app=made(name)) as service:
        service.get("/api/hello")
        # As instrumentations do with an application that runs.
        service.app.middleware_stack = None
        service.app.add_middleware(Layer)
        service.get("/api/hello")
    assert SEEN == ["middleware"]


@pytest.mark.parametrize("name", STARLETTES)
def test_base_http_middleware_is_called(name: str):
    from starlette.middleware.base import BaseHTTPMiddleware

    async def dispatch(request: Any, call_next: Any) -> Any:
        see("dispatch")
        return await call_next(request)

    app = made(name)
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    with entered(name, app=app) as service:
        service.get("/api/hello")
    assert SEEN == ["dispatch"]


@pytest.mark.parametrize("name", STARLETTES)
@pytest.mark.parametrize("kind", ["subclass", "instance"])
def test_own_middleware_stack_is_called(name: str, kind: str):
    base = type(made(name))

    if kind == "subclass":

        def build(self: Any) -> Any:
            return Layer(base.build_middleware_stack(self))

        app = type("Own", (base,), {"build_middleware_stack": build})()
    else:
        app = made(name)
        inner = app.build_middleware_stack
        app.build_middleware_stack = lambda: Layer(inner())
    with entered(name, app=app) as service:
        service.get("/api/hello")
    assert SEEN == ["middleware"]


@pytest.mark.parametrize("name", STARLETTES)
def test_router_that_is_a_subclass_is_called(name: str):
    app = made(name)
    base: Any = type(app.router)

    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            see("router")
            await super().__call__(scope, receive, send)

    app.router.__class__ = Own
    with entered(name, app=app) as service:
        service.get("/api/hello")
    assert SEEN[-1:] == ["router"]
    assert len(SEEN) == 2  # the lifespan, and the request


@pytest.mark.parametrize("name", STARLETTES)
def test_default_of_the_router_that_is_replaced_is_called(name: str):
    with entered(name, app=made(name)) as service:
        service.get("/api/hello")
        inner = service.app.router.default
        service.app.router.default = Layer(inner)
        service.get("/api/hello")
    assert SEEN == ["middleware"]


@pytest.mark.parametrize("name", STARLETTES)
@pytest.mark.parametrize("is_asked", [False, True])
def test_max_body_size_is_honoured(name: str, is_asked: bool):
    with entered(name, app=made(name)) as service:
        if is_asked:
            assert service.reason is None
        service.app.max_body_size = 5
        assert service.call("POST", "/api/echo", body=b"123456789").status == "413"


@pytest.mark.parametrize("name", STARLETTES)
@pytest.mark.parametrize("path", ["/api/late_failure", "/api/async-late-failure"])
def test_handler_of_all_exceptions_sees_those_of_streams(name: str, path: str):
    async def handle(_request: Any, exc: Exception) -> Any:
        see(f"{type(exc).__name__}")
        return await own(_request)

    outcomes = []
    for is_closed in (False, True):
        SEEN.clear()
        app = made(name)
        app.add_exception_handler(Exception, handle)
        with entered(name, app=app) as service:
            service.get("/api/hello")
            if is_closed:
                service.close_entrance()
            with pytest.raises(ValueError, match="after the first"):
                service.get(path)
        outcomes.append(SEEN[:])
    assert outcomes[0] == outcomes[1]


# What the frameworks keep there for their own machinery, which has nothing to do at the entrance.
OF_MACHINERY = {"starlette.exception_handlers", "fastapi_middleware_astack"}


@pytest.mark.parametrize("name", STARLETTES)
def test_scope_has_what_starlette_puts_there(name: str):
    outcomes = []
    for is_closed in (False, True):
        Act.do = staticmethod(lambda request: sorted(set(request.adaptor) - OF_MACHINERY))
        with entered(name, app=made(name)) as service:
            service.get("/api/hello")
            if is_closed:
                service.close_entrance()
            outcomes.append(service.get("/api/act").body)
    assert outcomes[0] == outcomes[1]


def test_root_path_of_fastapi_is_honoured():
    answers = []
    for is_closed in (False, True):
        Act.do = staticmethod(lambda request: request.adaptor["root_path"])
        with entered("fastapi", app=made("fastapi")) as service:
            service.get("/api/hello")
            service.app.root_path = "/proxy"
            if is_closed:
                service.close_entrance()
            answers.append(service.get("/api/act"))
    assert answers[0] == answers[1]
    assert answers[1].body == b"/proxy"


def test_routers_that_fastapi_includes_win_also_when_they_grow():
    from fastapi import APIRouter

    router = APIRouter()
    app = made("fastapi")
    app.include_router(router)
    with entered("fastapi", app=app) as service:
        assert service.get("/api/hello").body == b"world"
        router.add_api_route("/api/hello", lambda: "own")
        assert service.get("/api/hello").body == b'"own"'


def test_documents_of_fastapi_are_served():
    with entered("fastapi", app=made("fastapi")) as service:
        assert service.get("/openapi.json").status == "200"
        assert service.get("/docs").status == "200"
        assert service.reason is None


def _sanic(use: Callable[[Entered], Any], *, is_late: bool) -> None:
    with entered("sanic") as service:
        if is_late:
            assert service.reason is None
        use(service)
        service.get("/api/hello")


async def _see_request(request: Any) -> None:
    see("request")


async def _see_response(request: Any, response: Any) -> None:
    see("response")


def _signal(event: str) -> Callable[[Entered], Any]:
    async def receive(**_told: Any) -> None:
        see(event)

    return lambda service: service.app.add_signal(receive, event)


def _sanic_rule(service: Entered) -> None:
    from sanic.response import text

    async def utilmeta_status(_request: Any) -> Any:
        see("own")
        return text("own")

    service.app.add_route(utilmeta_status, "/api/hello")


def _sanic_blueprint(service: Entered) -> None:
    from sanic import Blueprint

    blueprint = Blueprint("own", url_prefix="/api")
    _sanic_rule_on(blueprint)
    service.app.blueprint(blueprint)


def _sanic_rule_on(blueprint: Any) -> None:
    from sanic.response import text

    async def status(_request: Any) -> Any:
        see("own")
        return text("own")

    blueprint.add_route(status, "/hello")


SANIC: dict[str, Callable[[Entered], Any]] = {
    "request middleware": lambda s: s.app.register_middleware(_see_request, "request"),
    "response middleware": lambda s: s.app.register_middleware(_see_response, "response"),
    "http.routing.before": _signal("http.routing.before"),
    "http.routing.after": _signal("http.routing.after"),
    "http.handler.before": _signal("http.handler.before"),
    "http.lifecycle.handle": _signal("http.lifecycle.handle"),
    "http.lifecycle.response": _signal("http.lifecycle.response"),
    "http.middleware.before": lambda s: (
        _signal("http.middleware.before")(s),
        s.app.register_middleware(_see_request, "request"),
    ),
    "own route whose name begins with utilmeta": _sanic_rule,
    "own blueprint": _sanic_blueprint,
}


@pytest.mark.parametrize("use", SANIC.values(), ids=SANIC.keys())
@pytest.mark.parametrize("is_late", [False, True])
def test_what_is_added_to_sanic_is_honoured(use: Callable[[Entered], Any], is_late: bool):
    _sanic(use, is_late=is_late)
    assert SEEN


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "get", "CONNECT"])
@pytest.mark.parametrize("name", ["sanic", *STARLETTES])
def test_rare_methods_have_the_same_answer(name: str, method: str):
    answers = []
    for is_closed in (False, True):
        with entered(name) as service:
            service.get("/api/hello")
            if is_closed:
                service.close_entrance()
            answers.append(service.call(method, "/api/hello"))
    assert answers[0] == answers[1]


def test_native_request_of_sanic_knows_its_route():
    outcomes = []
    for is_closed in (False, True):
        Act.do = staticmethod(lambda r: f"{r.adaptor.endpoint} {r.adaptor.match_info}")
        with entered("sanic") as service:
            service.get("/api/hello")
            if is_closed:
                service.close_entrance()
            outcomes.append(service.get("/api/act").body)
    assert outcomes[0] == outcomes[1]
