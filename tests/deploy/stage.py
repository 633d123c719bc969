"""A project with what `manage.py deploy` has written for it, started behind nginx."""

import http.client
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.rows import Row
from tests.servers import ROOT, free_port

HERE = Path(__file__).parent
START_SECONDS = 40.0
# What a client claims who wants to pass for another.
SPOOFS = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "4444",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6;proto=https;host=evil.example",
}

NGINX = """\
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    include {site};
}}
"""


def wait_until(
    is_so: Callable[[], Any], seconds: float = START_SECONDS, *, what: str, step: float = 0.05
) -> Any:
    """Return the first true value of a function.

    Raises:
        AssertionError: it did not come in time.
    """
    late = time.monotonic() + seconds
    while time.monotonic() < late:
        found = is_so()
        if found:
            return found
        time.sleep(step)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class Stage:
    """A project's folder, and the environment of its processes.

    Attributes:
        folder: the folder.
        port: where the service listens.
        listen: where nginx listens.
        environ: environment of the service.
        process: the supervisor; None before its start.
        killed: processes that were given no chance to end by themselves.
    """

    folder: Path
    port: int
    listen: int
    environ: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    killed: set[int] = field(default_factory=set)

    def release(self, number: str) -> None:
        """Write a new release of the program.

        Args:
            number: what it answers; anything but a number is a program that does not start.
        """
        (self.folder / "release.py").write_text(f"RELEASE = {number}\n", encoding="utf-8")

    @property
    def server(self) -> str:
        """The server, as in `Deployment(server=...)`."""
        return self.environ["SERVER"]

    @property
    def host(self) -> str:
        """The Host header of those who mean this service."""
        return f"shop.localhost:{self.listen}"

    def deploy(self) -> None:
        """Write the files."""
        subprocess.run(
            [sys.executable, "-m", "utilmeta", "--service", "service:service", "deploy"],
            cwd=self.folder,
            env=self.environ,
            check=True,
            timeout=60,
            stdout=subprocess.DEVNULL,
        )

    def unit(self) -> dict[str, str]:
        """Return the last value of each name in the unit that was written for systemd."""
        text = (self.folder / "deploy" / "shop.service").read_text(encoding="utf-8")
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
        return {name: value for name, value in pairs if not name.startswith("#")}

    def start(self) -> None:
        """Start what the unit starts, and wait until it is ready behind nginx."""
        unit = self.unit()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                shlex.split(unit["ExecStart"].replace("%%", "%")),
                cwd=unit["WorkingDirectory"],
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.is_ready, what=f"ready; it said:\n{self.output()}")

    def output(self) -> str:
        """Return what was printed so far."""
        log = self.folder / "log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def ask(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        source: str = "127.0.0.1",
        port: int | None = None,
    ) -> tuple[int, Any]:
        """Return status and value of an answer through nginx; 0 when nobody listens.

        Args:
            target: the request's.
            headers: in addition.
            source: address that the client calls from.
            port: another one than that of the site that was written.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", port or self.listen, timeout=40, source_address=(source, 0)
        )
        try:
            connection.request("GET", target, headers={"Host": self.host, **(headers or {})})
            answer = connection.getresponse()
            body = answer.read()
        except OSError:
            return 0, None
        finally:
            connection.close()
        try:
            return answer.status, json.loads(body)
        except ValueError:
            return answer.status, body

    def is_ready(self) -> bool:
        """Return whether the service says that it is."""
        return self.ask("/readyz")[0] == 200

    def notes(self) -> list[tuple[str, int]]:
        """Return which hooks have run, and in which process."""
        file = self.folder / "hooks"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [(what, int(pid)) for what, pid in (line.split() for line in lines)]

    def serving(self) -> set[int]:
        """Return the processes that have started, and live."""
        return {pid for what, pid in self.notes() if what == "start" and is_alive(pid)}

    def left(self) -> list[int]:
        """Return the processes that work in the folder; the same machine's, by /proc."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    inside = Path(os.readlink(entry / "cwd")) == self.folder
                except OSError:
                    # It has ended, or is somebody else's.
                    continue
                if inside:
                    found.append(int(entry.name))
        return found

    def tell(self, number: int) -> None:
        """Send the supervisor a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 40.0) -> int:
        """Return the supervisor's status, once it has ended."""
        assert self.process is not None
        return self.process.wait(seconds)

    def end(self) -> None:
        """End whatever still runs."""
        if self.process is not None:
            end_at_once(self.process)
        wait_until(lambda: not self._kill_left(), 10, what="everything killed")

    def _kill_left(self) -> list[int]:
        left = self.left()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return left


def end_at_once(process: "subprocess.Popen[bytes]") -> None:
    """End a supervisor as two signals do; kill it when that does not help."""
    for _ in range(2):
        if process.poll() is None:
            process.terminate()
            # Two that come together would be one.
            time.sleep(0.1)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@contextmanager
def staged(row: Row, folder: Path, **environ: str) -> Iterator[Stage]:
    """Make a project, write its files, start nginx; the service is not started yet.

    Args:
        row: server and service.
        folder: an empty folder.
        environ: added to the service's environment.
    """
    folder.mkdir(exist_ok=True)
    folder = folder.resolve()
    for source in (HERE / "project").iterdir():
        if source.suffix == ".py":
            shutil.copy(source, folder)
    port, listen = free_port(), free_port()
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    stage = Stage(
        folder,
        port,
        listen,
        {
            **kept,
            **row.environ(),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SECRET_KEY": "for-tests-" + "k9x-" * 15,
            "PORT": str(port),
            "LISTEN": str(listen),
            **environ,
        },
    )
    stage.release("1")
    stage.deploy()
    try:
        site = folder / "deploy" / "nginx.conf"
        beside = folder.parent / f"{folder.name}-nginx"
        with nginx(site, beside, lambda: stage.ask("/healthz")[0]):
            yield stage
    finally:
        stage.end()


@contextmanager
def nginx(site: Path, folder: Path, is_there: Callable[[], Any]) -> Iterator[None]:
    """Serve a site with nginx.

    Args:
        site: the file that it includes.
        folder: where its own files go; it is made.
        is_there: returns whether it answers.
    """
    folder.mkdir()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, site=site), encoding="utf-8")
    words = ["nginx", "-p", str(folder), "-e", str(folder / "early.log"), "-c", str(configuration)]
    process = subprocess.Popen(
        [*words, "-g", "daemon off;"], cwd=folder, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(
            lambda: process.poll() is not None or is_there(), 10, what=f"nginx; see {folder}"
        )
        assert process.poll() is None, (folder / "early.log").read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait(10)
