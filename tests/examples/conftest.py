"""Fixtures that run an example as its reader would."""

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.examples.copies import copy_of
from tests.servers import Server, free_port, start_server

Start = Callable[..., Server]


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of the example that the test names with `uses`."""
    return copy_of(request.function.example, tmp_path)


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts `python server.py`, or another command, in the copy.

    Each server is told to end by SIGTERM after the test, unless the test did so, and must obey.
    """
    servers: list[Server] = []

    def begin(*command: str, port: int | None = None, **env: str) -> Server:
        listen = port or free_port()
        log = tmp_path / f"server{len(servers)}.log"
        server = start_server(
            list(command) or ["python", "server.py"],
            listen,
            log,
            cwd=folder,
            env={"PORT": str(listen), **env},
        )
        servers.append(server)
        return server

    yield begin
    for server in servers:
        end(server)


def end(server: Server) -> str:
    """End a server by SIGTERM, check that it went in order, and return all it has printed."""
    status = server.stop()
    output = server.output()
    assert status in {0, -15, 143}, output
    assert "Traceback" not in output
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0, "a process is left that listens"
    return output


def beside_python(script: str) -> str:
    """Return the path of a program that is installed with this interpreter."""
    return str(Path(sys.executable).with_name(script))
