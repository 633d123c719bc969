"""What may stand beside an API."""

import functools
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin

from tests.unit.plain import PlainRequest
from utilmeta.core import api
from utilmeta.core.server.engine.lanes import LanePool
from utilmeta.core.server.mount import WSGIMount, kind_of
from utilmeta.core.server.mounts import Mounts, check_async
from utilmeta.utils.exceptions import ConfigError


def wsgi(environ: Any, start_response: Any) -> Any: ...


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


class WSGI:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...

    wsgi_app = __call__


class ASGI:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Root(api.API):
    pass


class Started:
    """Hooks of a process that has started."""

    def start(self) -> None: ...


class Body:
    """What a WSGI application returned; tells whether it was closed (PEP 3333)."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self) -> "Body":
        return self

    def __next__(self) -> bytes:
        chunk = next(self.chunks)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self) -> None:
        self.closed += 1


def serve(body: Body, **request: Any) -> Any:
    def app(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [("X-Path", environ["SCRIPT_NAME"] + "|" + environ["PATH_INFO"])])
        return body

    mounted = WSGIMount(app, Started(), LanePool(1))  # type: ignore[arg-type]
    return mounted.handle(PlainRequest(**request))


def test_wsgi_answer_is_passed_on_and_closed_once():
    body = Body(b"", b"a", b"b")
    response = serve(body, prefix="/v1", path="/é")
    assert (response.status, response.headers) == (200, [("x-path", "/v1|/Ã©")])
    assert b"".join(response.body) == b"ab"
    response.close()
    assert body.closed == 1


def test_wsgi_headers_lose_the_space_that_django_puts_before_cookies():
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Set-Cookie", " a=1; Path=/")])
        return [b""]

    mounted = WSGIMount(app, Started(), LanePool(1))  # type: ignore[arg-type]
    assert mounted.handle(PlainRequest()).headers == [("set-cookie", "a=1; Path=/")]


def test_wsgi_answer_is_closed_when_it_is_never_sent():
    body = Body(b"a")
    serve(body).close()
    assert body.closed == 1


def test_wsgi_answer_is_closed_when_its_first_chunk_fails():
    body = Body(RuntimeError("broken"))
    with pytest.raises(RuntimeError, match="broken"):
        serve(body)
    assert body.closed == 1


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (wsgi, "wsgi"),
        (WSGI(), "wsgi"),
        (WSGI().wsgi_app, "wsgi"),
        (functools.partial(wsgi), "wsgi"),
        (asgi, "asgi"),
        (ASGI(), "asgi"),
        (ASGI().__call__, "asgi"),
        (functools.partial(asgi), "asgi"),
        (SimpleNamespace(urls=[]), "urls"),
        (admin.site, "urls"),
    ],
)
def test_kind_is_told_apart(app: Any, kind: str):
    assert kind_of(app) == kind


@pytest.mark.parametrize("app", [7, "shop.urls", None, []])
def test_other_object_is_a_config_error(app: Any):
    with pytest.raises(ConfigError) as caught:
        kind_of(app)
    assert f"service.mount({app!r})" in str(caught.value)
    assert "expected a WSGI or ASGI application" in str(caught.value)


def test_asgi_application_in_a_wsgi_server_is_a_config_error():
    with pytest.raises(ConfigError, match="cannot run in a WSGI server"):
        Mounts().add(asgi, "/a", serves_asgi=False)


def test_taken_route_is_a_config_error():
    mounts = Mounts()
    mounts.add(wsgi, "/a", serves_asgi=False)
    with pytest.raises(ConfigError, match="'/a' is taken"):
        mounts.add(Root, "/a", serves_asgi=False)
    assert mounts


def test_only_urls_become_patterns():
    mounts = Mounts()
    assert not mounts
    mounts.add(wsgi, "/a", serves_asgi=False)
    mounts.add(admin.site, "/admin", serves_asgi=False)
    assert [str(pattern.pattern) for pattern in mounts.patterns()] == ["admin/"]


def test_async_endpoints_on_a_sync_service_are_named():
    class Async(api.API):
        @api.get
        async def one(self): ...

        @api.get
        async def two(self):
            yield b""

        @api.get
        def three(self): ...

    from utilmeta.core.api.compile import compile_api

    operations = compile_api(Async)
    check_async(operations, asynchronous=True, backend="django")
    with pytest.raises(ConfigError) as caught:
        check_async(operations, asynchronous=False, backend="django")
    message = str(caught.value)
    assert "Async.one, Async.two:" in message
    assert "three" not in message
    assert "asynchronous=True" in message
    assert "'django'" in message
