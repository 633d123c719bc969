"""Entrances: plain requests do not reach the framework, and nobody can tell by the answers."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import api as contract
from tests.contract.cases import ASYNC_CASES, CASES, RAW_PATH_CASES, SYNC_CASES, Case
from tests.contract.inprocess import sent
from tests.contract.layer_cases import LAYER_CASES
from tests.server.entering import BACKENDS, WSGI, Answer, Entered, entered
from tests.servers import ROOT, free_port, start_server
from utilmeta.core import api

# Their answers depend on what was asked before, or on the clock.
STATEFUL = ("rate", "idempot")

PATHS = (
    "",
    "/",
    "//",
    "/api",
    "/api/",
    "/api//",
    "//api/hello",
    "/api//hello",
    "/api/hello/",
    "/api/hello//",
    "/apix",
    "/apix/hello",
    "/ap",
    "/API/hello",
    "/api/../api/hello",
    "/api/./hello",
    "/api/hello?",
    "/api/hello?a=%zz&b=%ff",
    "/%61pi/hello",
    "/api%2Fhello",
    "/api%2fhello",
    "/api/h%65llo",
    "/api/params/files/a%2Fb/c",
    "/api/params/files/%E4%B8%96/%C3%A9",
    "/api/params/files/%ff",
    "/api/params/files/%00",
    "/api/params/files/a%0Ab",
    "/api/params/files/a%0A",
    "/api/params/files/a;b=c",
    "/api/params/files/a+b%20c",
    "/api/hello%0A",
    "/api%0A",
    "/api%20/hello",
    "/api/%",
    "/api/%2",
    "http://localhost/api/hello",
)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "DELETE", "PATCH", "PUT")


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def fail(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("the framework was called")


def forbid(service: Entered, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the framework's own machinery fail."""
    if service.name.startswith("django"):
        from django.core.handlers.base import BaseHandler

        monkeypatch.setattr(BaseHandler, "get_response", fail)
        monkeypatch.setattr(BaseHandler, "get_response_async", fail)
    elif service.name == "flask":
        monkeypatch.setattr("flask.Flask.request_context", fail)
        monkeypatch.setattr("flask.Flask.full_dispatch_request", fail)
    elif service.name == "sanic":
        monkeypatch.setattr(type(service.app.router), "get", fail)
    else:
        monkeypatch.setattr("starlette.middleware.errors.ServerErrorMiddleware.__call__", fail)


@pytest.mark.parametrize("name", BACKENDS)
def test_framework_is_not_called_for_a_plain_service(name: str, monkeypatch: pytest.MonkeyPatch):
    with entered(name) as service:
        assert service.reason is None
        service.get("/api/hello")
        forbid(service, monkeypatch)
        assert service.get("/api/hello").body == b"world"
        assert service.get("/api/absent").status.startswith("404")
        assert service.call("POST", "/api/echo", body=b"abc").body == b"abc"


