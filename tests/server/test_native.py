"""Application objects of the user's own, streams that are given up, and mounting by hand."""

import http.client
import json
import time

import pytest

from tests.server.conftest import BACKENDS, ENDED, Start

pytestmark = pytest.mark.sockets

OBJECTS = ("flask", "starlette", "fastapi", "sanic", "tornado")


@pytest.mark.parametrize("route", ["/", "/api"])
@pytest.mark.parametrize("backend", OBJECTS)
def test_native_routes_keep_working(start: Start, backend: str, route: str):
    server = start(backend, NATIVE="1", ROUTE=route)
    native = server.request("GET", "/native")
    assert (native.status, native.body) == (200, b"native")
    prefix = route.rstrip("/")
    ours = server.request("GET", f"{prefix}/thread")
    assert ours.status == 200
    assert "pid" in json.loads(ours.body)
    if backend == "flask":
        # The application's own hooks see the API's answers too.
        assert ours.header("x-native") == "1"
    if backend == "fastapi":
        assert server.request("GET", "/openapi.json").status == 200
    assert server.stop() in ENDED
    if backend == "starlette":
        assert "native start" in server.output()
        assert "native stop" in server.output()
    assert "stop 1" in server.output()


@pytest.mark.parametrize(
    ("backend", "path", "mark"),
    [
        *((name, "/api/ticks", "ticks ended") for name in BACKENDS),
        *(
            (name, "/api/asynchronous/ticks", "async ticks ended")
            for name in BACKENDS
            if name not in {"django", "flask"}
        ),
    ],
)
def test_client_that_goes_away_ends_the_stream(start: Start, backend: str, path: str, mark: str):
    server = start(backend)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    # Chunks arrive as they are made, not at the end.
    assert response.read(4) == b"0\n1\n"
    response.close()
    connection.close()
    deadline = time.monotonic() + 8
    while mark not in server.output() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark in server.output()


@pytest.mark.parametrize("backend", ["starlette", "fastapi", "sanic", "tornado"])
def test_chunked_bodies_stream_in_and_out(start: Start, backend: str):
    server = start(backend)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    parts = [b"abc" * 1000] * 50
    connection.request(
        "POST",
        "/api/asynchronous/upper",
        body=iter(parts),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert connection.getresponse().read() == b"".join(parts).upper()
    connection.close()


@pytest.mark.parametrize("backend", ["django-asgi", "flask"])
def test_chunked_bodies_arrive_whole_elsewhere(start: Start, backend: str):
    server = start(backend)
    path = "/api/asynchronous/upper" if backend == "django-asgi" else "/api/absent"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(
        "POST",
        path,
        body=iter([b"ab", b"c"]),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    response = connection.getresponse()
    if backend == "django-asgi":
        assert response.read() == b"ABC"
    else:
        assert response.status == 404
    connection.close()
