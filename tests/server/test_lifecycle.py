"""Start-up and shutdown hooks on each backend and server."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.conftest import APP, BACKENDS, ENDED, Start
from tests.servers import ROOT, free_port

pytestmark = pytest.mark.sockets

GUNICORN = str(Path(sys.executable).parent / "gunicorn")
UVICORN = str(Path(sys.executable).parent / "uvicorn")


def marks(output: str) -> list[str]:
    """Return the lines that hooks printed, without process ids."""
    return [
        line.partition(" in ")[0]
        for line in output.splitlines()
        if line.startswith(("start ", "stop "))
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_hooks_run_once_in_order(start: Start, backend: str):
    server = start(backend)
    assert server.request("GET", "/api/thread").status == 200
    assert server.request("GET", "/api/thread").status == 200
    assert server.stop() in ENDED
    assert marks(server.output()) == ["start 1", "start 2", "stop 2", "stop 1"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_failing_start_hook_ends_the_process(backend: str, tmp_path: Path):
    name, _, mode = backend.partition("-")
    env = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "BACKEND": name,
        "ASYNCHRONOUS": "1" if mode else "",
        "PORT": str(free_port()),
        "FAIL": "start",
    }
    done = subprocess.run(
        [sys.executable, APP],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode != 0, printed
    assert "no start today" in printed
    assert "start 2" not in printed


@pytest.mark.parametrize("backend", ["django", "starlette"])
def test_failing_stop_hook_does_not_keep_the_next(start: Start, backend: str):
    server = start(backend, FAIL="stop")
    server.request("GET", "/api/thread")
    server.stop()
    assert marks(server.output())[-2:] == ["stop 2", "stop 1"]
    assert "no stop today" in server.output()


@pytest.mark.parametrize("preload", [False, True])
@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_hooks_run_in_each_gunicorn_worker(start: Start, worker: str, preload: bool):
    command = [
        GUNICORN,
        "-k",
        worker,
        "-w",
        "2",
        "-b",
        "127.0.0.1:PORT",
        "--no-control-socket",
        "app:app",
    ]
    server = start("django", command=[*command, "--preload"] if preload else command)
    pids = {server.request("GET", "/api/thread").body for _ in range(30)}
    assert server.stop() in ENDED
    started = [line for line in server.output().splitlines() if line.startswith("start 1")]
    assert len(started) == len(set(started)) == len(pids)
    assert marks(server.output()).count("stop 1") == len(pids)


def test_django_asgi_answers_lifespan_under_uvicorn(start: Start):
    command = [UVICORN, "app:app", "--port", "PORT", "--lifespan", "on"]
    server = start("django-asgi", command=command)
    assert marks(server.output()) == ["start 1", "start 2"]
    assert server.request("GET", "/api/thread").status == 200
    server.stop()
    assert marks(server.output()) == ["start 1", "start 2", "stop 2", "stop 1"]


def test_first_request_that_cannot_start_ends_the_worker(start: Start):
    command = [GUNICORN, "-w", "1", "-b", "127.0.0.1:PORT", "--no-control-socket", "app:app"]
    server = start("flask", command=command, FAIL="start")
    with pytest.raises((ConnectionError, OSError)):
        server.request("GET", "/api/thread")
    server.stop()
    assert "no start today" in server.output()


@pytest.mark.parametrize("backend", BACKENDS)
def test_taken_port_is_refused(backend: str, tmp_path: Path):
    name, _, mode = backend.partition("-")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = {"BACKEND": name, "ASYNCHRONOUS": "1" if mode else "", "PORT": str(port)}
        done = subprocess.run(
            [sys.executable, APP],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port}: another process listens there" in done.stderr


def test_tornado_finishes_requests_in_flight(start: Start):
    server = start("tornado")
    assert server.request("GET", "/api/thread").status == 200
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.request, "GET", "/api/sleep?seconds=1")
        # Long enough for the request to have reached its endpoint, well short of its end.
        time.sleep(0.4)
        assert server.stop() == 0
        assert slow.result(10).body == b"slept"
    assert marks(server.output())[-1] == "stop 1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sanic_with_several_processes_ends_when_told_before_they_are_there(
    start: Start, number: int
):
    # It listens before it starts its processes.
    server = start("sanic", WORKERS="2")
    assert server.request("GET", "/api/thread").status == 200
    assert server.stop(number) in ENDED
    output = marks(server.output())
    assert output.count("start 1") == output.count("stop 1") == 2


def test_second_signal_ends_sanic_with_several_processes_at_once(start: Start):
    server = start("sanic", WORKERS="2", START_SECONDS="25")
    time.sleep(1)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert server.process.poll() is None
    begun = time.monotonic()
    assert server.stop() != 0
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0])
def test_a_terminals_signal_ends_sanic_while_its_processes_start(start: Start, seconds: float):
    # It goes to all processes at once.
    server = start("sanic", WORKERS="2")
    time.sleep(seconds)
    begun = time.monotonic()
    os.killpg(server.process.pid, signal.SIGINT)
    server.process.wait(20)
    assert time.monotonic() - begun < 15
    assert server.process.returncode != -signal.SIGKILL


def test_a_terminals_signal_leaves_sanics_processes_time(start: Start):
    server = start("sanic", WORKERS="2")
    assert server.request("GET", "/api/thread").status == 200
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.request, "GET", "/api/sleep?seconds=2")
        time.sleep(0.5)
        os.killpg(server.process.pid, signal.SIGINT)
        assert slow.result(15).body == b"slept"
    assert server.process.wait(15) == 0
