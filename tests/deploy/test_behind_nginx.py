"""What was written is started as systemd would, with nginx in front, reloaded and ended."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.projects import deploy, make_of, source
from tests.servers import Answer, Server, free_port, start_server
from tests.services import give_up

pytestmark = pytest.mark.sockets

SLOW = """
    @api.get
    def slow(self):
        import time

        time.sleep(1.0)
        return "slow"

    @api.get
    def seen(self):
        import os

        return [os.getpid(), str(self.request.ip_address), self.request.scheme, self.request.host]

"""
HOOKS = """
@service.on_startup
def start():
    print("hook up", flush=True)


@service.on_shutdown
def stop():
    print("hook down", flush=True)

"""
DEPLOYMENTS = {
    "uwsgi": ("flask", "server='uwsgi'"),
    "uwsgi_preload": ("django", "server='uwsgi', preload=True"),
    "gthread": ("django", "worker='gthread'"),
    "gthread_preload": ("flask", "preload=True"),
    "gevent": ("flask", "worker='gevent'"),
    "sync": ("flask", "worker='sync'"),
    "granian": ("flask", "server='granian'"),
}


def start_nginx(folder: Path, site: Path, port: int) -> Server:
    if shutil.which("nginx") is None:
        give_up("nginx is needed")
    folder.mkdir()
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log stderr;\ndaemon off;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}include {site};\n}}\n"
    )
    command = ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]
    return start_server(command, port, folder / "log", cwd=folder)


def start_unit(folder: Path, unit: str, port: int) -> Server:
    found = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert found is not None
    env = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE))
    return start_server(shlex.split(found[1]), port, folder / "log", cwd=folder, env=env)


def wait_until(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def beside(requests: int, call: Callable[[], Answer], act: Callable[[], None]) -> list[int]:
    """Send requests, do something while they are answered, and return their statuses."""
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(call().status)) for _ in range(requests)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.4)
    act()
    for thread in threads:
        thread.join()
    return found


class Running:
    """A service and the nginx in front of it."""

    def __init__(self, folder: Path, config: str, backend: str) -> None:
        self.port, listen = free_port(), free_port()
        text = source(
            f"backend='{backend}', port={self.port}",
            f"Deployment(workers=2, listen={listen}, {config})",
            "Health(grace=0.5)",
        )
        text = text.replace("    @api.get\n    def hello", f"{SLOW}    @api.get\n    def hello")
        text = text.replace("\napp = ", f"{HOOKS}\napp = ")
        files = deploy(make_of(folder, text))
        self.server = start_unit(folder, files["shop.service"], self.port)
        self.nginx = start_nginx(folder / "nginx", folder / "deploy" / "nginx.conf", listen)

    def get(self, path: str, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.nginx.request("GET", path, headers=given)

    def is_loaded(self, times: int) -> bool:
        return self.server.output().count("hook up") >= times

    def stop(self) -> None:
        self.server.stop(signal.SIGKILL)
        self.nginx.stop(signal.SIGTERM)


@pytest.fixture(params=DEPLOYMENTS)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    backend, config = DEPLOYMENTS[request.param]
    made = Running(tmp_path / "shop", config, backend)
    yield made
    made.stop()


def test_service_answers_reloads_and_ends_without_loss(running: Running):
    # Start-up comes before the first request, where the server has a way to say so.
    if "granian" not in running.server.output().lower():
        wait_until(lambda: running.is_loaded(2), running.server.output)
    assert running.get("/api/hello").body == b"world"
    seen = running.get(
        "/api/seen",
        X_Forwarded_For="6.6.6.6",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.example.com",
        Forwarded="for=6.6.6.6;proto=https",
    ).body
    host = f"127.0.0.1:{running.nginx.port}"
    assert seen.partition(b",")[2] == f'"127.0.0.1","http","{host}"]'.encode()
    assert running.get("/metrics").status == 403
    assert running.get("/healthz").status == 200
    assert running.get("/readyz").status == 200
    before = {running.get("/api/seen").body.partition(b",")[0] for _ in range(10)}

    # A server with workers of its own settles after two seconds.
    wait_until(lambda: "INFO ready" in running.server.output(), running.server.output)
    loaded = running.server.output().count("hook up")
    tell = running.server.process.send_signal
    statuses = beside(2, lambda: running.get("/api/slow"), lambda: tell(signal.SIGHUP))
    assert statuses == [200, 200]

    def is_replaced() -> bool:
        answers = [running.get("/api/seen") for _ in range(10)]
        assert {answer.status for answer in answers} == {200}
        return not before & {answer.body.partition(b",")[0] for answer in answers}

    wait_until(is_replaced, running.server.output)
    wait_until(lambda: running.is_loaded(loaded + 1), running.server.output)

    # As many as the sync workers of gunicorn can take.
    statuses = beside(2, lambda: running.get("/api/slow"), lambda: tell(signal.SIGTERM))
    assert statuses == [200, 200], running.server.output()
    assert running.server.process.wait(20) == 0
    output = running.server.output()
    assert output.count("hook down") == output.count("hook up")
    assert "Traceback" not in output


def test_asker_tells_whether_the_service_is_well(tmp_path: Path):
    made = Running(tmp_path / "shop", "server='uwsgi'", "flask")
    try:
        for url, status in (
            (f"uwsgi://127.0.0.1:{made.port}/healthz", 0),
            (f"uwsgi://127.0.0.1:{made.port}/nowhere", 1),
            (f"http://127.0.0.1:{made.nginx.port}/healthz", 0),
            (f"http://127.0.0.1:{made.nginx.port}/nowhere", 1),
            (f"http://127.0.0.1:{free_port()}/healthz", 1),
            (f"uwsgi://127.0.0.1:{free_port()}/healthz", 1),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "utilmeta.deploy.ask", url],
                env={**os.environ},
                capture_output=True,
                text=True,
                check=False,
            )
            assert (url, done.returncode) == (url, status)
            assert "Traceback" not in done.stderr
    finally:
        made.stop()
