"""The examples of the API layer, run as a reader would."""

import json
import re
import subprocess
import sys

import pytest
from openapi_spec_validator import validate
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.examples.conftest import Start, end
from tests.examples.copies import uses
from tests.servers import ROOT

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")
JSON = {"Content-Type": "application/json"}


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("forms")
def test_forms_are_read_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)

    def call(method, path, body=None, content_type="application/json"):
        headers = {} if body is None else {"Content-Type": content_type}
        answer = server.request(method, f"/api/items/{path}", body=body, headers=headers)
        return answer.status, json.loads(answer.body)

    search = {"text": "a", "sizes": [1, 2], "price": {"low": 5, "high": None}}
    for query in ("price.low=5", "price[low]=5"):
        found = call("GET", f"search?text=a&sizes=1,2&{query}&page=2")
        assert found == (200, {"search": search, "page": 2})
    item = {"name": "cup", "tags": ["a", "b"]}
    assert call("POST", "add", json.dumps(item).encode()) == (200, item)
    form = "application/x-www-form-urlencoded"
    assert call("POST", "form", b"name=cup&tags=a&tags=b", form) == (200, item)
    assert call("POST", "add", b"name=cup", form)[0] == 415
    parts = b"".join(
        b"--X\r\nContent-Disposition: form-data; name=" + head + b"\r\n\r\n" + body + b"\r\n"
        for head, body in (
            (b'"item"', b'{"name": "cup"}'),
            (b'"photos"; filename="1.png"\r\nContent-Type: image/png', b"abc"),
            (b'"photos"; filename="2.png"\r\nContent-Type: image/png', b"abcd"),
        )
    )
    sent = call("PUT", "3/photos", parts + b"--X--\r\n", "multipart/form-data; boundary=X")
    assert sent == (200, {"id": 3, "name": "cup", "photos": [3, 4]})
    cover = call("PUT", "3/cover", b"\x89PNG", "image/png")
    assert cover == (200, {"id": 3, "type": "image/png", "bytes": 4})
    assert call("POST", "import", b"[]") == (200, {"kind": "list"})
    assert call("POST", "import", b"a,b", "text/csv") == (200, {"kind": "str"})
    assert call("POST", "import", b"PK", "application/zip") == (200, {"kind": "File"})
    assert call("PATCH", "3", b"{}") == (200, {"id": 3, "note": "kept"})
    assert call("PATCH", "3", b'{"note": null}') == (200, {"id": 3, "note": None})
    assert call("GET", "whoami?user=1&ip=6.6.6.6") == (200, {"ip": "127.0.0.1", "user": None})
    end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("responses")
def test_responses_are_made_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)

    def get(path, **headers):
        return server.request("GET", f"/api/{path}", headers=headers)

    def wrapped(path):
        answer = get(f"wrapped/{path}")
        return answer.status, json.loads(answer.body)

    empty = {"data": None, "message": "", "code": None, "total": None}
    assert wrapped("plain") == (200, {**empty, "data": ["a", "b"]})
    page = {"data": ["a"], "message": "the first of two", "total": 2}
    assert wrapped("page") == (200, {**empty, **page})
    assert wrapped("missing") == (404, {**empty, "message": "no such row", "code": "row"})
    assert wrapped("numbers") == (200, {"numbers": [1, 2]})
    assert wrapped("finished") == (202, {"as": "it is"})
    report = get("files/report", Range="bytes=3-9")
    assert (report.status, report.body) == (206, b"Results")
    name = "attachment; filename=\"rapport ?.txt\"; filename*=UTF-8''rapport%20%C3%A9.txt"
    assert report.header("content-disposition") == name
    cookie = get("files/login").header("set-cookie")
    assert cookie == "session=abc; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"
    assert get("records/events").body == (
        b'event: start\nid: 1\nretry: 5000\ndata: {"n":0}\n\ndata: {"n":1}\n\n'
    )
    assert get("records/lines").body == b'{"n":0}\n{"n":1}\n{"n":2}\n'
    end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("hooks")
def test_hooks_run_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)

    def call(method, path, user=None, body=None):
        headers = {**({"X-User": user} if user else {}), **(JSON if body else {})}
        return server.request(method, f"/api/{path}", headers=headers, body=body)

    health = call("GET", "health")
    assert (health.body, health.header("x-served-by")) == (b"ok", "notes")
    refused = call("GET", "notes/1")
    assert (refused.status, refused.header("www-authenticate")) == (401, "Bearer")
    assert json.loads(call("GET", "notes/1", "bob").body) == {"note": "buy milk", "by": "bob"}
    assert call("PUT", "notes/1", "bob", b'{"text": "x"}').status == 403
    assert json.loads(call("PUT", "notes/1", "ann", b'{"text": "x"}').body) == {"note": "x"}
    missing = call("GET", "notes/2", "ann")
    assert (missing.status, json.loads(missing.body)) == (404, {"error": "no such note"})
    assert "refused: say who you are" in end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("plugins")
def test_plugins_do_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)

    def call(method, path, body=None, **headers):
        return server.request(
            method,
            f"/api/orders/{path}",
            body=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    prices = call("GET", "prices", Origin="https://app.example.com")
    assert prices.header("cache-control") == "max-age=60"
    assert prices.header("access-control-allow-origin") == "https://app.example.com"
    assert re.fullmatch(r"app;dur=\d+\.\d", prices.header("server-timing") or "")
    assert call("GET", "prices", If_None_Match=prices.header("etag")).status == 304
    paid = [call("POST", "pay", b'{"amount": 5}', **JSON, Idempotency_Key="k1") for _ in range(2)]
    assert paid[0].body == paid[1].body
    assert paid[1].header("idempotency-replayed") == "true"
    assert [call("GET", "quote", X_Who="a").status for _ in range(4)] == [200, 200, 200, 429]
    assert call("GET", "upstream").body == b"answered"
    assert call("PUT", "note", b'{"text": "a"}', **JSON, If_Match='"v0"').status == 412
    end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["starlette", "fastapi", "sanic", "tornado"])
@uses("rooms")
def test_rooms_talk_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)
    url = f"ws://127.0.0.1:{server.port}/api/rooms/blue/talk"
    with pytest.raises(InvalidStatus) as refused, connect(url, proxy=None):
        pass
    assert refused.value.response.status_code == 401
    with connect(f"{url}?name=ann", proxy=None) as socket:
        socket.send('{"kind": "say", "text": "hi"}')
        assert json.loads(socket.recv(10)) == {"who": "ann", "text": "hi"}
        socket.send('{"kind": "leave"}')
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(10)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4000
    end(server)


@uses("testing")
def test_tests_of_a_service_run_as_described(folder, monkeypatch):
    import os

    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "BACKEND": "sanic"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django"]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["django", "starlette"])
@uses("drf_docs")
def test_one_document_describes_the_api_and_a_drf_router(start: Start, backend: str):
    server = start(BACKEND=backend)
    assert json.loads(server.request("GET", "/drf/things/").body) == [{"number": 1}]
    document = json.loads(server.request("GET", "/api/openapi.json").body)
    assert document["openapi"].startswith("3.1")
    assert {"/api/hello", "/drf/things/"} <= set(document["paths"])
    validate(document)
    end(server)
