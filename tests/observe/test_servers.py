"""Logs and numbers of real servers, with one process and with several."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT, Server, free_port, start_server
from tests.testing.services import BACKENDS

pytestmark = pytest.mark.sockets
APP = str(ROOT / "tests" / "observe" / "app.py")
SECONDS = 20.0

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def make(backend: str, *command: str, **env: str) -> Server:
        name, _, mode = backend.partition("-")
        port = free_port()
        argv = [part.replace("PORT", str(port)) for part in command] or ["python", APP]
        given = {"BACKEND": name, "ASYNCHRONOUS": "1" if mode else "", "PORT": str(port), **env}
        server = start_server(argv, port, tmp_path / f"{port}.log", cwd=ROOT, env=given)
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


def wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_run_writes_one_line_for_each_request(start: Start, backend: str):
    server = start(backend)
    wait_for(lambda: server.request("GET", "/readyz").status == 200)
    for target in ("/api/items/1?secret=hidden", "/api/fails", "/absent", "/api/pieces"):
        answer = server.request("GET", target, headers={"X-Request-ID": "real-1"})
        assert answer.header("x-request-id") == "real-1"
    wait_for(lambda: "/api/pieces" in server.output())
    server.stop()
    text = server.output()
    assert "hidden" not in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    access = [line for line in lines if line["logger"] == "utilmeta.access"]
    assert [(line["path"], line["status"]) for line in access] == [
        ("/api/items/1", 200),
        ("/api/fails", 500),
        ("/absent", 404),
        ("/api/pieces", 200),
    ]
    # What else is written, such as the banner, is no second line about them.
    others = [line for line in text.splitlines() if not line.startswith("{")]
    assert not [line for line in others if "/api/items" in line or "/absent" in line], text
    failed = [line for line in lines if "exception" in line]
    assert [line["request_id"] for line in failed] == ["real-1"]


def numbers(server: Server) -> dict[str, float]:
    answer = server.request("GET", "/metrics")
    assert answer.status == 200, answer.body
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


SERVED = {
    "gunicorn": ("django", "gunicorn --workers 2 --bind 127.0.0.1:PORT tests.observe.app:app"),
    "supervisor": (
        "starlette",
        "python -m utilmeta.supervisor --bind 127.0.0.1:PORT --workers 2 --grace 0 -- "
        "uvicorn --fd {fd} --no-proxy-headers tests.observe.app:app",
    ),
}
ITEMS = 'http_requests_total{method="GET",route="/api/items/{id}",status="200"}'


@pytest.mark.parametrize("served", SERVED)
def test_numbers_of_several_processes_add_up(start: Start, tmp_path: Path, served: str):
    backend, command = SERVED[served]
    folder, waiting = tmp_path / "counted", tmp_path / "waiting"
    python = Path(sys.executable).parent
    words = command.split()
    words = [str(python / word) if word in ("gunicorn", "uvicorn") else word for word in words]
    server = start(backend, *words, PROMETHEUS_MULTIPROC_DIR=str(folder), WAITING=str(waiting))
    pids = wait_for(lambda: two_processes(server))
    for number in range(40):
        assert server.request("GET", f"/api/items/{number}").status == 200
    # A request is counted once its answer has been sent, which may be a moment after it has come.
    wait_for(lambda: numbers(server)[ITEMS] == 40)
    wait_for(lambda: numbers(server)["http_requests_in_progress"] == 0)
    # One is killed in the midst of a request.
    asking = threading.Thread(target=lambda: ask(server), daemon=True)
    asking.start()
    pid = int(wait_for(lambda: waiting.exists() and waiting.read_text()))
    assert pid in pids
    assert numbers(server)["http_requests_in_progress"] == 1
    os.kill(pid, signal.SIGKILL)
    asking.join(SECONDS)
    wait_for(lambda: pid not in processes(server))
    assert pid not in wait_for(lambda: two_processes(server))
    wait_for(lambda: numbers(server)["http_requests_in_progress"] == 0)
    assert numbers(server)[ITEMS] == 40
    assert server.request("GET", "/api/items/1").status == 200
    wait_for(lambda: numbers(server)[ITEMS] == 41)
    assert not list(folder.glob(f"*_{pid}.db"))


def processes(server: Server) -> list[int]:
    """Return the ids of the processes that are known to serve."""
    text = server.request("GET", "/metrics").body.decode()
    name = r'utilmeta_process_start_time_seconds\{pid="(\d+)"\}'
    return [int(pid) for pid in re.findall(name, text)]


def two_processes(server: Server) -> list[int]:
    """Return the ids of both processes, once each has answered; nothing before."""
    for _ in range(6):
        server.request("GET", "/readyz")
    found = processes(server)
    return found if len(found) == 2 else []


def ask(server: Server) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        server.request("GET", "/api/waits")


@pytest.mark.parametrize(
    ("backend", "target", "status"),
    [
        # What Sanic says of what it has cancelled.
        ("sanic", "/native", 500),
        ("sanic", "/api/sleeps", 499),
        ("sanic", "/api/endless", 200),
        ("tornado", "/api/endless", 200),
        ("django-asgi", "/api/sleeps", 499),
        ("django-asgi", "/api/endless", 200),
        ("starlette", "/api/endless", 200),
    ],
)
def test_clients_that_go_away_are_told_and_no_longer_counted(
    start: Start, backend: str, target: str, status: int
):
    server = start(backend)
    running = "http_requests_in_progress"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_for(lambda: numbers(server)[running] == 1)
    wait_for(lambda: numbers(server)[running] == 0)
    server.stop()
    lines = [json.loads(line) for line in server.output().splitlines() if line.startswith('{"')]
    access = [line for line in lines if line["logger"] == "utilmeta.access"]
    assert [(line["path"], line["status"]) for line in access] == [(target, status)]
