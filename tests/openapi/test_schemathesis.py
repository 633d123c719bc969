"""schemathesis against the test project's document, on every back end."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, free_port, start_server

CONFIGURATIONS = ("django", "django-asgi", "flask", "starlette", "fastapi", "sanic", "tornado")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample data in a file of its own."""
    path = tmp_path_factory.mktemp("data") / "conduit.sqlite3"
    url = f"sqlite:///{path}"
    for command in (["migrate", "-v", "0"], ["conduit_sample_data", "--if-empty"]):
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *command],
            check=True,
            cwd=ROOT,
            env=environment(url),
            stdout=subprocess.DEVNULL,
        )
    return url


def environment(url: str, **more: str) -> dict[str, str]:
    import os

    kept = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return {**kept, "TESTPROJECT_DATABASE_URL": url, **more}


@pytest.mark.sockets
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_schemathesis_finds_nothing(configuration: str, database: str, tmp_path: Path):
    backend, _, mode = configuration.partition("-")
    port = free_port()
    env = environment(
        database,
        TESTPROJECT_BACKEND=backend,
        TESTPROJECT_ASYNCHRONOUS="1" if mode else "",
        TESTPROJECT_PORT=str(port),
    )
    server = start_server(
        ["python", "-m", "testproject"], port, tmp_path / "log", cwd=ROOT, env=env
    )
    try:
        url = f"http://127.0.0.1:{port}/api/openapi.json"
        program = Path(sys.executable).with_name("schemathesis")
        command = [str(program), "run", url, "--max-examples", "15", "--seed", "1", "--no-color"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout[-6000:]
        assert "passed" in done.stdout
    finally:
        server.stop()
    assert "Traceback" not in server.output()
