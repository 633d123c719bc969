"""What frameworks answer themselves is watched too."""

import logging
from types import ModuleType
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from tests.observe.api import AsyncAPI, RootAPI
from tests.observe.conftest import Written
from tests.observe.services import watched
from tests.observe.test_logs import JSON
from tests.testing.services import service_on
from utilmeta.testing import Client, override_service

logger = logging.getLogger("some.library")


def flask_app() -> Any:
    from flask import Flask

    app = Flask("native")

    @app.get("/native/<name>")
    def native(name: str) -> str:
        logger.info("native %s", name)
        return f"native {name}"

    return app


def starlette_app() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def native(request: Any) -> PlainTextResponse:
        logger.info("native %s", request.path_params["name"])
        return PlainTextResponse(f"native {request.path_params['name']}")

    return Starlette(routes=[Route("/native/{name}", native)])


def sanic_app() -> Any:
    from sanic import Sanic
    from sanic.response import text

    app: Any = Sanic("native", configure_logging=False)

    @app.get("/native/<name>")
    async def native(_request: Any, name: str) -> Any:
        logger.info("native %s", name)
        return text(f"native {name}")

    return app


def tornado_app() -> Any:
    from tornado.web import Application, RequestHandler

    class Native(RequestHandler):
        async def get(self, name: str) -> None:
            logger.info("native %s", name)
            self.write(f"native {name}")

    return Application([(r"/native/(\w+)", Native)])


@pytest.mark.parametrize("make", [flask_app, starlette_app, sanic_app, tornado_app])
def test_routes_of_the_application_are_watched(make: Any, written: Written):
    app = make()
    api = RootAPI if make is flask_app else AsyncAPI
    with (
        override_service(
            backend=app, name="native", api=api, route="/api", configs=[JSON]
        ) as service,
        Client(service) as client,
    ):
        written.catch()
        for target, status in (("/native/a?b=hidden", 200), ("/api/items/1", 200), ("/c", 404)):
            written.clear()
            answer = client.get(target, headers={"X-Request-ID": "n-1"})
            assert answer.status_code == status
            assert answer.headers.get_list("x-request-id") == ["n-1"]
            (line,) = written.lines("utilmeta.access")
            assert line["path"] == target.partition("?")[0]
            assert (line["status"], line["request_id"]) == (status, "n-1")
            assert line["bytes"] == len(answer.content)
            assert {item["request_id"] for item in written.lines()} == {"n-1"}
            assert len(written.lines("some.library")) == (1 if status == 200 else 0)
            assert "hidden" not in written.text


def view(_request: Any) -> HttpResponse:
    logger.info("in a view")
    return HttpResponse("view")


def streamed(_request: Any) -> StreamingHttpResponse:
    def pieces() -> Any:
        logger.info("in a view")
        yield b"vi"
        yield b"ew"

    return StreamingHttpResponse(pieces())


async def aview(_request: Any) -> HttpResponse:
    logger.info("in a view")
    return HttpResponse("view")


def urls(patterns: list[Any]) -> ModuleType:
    module: Any = ModuleType("own_urls")
    module.urlpatterns = patterns
    made: ModuleType = module
    return made


MIDDLEWARE = "utilmeta.core.server.gateways.django_observed.ObserveMiddleware"


@pytest.mark.parametrize("target", ["view", "streamed", "absent"])
def test_middleware_watches_a_project_with_a_handler_of_its_own(target: str, written: Written):
    from django.core.handlers.wsgi import WSGIHandler

    from utilmeta.core.server.inprocess import Sent, call_wsgi

    with watched("django", [JSON]) as (service, _):
        patterns = [path("view", view), path("streamed", streamed)]
        written.catch()
        with override_settings(MIDDLEWARE=[MIDDLEWARE], ROOT_URLCONF=urls(patterns)):
            sent = Sent(method="GET", target=f"/{target}", headers=[("x-request-id", "m-1")])
            answer = call_wsgi(WSGIHandler(), sent)
        assert service.observer is not None
    assert ("x-request-id", "m-1") in answer.headers
    (line,) = written.lines("utilmeta.access")
    route = None if target == "absent" else f"/{target}"
    status = 404 if target == "absent" else 200
    assert (line["status"], line["route"], line["request_id"]) == (status, route, "m-1")
    assert line["bytes"] == len(answer.body)
    for item in written.lines("some.library"):
        assert item["request_id"] == "m-1"


def test_middleware_watches_async_projects(written: Written):
    from django.core.handlers.asgi import ASGIHandler

    from utilmeta.core.server.inprocess import ASGICaller, Sent
    from utilmeta.testing.client import Loop

    with watched("django-asgi", [JSON]):
        written.catch()
        patterns = [path("view", aview)]
        loop = Loop()
        with override_settings(MIDDLEWARE=[MIDDLEWARE], ROOT_URLCONF=urls(patterns)):
            sent = Sent(method="GET", target="/view", headers=[("x-request-id", "m-2")])
            answer = loop.run(ASGICaller(ASGIHandler()).call(sent))
        loop.close()
    assert ("x-request-id", "m-2") in answer.headers
    (line,) = written.lines("utilmeta.access")
    assert (line["status"], line["route"], line["bytes"]) == (200, "/view", 4)
    assert written.lines("some.library")[0]["request_id"] == "m-2"


@pytest.mark.parametrize("backend", ["django", "django-asgi"])
def test_middleware_does_not_watch_twice(backend: str, written: Written):
    settings = {"MIDDLEWARE": [MIDDLEWARE]}
    with (
        service_on(
            backend,
            AsyncAPI if "asgi" in backend else RootAPI,
            configs=[JSON],
            route="/api",
            settings=settings,
        ) as service,
        Client(service) as client,
    ):
        written.catch()
        answer = client.get("/api/items/1")
    assert answer.status_code == 200
    (line,) = written.lines("utilmeta.access")
    assert line["route"] == "/api/items/{id}"
