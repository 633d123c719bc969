"""One set of requests and answers over all six backends, in process and over a socket."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract import api
from tests.contract.cases import ASYNC_CASES, CASES, RAW_PATH_CASES, SYNC_CASES, Case
from tests.contract.inprocess import ASGIClient, Loop, TornadoClient, call_wsgi
from tests.contract.layer_cases import LAYER_CASES
from tests.servers import ROOT, Answer, Server, free_port, start_server
from utilmeta.testing import override_service

BACKENDS = (
    "django-wsgi",
    "django-asgi",
    "flask",
    "starlette",
    "fastapi",
    "sanic",
    "tornado",
)
SYNC = {"django-wsgi", "flask"}

# Host names that the services answer for.
HOSTS = ["testserver", "127.0.0.1", ".example.com"]

# Headers that servers add of their own, and that differ with the time or the server.
SERVERS_OWN = {"date", "server", "connection", "transfer-encoding", "keep-alive", "alt-svc"}


@dataclass
class Target:
    """A backend under test."""

    name: str
    call: Callable[[Case], Answer]
    knows_raw_path: bool = True


@pytest.fixture(scope="module")
def seen() -> dict[tuple[str, str], tuple[str, Any]]:
    """What the first backend answered, by transport and case."""
    return {}


@pytest.fixture(scope="module", params=BACKENDS)
def inprocess(request: pytest.FixtureRequest) -> Iterator[Target]:
    backend, _, mode = request.param.partition("-")
    is_sync = request.param in SYNC
    with ExitStack() as stack:
        service = stack.enter_context(
            override_service(
                backend=backend,
                name=f"contract-{request.param}",
                asynchronous=True if mode == "asgi" else None,
                api=api.SyncRootAPI if is_sync else api.AsyncRootAPI,
                route="/api",
            )
        )
        from django.test import override_settings

        # A fresh service on Django has no middleware; the test project's is not under test here.
        stack.enter_context(override_settings(MIDDLEWARE=[], DEBUG=False, ALLOWED_HOSTS=HOSTS))
        app = service.application()
        if is_sync:
            yield Target(request.param, lambda case: call_wsgi(app, case))
            return
        loop = Loop()
        stack.callback(loop.close)
        client = TornadoClient(app, loop) if backend == "tornado" else ASGIClient(app, loop)
        stack.callback(client.close)
        yield Target(request.param, client)


@pytest.fixture(scope="module", params=BACKENDS)
def socketed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    backend, _, mode = request.param.partition("-")
    port = free_port()
    server: Server = start_server(
        ["python", str(ROOT / "tests" / "contract" / "server.py")],
        port,
        tmp_path_factory.mktemp("contract") / f"{request.param}.log",
        cwd=tmp_path_factory.mktemp("cwd"),
        env={"BACKEND": backend, "PORT": str(port), "ASYNCHRONOUS": "1" if mode == "asgi" else ""},
    )

    def call(case: Case) -> Answer:
        return server.request(case.method, case.path, body=case.body, headers=case.headers)

    yield Target(request.param, call, knows_raw_path=request.param != "django-wsgi")
    assert server.stop() in {0, -15, 143}, server.output()
    # Each traceback is one that an endpoint was made to raise, logged once by the service.
    output = server.output()
    chained = output.count("was the direct cause of") + output.count("During handling of")
    assert output.count("Traceback (most recent call last)") == output.count(" failed: ") + chained


def normal(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return an answer without what servers add of their own."""
    headers = sorted(pair for pair in answer.headers if pair[0] not in SERVERS_OWN)
    return answer.status, headers, answer.body


def check(target: Target, transport: str, case: Case, seen: dict[Any, Any]) -> None:
    """Compare an answer with the case, and with what the first backend answered."""
    answer = target.call(case)
    assert answer.status == case.status, answer
    if case.json is not ...:
        assert json.loads(answer.body) == case.json
    if case.text is not None:
        assert answer.body == case.text
    for name, value in case.has.items():
        assert answer.header(name) == value
    for name in case.lacks:
        assert answer.header(name) is None
    if case.native:
        return
    first_name, first = seen.setdefault((transport, case.name), (target.name, normal(answer)))
    assert normal(answer) == first, f"{target.name} differs from {first_name}"


def ids(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES + RAW_PATH_CASES + LAYER_CASES, ids=ids)
def test_inprocess_answers(inprocess: Target, case: Case, seen: dict[Any, Any]) -> None:
    check(inprocess, "process", case, seen)


@pytest.mark.parametrize("case", ASYNC_CASES, ids=ids)
def test_inprocess_async_answers(inprocess: Target, case: Case, seen: dict[Any, Any]) -> None:
    if inprocess.name in SYNC:
        assert inprocess.call(case).status == 404
        return
    check(inprocess, "process", case, seen)


@pytest.mark.parametrize("case", SYNC_CASES, ids=ids)
def test_inprocess_sync_answers(inprocess: Target, case: Case, seen: dict[Any, Any]) -> None:
    if inprocess.name not in SYNC:
        assert inprocess.call(case).status == 404
        return
    check(inprocess, "process", case, seen)


@pytest.mark.sockets
@pytest.mark.parametrize("case", CASES + LAYER_CASES, ids=ids)
def test_socket_answers(socketed: Target, case: Case, seen: dict[Any, Any]) -> None:
    check(socketed, "socket", case, seen)


@pytest.mark.sockets
@pytest.mark.parametrize("case", RAW_PATH_CASES, ids=ids)
def test_socket_answers_encoded_slashes(socketed: Target, case: Case, seen: dict[Any, Any]) -> None:
    if not socketed.knows_raw_path:
        # wsgiref decodes the path and tells no other; the slash then divides segments.
        assert socketed.call(case).status in {200, 404}
        return
    check(socketed, "socket", case, seen)


@pytest.mark.sockets
@pytest.mark.parametrize("case", ASYNC_CASES, ids=ids)
def test_socket_async_answers(socketed: Target, case: Case, seen: dict[Any, Any]) -> None:
    if socketed.name in SYNC:
        assert socketed.call(case).status == 404
        return
    check(socketed, "socket", case, seen)
