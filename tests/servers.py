"""Real servers for tests: started on a free port, called over HTTP, ended by SIGTERM."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40.0
STOP_SECONDS = 40.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True)
class Answer:
    """What a server answered: header names in lower case, repeats kept."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header given in lower case."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass
class Server:
    """A process that serves on a port."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    stopped: bool = field(default=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; the path goes out as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            given = dict(headers or {})
            skip_host = any(name.lower() == "host" for name in given)
            connection.putrequest(method, path, skip_host=skip_host, skip_accept_encoding=True)
            if body is not None and not any(name.lower() == "content-length" for name in given):
                given["Content-Length"] = str(len(body))
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            pairs = [(name.lower(), value) for name, value in response.getheaders()]
            return Answer(response.status, pairs, response.read())
        finally:
            connection.close()

    def output(self) -> str:
        """Return what the process has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process's session and return its exit status; harmless when repeated."""
        if not self.stopped:
            self.stopped = True
            if self.process.poll() is None:
                self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()
                raise AssertionError(
                    f"{self.process.args} did not end in {STOP_SECONDS} s; it printed, and was "
                    f"doing at the end:\n{self.output()}"
                ) from None
        return self.process.returncode

    def _kill(self) -> None:
        """Kill the process's session; the process first prints what its threads are doing."""
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start_server(
    command: list[str],
    port: int,
    log: Path,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> Server:
    """Start a command in a session of its own and wait until it accepts connections.

    Args:
        command: the program; `python` stands for this interpreter.
        port: where it is told to listen.
        log: file that takes its output.
        cwd: folder it runs in.
        env: added to this process's environment.

    Raises:
        AssertionError: it ended, or did not listen in time; shows its output.
    """
    program = [sys.executable if command[0] == "python" else command[0], *command[1:]]
    inherited = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    path = os.pathsep.join([str(ROOT), inherited.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with log.open("wb") as out:
        process = subprocess.Popen(
            program,
            cwd=cwd,
            env={
                **inherited,
                "PYTHONPATH": path,
                "PYTHONUNBUFFERED": "1",
                "PYTHONFAULTHANDLER": "1",
                **(env or {}),
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, port, log)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"{program} ended with {process.returncode}:\n{server.output()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return server
    server.stop(signal.SIGKILL)
    raise AssertionError(f"{program} did not listen on {port}:\n{server.output()}")
