"""`service.run()` in production, without a supervisor: it drains by itself."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.stage import HERE, wait_until
from tests.servers import ROOT, Server, free_port, start_server

DRAINING = ["tornado", "sanic", "starlette", "fastapi", "django"]
GRACE = 1.0

Run = Callable[..., Server]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    servers: list[Server] = []

    def make(backend: str, **environ: str) -> Server:
        shutil.copy(HERE / "project" / "service.py", tmp_path)
        (tmp_path / "release.py").write_text("RELEASE = 1\n", encoding="utf-8")
        port = free_port()
        environ = {
            "BACKEND": backend,
            "ASYNCHRONOUS": "true",
            "SECRET_KEY": "for-tests-" + "k9x-" * 15,
            "PORT": str(port),
            "GRACE": str(GRACE),
            **environ,
        }
        servers.append(
            start_server(
                ["python", "service.py"], port, tmp_path / "log", cwd=tmp_path, env=environ
            )
        )
        return servers[-1]

    yield make
    for server in servers:
        server.stop(signal.SIGKILL)


def ready(server: Server) -> int:
    """Return the status of `/readyz`; 0 when nobody listens."""
    try:
        return server.request("GET", "/readyz").status
    except OSError:
        return 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("backend", DRAINING)
def test_ends_in_steps(run: Run, tmp_path: Path, backend: str, number: int) -> None:
    server = run(backend)
    assert ready(server) == 200
    slow: list[int] = []
    path = "/api/slow?seconds=2.5"
    late = threading.Thread(target=lambda: slow.append(server.request("GET", path).status))
    late.start()
    time.sleep(0.3)
    begun = time.monotonic()
    server.process.send_signal(number)
    wait_until(lambda: ready(server) == 503, 5, what="readiness turns false", step=0.02)
    # Meanwhile whoever has not noticed is answered.
    assert server.request("GET", "/api/pid").status == 200
    wait_until(lambda: ready(server) == 0, 5, what="requests are refused", step=0.02)
    assert time.monotonic() - begun >= GRACE * 0.9
    late.join()
    assert slow == [200]
    assert server.process.wait(20) in {0, -number}
    notes = (tmp_path / "hooks").read_text(encoding="utf-8").split()
    assert notes[::2] == ["start", "stop"]


@pytest.mark.parametrize("backend", DRAINING)
def test_second_signal_ends_it_at_once(run: Run, backend: str) -> None:
    server = run(backend, GRACE="30")
    wait_until(lambda: ready(server) == 200, 10, what="ready")
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: ready(server) == 503, 5, what="readiness turns false", step=0.02)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(5) != 0


def test_development_servers_do_not_serve_under_a_supervisor(tmp_path: Path) -> None:
    shutil.copy(HERE / "project" / "service.py", tmp_path)
    (tmp_path / "release.py").write_text("RELEASE = 1\n", encoding="utf-8")
    supervisor = [sys.executable, "-m", "utilmeta.supervisor", f"--bind=127.0.0.1:{free_port()}"]
    ended = subprocess.run(
        [*supervisor, "--", sys.executable, "service.py"],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "BACKEND": "flask",
            "SECRET_KEY": "for-tests-" + "k9x-" * 15,
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert "manage.py deploy" in ended.stderr
