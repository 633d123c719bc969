"""Starts the service of `tests/server/app.py` on a backend."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT, Server, free_port, start_server

BACKENDS = ("django", "django-asgi", "flask", "starlette", "fastapi", "sanic", "tornado")
APP = str(ROOT / "tests" / "server" / "app.py")
ENDED = {0, -15, 143}

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def make(name: str, *, command: list[str] | None = None, **env: str) -> Server:
        backend, _, mode = name.partition("-")
        port = free_port()
        given = {"BACKEND": backend, "ASYNCHRONOUS": "1" if mode else "", "PORT": str(port), **env}
        argv = [part.replace("PORT", str(port)) for part in command or ["python", APP]]
        log = tmp_path / f"{len(servers)}.log"
        server = start_server(argv, port, log, cwd=ROOT / "tests" / "server", env=given)
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()
