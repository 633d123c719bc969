"""Log lines about requests, and the id on all that is logged within them."""

import logging
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import path

from tests.observe.conftest import Written
from tests.observe.services import watched
from tests.testing.services import ASYNC, BACKENDS
from utilmeta.conf import Logging, Preference

# The client of these tests logs too.
QUIET = {"httpx": "WARNING", "asyncio": "WARNING"}
JSON = Logging(format="json", slow_sql=0, slow_request=0, loggers=QUIET)


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_request_is_one_line_with_its_id(backend: str, written: Written):
    with watched(backend, [JSON]) as (_, client):
        written.catch()
        headers = {"X-Request-ID": "from.client_1-2", "User-Agent": "tester/1"}
        answer = client.get("/api/items/7?token=hidden", headers=headers)
    assert answer.json() == {"id": 7, "label": "from.client_1-2"}
    assert answer.headers.get_list("x-request-id") == ["from.client_1-2"]
    (line,) = written.lines("utilmeta.access")
    assert line["message"].startswith("GET /api/items/7 200 ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["duration_ms"] > 0
    del line["time"], line["message"], line["duration_ms"]
    assert line == {
        "level": "INFO",
        "logger": "utilmeta.access",
        "request_id": "from.client_1-2",
        "method": "GET",
        "path": "/api/items/7",
        "status": 200,
        "route": "/api/items/{id}",
        "bytes": len(answer.content),
        "client": "127.0.0.1",
        "user_agent": "tester/1",
    }
    (within,) = written.lines("some.library")
    assert within["request_id"] == "from.client_1-2"
    assert within["message"] == "looking for 7"
    assert "hidden" not in written.text


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("given", ["", "a b", "a" * 129, "é", 'x"y', "a\tb"])
def test_bad_ids_are_replaced(backend: str, given: str, written: Written):
    with watched(backend, [JSON]) as (_, client):
        written.catch()
        answer = client.get("/api/items/1", headers=[(b"X-Request-ID", given.encode("latin-1"))])
    found = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", found)
    assert {line["request_id"] for line in written.lines()} == {found}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("method", "target", "status", "route"),
    [
        ("GET", "/api/absent", 404, None),
        ("GET", "/elsewhere/at/all", 404, None),
        ("GET", "/api/items/x", 400, "/api/items/{id}"),
        ("DELETE", "/api/items/1", 405, "/api/items/{id}"),
        ("OPTIONS", "/api/items/1", 204, "/api/items/{id}"),
        ("HEAD", "/api/items/1", 200, "/api/items/{id}"),
        ("GET", "/api/refused", 403, "/api/refused"),
        ("POST", "/api/items/1", 413, "/api/items/{id}"),
        ("GET", "/api/fails", 500, "/api/fails"),
        ("GET", "/api/%00", 400, None),
    ],
)
def test_every_answer_has_an_id_and_a_line(
    backend: str, method: str, target: str, status: int, route: str | None, written: Written
):
    with watched(backend, [JSON, Preference(max_body_size=10)]) as (_, client):
        written.catch()
        body = b"x" * 100 if method == "POST" else None
        answer = client.request(
            method, target, content=body, headers={"Content-Type": "application/octet-stream"}
        )
    assert answer.status_code == status
    request_id = answer.headers["x-request-id"]
    assert len(answer.headers.get_list("x-request-id")) == 1
    (line,) = written.lines("utilmeta.access")
    assert (line["status"], line["route"], line["method"]) == (status, route, method)
    assert line["request_id"] == request_id
    # Whatever else is logged on the way belongs to it.
    assert {item.get("request_id") for item in written.lines()} == {request_id}
    assert line["bytes"] == len(answer.content)
    raised = [item for item in written.lines() if "exception" in item]
    assert len(raised) == (1 if status == 500 else 0)
    if raised:
        assert raised[0]["request_id"] == line["request_id"]
        assert line["error"] == "ValueError"
        assert "a secret text" in raised[0]["exception"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_refused_hosts_have_an_id_and_a_line(backend: str, written: Written):
    with watched(backend, [JSON], settings={"ALLOWED_HOSTS": ["other.test"]}) as (_, client):
        written.catch()
        answer = client.get("http://wrong.test/api/items/1")
    assert answer.status_code == 400
    (line,) = written.lines("utilmeta.access")
    assert line["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_streams_log_at_their_end(backend: str, written: Written):
    with watched(backend, [JSON]) as (_, client):
        written.catch()
        for name in ("pieces", "flow")[: 2 if backend in ASYNC else 1]:
            written.clear()
            answer = client.get(f"/api/{name}")
            assert answer.content == b"0\n1\n2\n"
            lines = [line for line in written.lines() if line["logger"] != "utilmeta.slow"]
            assert [line["message"] for line in lines[:3]] == ["piece 0", "piece 1", "piece 2"]
            assert lines[3]["logger"] == "utilmeta.access"
            assert lines[3]["bytes"] == 6
            assert {line["request_id"] for line in lines} == {answer.headers["x-request-id"]}


@pytest.mark.parametrize("backend", ASYNC)
def test_async_endpoints_carry_the_id(backend: str, written: Written):
    with watched(backend, [JSON]) as (_, client):
        written.catch()
        answer = client.get("/api/awaited", headers={"X-Request-ID": "given"})
        assert answer.text == "given"
    assert written.lines("some.library")[0]["request_id"] == "given"


@pytest.mark.parametrize("backend", ASYNC)
def test_websockets_are_one_line_at_their_end(backend: str, written: Written):
    with watched(backend, [JSON]) as (_, client):
        written.catch()
        headers = {"X-Request-ID": "talk-1"}
        with client.websocket("/api/talk", headers=headers) as socket:
            socket.send("hello")
            assert socket.receive() == "HELLO"
            assert written.lines("utilmeta.access") == []
    (line,) = written.lines("utilmeta.access")
    assert (line["method"], line["path"], line["status"]) == ("WS", "/api/talk", 101)
    assert (line["route"], line["request_id"]) == ("/api/talk", "talk-1")
    assert written.lines("some.library")[0]["request_id"] == "talk-1"


@pytest.mark.parametrize("backend", BACKENDS)
def test_slow_requests_and_statements_are_told(backend: str, written: Written):
    with watched(backend, [JSON]) as (_, client):
        written.catch()
        answer = client.get("/api/number")
    assert answer.json() == 42
    lines = written.lines("utilmeta.slow")
    assert {line["request_id"] for line in lines} == {answer.headers["x-request-id"]}
    assert lines[0]["sql"] == "SELECT %s + 1"
    assert lines[0]["database"] == "default"
    assert lines[-1]["message"].startswith("slow request: GET /api/number 200")
    assert "41" not in "".join(line["message"] for line in lines[:-1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_probes_are_told_at_debug_only(backend: str, written: Written):
    with watched(backend, [Logging(format="json", loggers=QUIET)]) as (_, client):
        written.catch()
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert answer.headers["x-request-id"]
        assert written.lines() == []
        logging.getLogger("utilmeta.access").setLevel("DEBUG")
        client.get("/healthz")
        logging.getLogger("utilmeta.access").setLevel("NOTSET")
    (line,) = written.lines("utilmeta.access")
    assert (line["level"], line["route"]) == ("DEBUG", "/healthz")


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_wrapped_without_configuration(backend: str):
    with watched(backend, []) as (service, client):
        assert service.observer is None
        assert service.handler is service.engine
        assert "x-request-id" not in client.get("/api/items/1").headers


def view(_request: Any, number: int) -> HttpResponse:
    logging.getLogger("some.library").info("in a view")
    return HttpResponse(f"view {number}")


@pytest.mark.parametrize("backend", BACKENDS)
def test_django_views_are_watched(backend: str, written: Written):
    from types import SimpleNamespace

    from tests.testing.services import service_on
    from utilmeta.core.api import API
    from utilmeta.testing import Client

    with service_on(backend, API, configs=[JSON], route="/api") as service:
        service.mount(SimpleNamespace(urls=[path("<int:number>/", view)]), route="/views")
        with Client(service) as client:
            written.catch()
            answer = client.get("/views/3/")
            missing = client.get("/views/x/")
    assert answer.content == b"view 3"
    assert missing.status_code == 404
    first, second = written.lines("utilmeta.access")
    assert (first["route"], first["status"], first["bytes"]) == ("/views/<int:number>/", 200, 6)
    assert first["request_id"] == answer.headers["x-request-id"]
    assert (second["route"], second["status"]) == (None, 404)
    assert written.lines("some.library")[0]["request_id"] == first["request_id"]
