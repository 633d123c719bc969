"""API classes put into applications that exist already: `API.__as__` and `service.adapt`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.contract.cases import Case
from tests.contract.inprocess import ASGIClient, Loop, TornadoClient, call_wsgi
from tests.servers import Answer
from utilmeta.core import api
from utilmeta.testing import override_service
from utilmeta.utils.exceptions import ConfigError


class FirstAPI(api.API):
    @api.get
    def hello(self):
        return "first"


class SecondAPI(api.API):
    @api.get
    def hello(self):
        return "second"


class AsyncOnlyAPI(api.API):
    @api.get
    async def hello(self):
        return "async"


Caller = Callable[[str], Answer]


@pytest.fixture
def caller() -> Iterator[Callable[[Any], Caller]]:
    """Make functions that call an application of any kind by path."""
    with ExitStack() as stack:
        loop = Loop()
        stack.callback(loop.close)

        def make(app: Any) -> Caller:
            kind = type(app).__module__.partition(".")[0]
            if kind == "flask":
                return lambda path: call_wsgi(app, Case("x", path=path))
            client = TornadoClient(app, loop) if kind == "tornado" else ASGIClient(app, loop)
            stack.callback(client.close)
            return lambda path: client(Case("x", path=path))

        yield make


def flask_app() -> Any:
    from flask import Flask

    return Flask("adapted")


def starlette_app() -> Any:
    from starlette.applications import Starlette

    return Starlette()


def fastapi_app() -> Any:
    from fastapi import FastAPI

    return FastAPI()


def sanic_app() -> Any:
    from sanic import Sanic

    return Sanic("adapted")


def tornado_app() -> Any:
    from tornado.web import Application

    return Application()


APPS = [flask_app, starlette_app, fastapi_app, sanic_app, tornado_app]


@pytest.mark.parametrize("make", APPS)
def test_as_registers_in_an_application(make: Callable[[], Any], caller: Any) -> None:
    app = make()
    with override_service(backend=app, name="adapted"):
        assert FirstAPI.__as__(app, "/v1") is app
        assert SecondAPI.__as__(app, "v2/") is app
        call = caller(app)
        assert call("/v1/hello").body == b"first"
        assert call("/v2/hello").body == b"second"
        assert call("/v3/hello").status == 404


def test_as_gives_tornado_a_rule(caller: Any) -> None:
    from tornado.web import Application

    with override_service(backend="tornado", name="adapted"):
        app = Application([FirstAPI.__as__("tornado", "/v1")])
        assert caller(app)("/v1/hello").body == b"first"


def test_as_gives_django_a_pattern() -> None:
    import django
    from django.urls import URLPattern

    with override_service(backend="django", name="adapted"):
        pattern = FirstAPI.__as__(django, "/v1")
    assert isinstance(pattern, URLPattern)
    assert pattern.resolve("v1/hello") is not None
    assert pattern.resolve("v1") is not None
    assert pattern.resolve("v10/hello") is None


def test_adapt_takes_the_services_route(caller: Any) -> None:
    app = starlette_app()
    with override_service(backend=app, name="adapted", api=FirstAPI, route="/here") as service:
        assert service.adapt() is app
        assert service.adapt("/there") is app
        call = caller(app)
        assert call("/here/hello").body == call("/there/hello").body == b"first"


def test_async_api_is_refused_by_a_sync_service() -> None:
    with (
        override_service(backend="flask", name="adapted", api=AsyncOnlyAPI) as service,
        pytest.raises(ConfigError, match=r"AsyncOnlyAPI\.hello: async endpoints on a sync service"),
    ):
        service.application()
    with (
        override_service(backend="flask", name="adapted") as service,
        pytest.raises(ConfigError, match="async endpoints on a sync service"),
    ):
        AsyncOnlyAPI.__as__(flask_app(), "/v1")


def test_flask_runs_async_endpoints_when_told(caller: Any) -> None:
    with override_service(
        backend="flask", name="adapted", asynchronous=True, api=AsyncOnlyAPI
    ) as service:
        assert caller(service.application())("/hello").body == b"async"