@pytest.mark.parametrize("name", BACKENDS)
def test_framework_is_called_when_a_test_closes_the_entrance(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    """What the others here rely on."""
    with entered(name) as service:
        service.get("/api/hello")
        service.close_entrance()
        forbid(service, monkeypatch)
        try:
            outcome = service.get("/api/hello").body
        except AssertionError:
            outcome = b""
        assert outcome != b"world"


def normal(answer: Answer) -> tuple[str, list[tuple[str, str]], bytes]:
    # The reason phrase means nothing (RFC 9110, section 15.1), and case of names neither.
    pairs = sorted((name.lower(), value) for name, value in answer.headers)
    return answer.status[:3], pairs, answer.body


def cases_of(name: str) -> list[Case]:
    own = SYNC_CASES if name in WSGI else ASYNC_CASES
    cases = [*CASES, *RAW_PATH_CASES, *LAYER_CASES, *own]
    found = [case for case in cases if not any(word in case.name for word in STATEFUL)]
    for path in PATHS:
        found += [Case(f"{method} {path}", method=method, path=path) for method in METHODS]
    huge = b"x" * 3_000_000
    for size in (0, 1, 100_000, len(huge)):
        for path in ("/api/bodies/raw", "/api/hello", "/api/bodies/small"):
            found.append(Case(f"{size} to {path}", method="POST", path=path, body=huge[:size]))
    return found


@pytest.mark.parametrize("name", BACKENDS)
def test_answers_are_the_same_both_ways(name: str):
    root = contract.SyncRootAPI if name in WSGI else contract.AsyncRootAPI
    cases = cases_of(name)
    ways: list[list[Any]] = []
    for is_closed in (False, True):
        with entered(name, root=root) as service:
            service.get("/api/hello")
            assert service.reason is None
            if is_closed:
                service.close_entrance()
            answers: list[Any] = []
            for case in cases:
                try:
                    answers.append(normal(service.send(sent(case))))
                except Exception as exc:
                    answers.append(type(exc).__name__)
            ways.append(answers)
    different = [
        (case.name, first, second)
        for case, first, second in zip(cases, *ways, strict=True)
        if first != second and not _is_dated(first, second)
    ]
    assert different == []


def _is_dated(first: Any, second: Any) -> bool:
    """Return whether answers differ in what changes from one request to the next."""
    if isinstance(first, str) or isinstance(second, str):
        return False
    changing = {"date", "last-modified", "x-request-id", "retry-after"}
    plain = [(a[0], [p for p in a[1] if p[0] not in changing], a[2]) for a in (first, second)]
    return bool(plain[0] == plain[1])


class OtherAPI(api.API):
    @api.get
    def hello(self):
        return "other"


@pytest.mark.parametrize("route", ["/", "/a"])
@pytest.mark.parametrize("name", ["flask", "starlette", "fastapi", "sanic"])
def test_apis_of_one_application_keep_their_routes(name: str, route: str):
    bodies = []
    for is_closed in (False, True):
        with entered(name, route="/a/b") as service:
            OtherAPI.__as__(service.app, route)
            if is_closed:
                _close_all(service)
            bodies.append([service.get(path).body for path in ("/a/b/hello", "/a/hello")])
    assert bodies[0] == bodies[1]


def _close_all(service: Entered) -> None:
    """Close the entrances of all adapters that an application has had."""
    service.close_entrance()
    inner: Any = getattr(service.app, "wsgi_app", None)
    while inner is not None and hasattr(inner, "watch"):
        inner.watch._judge = lambda: "told by a test"
        inner = inner._inner


GET = b"GET /api/hello HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
POST = b"POST /api/bodies/raw HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
LONG = b"POST /api/hello HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
TYPED = b"Content-Type: application/octet-stream\r\n"

WIRE: dict[str, bytes] = {
    "plain": GET + b"\r\n",
    "http/1.0": b"GET /api/hello HTTP/1.0\r\n\r\n",
    "http/1.0 stream": b"GET /api/streams/numbers HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
    "no host": b"GET /api/hello HTTP/1.1\r\nConnection: close\r\n\r\n",
    "odd host": b"GET /api/hello HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    "other host": b"GET /api/hello HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
    "head of a stream": (
        b"HEAD /api/streams/numbers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    ),
    "stream": b"GET /api/streams/numbers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "absolute": b"GET http://127.0.0.1/api/hello HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Connection: close\r\n\r\n",
    "chunked": POST + TYPED + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked, unread": LONG + TYPED + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "length of nothing": POST + TYPED + b"Content-Length: 0\r\n\r\n",
    "no length": POST + TYPED + b"\r\n",
    "length that is no number": POST + TYPED + b"Content-Length: abc\r\n\r\n",
    "negative length": POST + TYPED + b"Content-Length: -1\r\n\r\n",
    "body longer than its length": POST + TYPED + b"Content-Length: 2\r\n\r\nabcdef",
    "expect": POST + TYPED + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "upgrade": GET.replace(b"close", b"Upgrade") + b"Upgrade: websocket\r\n\r\n",
    "upgrade to h2c": GET.replace(b"close", b"Upgrade") + b"Upgrade: h2c\r\n\r\n",
    "two at once": GET.replace(b"Connection: close\r\n", b"") + b"\r\n" + GET + b"\r\n",
    "two after an unread body": LONG.replace(b"Connection: close\r\n", b"")
    + b"Content-Length: 3\r\n\r\nabc"
    + GET
    + b"\r\n",
    "bytes in the path": b"GET /api/params/files/\xc3\xa9 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Connection: close\r\n\r\n",
    "bytes in a header": GET + b"Cookie: a=\xff\r\n\r\n",
    "trace": GET.replace(b"GET", b"TRACE") + b"\r\n",
    "unknown method": GET.replace(b"GET", b"PROPFIND") + b"\r\n",
}


def raw(port: int, data: bytes) -> bytes:
    """Return all that a server answers, without what changes each time."""
    with socket.create_connection(("127.0.0.1", port), timeout=1.5) as client:
        client.sendall(data)
        found = b""
        try:
            while chunk := client.recv(65536):
                found += chunk
        except OSError:
            pass
    lines = found.split(b"\r\n")
    # The reason phrase may be written otherwise.
    kept = [line[:12] if line.startswith(b"HTTP/") else line for line in lines]
    kept = [line for line in kept if not line.lower().startswith((b"date:", b"server:"))]
    return b"\r\n".join(kept).lower().replace(str(port).encode(), b"port")


@pytest.mark.sockets
@pytest.mark.parametrize("name", BACKENDS)
def test_answers_on_the_wire_are_the_same_both_ways(name: str, tmp_path: Path):
    ways: list[dict[str, bytes]] = []
    for closed in ("", "1"):
        port = free_port()
        server = start_server(
            ["python", str(ROOT / "tests" / "server" / "entered_app.py")],
            port,
            tmp_path / f"{closed}.log",
            cwd=tmp_path,
            env={"BACKEND": name, "PORT": str(port), "CLOSED": closed},
        )
        try:
            ways.append({title: raw(port, data) for title, data in WIRE.items()})
            # It is still well.
            assert server.request("GET", "/api/hello").body == b"world"
        finally:
            server.stop()
    first, second = ways
    different = {title: (first[title], second[title]) for title in WIRE}
    assert {key: pair for key, pair in different.items() if not _alike(*pair)} == {}


def _alike(first: bytes, second: bytes) -> bool:
    return _lines(first) == _lines(second)


def _lines(answer: bytes) -> list[bytes]:
    """Return the lines of an answer in no order; Sanic names the allowed methods in none either."""
    return sorted(
        b", ".join(sorted(line.partition(b": ")[2].split(b", ")))
        if line.startswith(b"allow: ")
        else line
        for line in answer.split(b"\r\n")
    )
