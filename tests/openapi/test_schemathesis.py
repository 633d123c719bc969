"""schemathesis against the test project's document, on every back end."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.servers import ROOT, free_port, start_server

CONFIGURATIONS = ("django", "django-asgi", "flask", "starlette", "fastapi", "sanic", "tornado")

# What Django's validators say of names and addresses, that an empty address is none, and that
# nobody follows themselves, is more than a JSON Schema can tell.
CONFIG = """
[[operations]]
include-path-regex = "^/api/(users?|profiles/{username}/follow)$"

[operations.checks]
positive_data_acceptance.enabled = false
negative_data_rejection.enabled = false
"""


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


def register(port: int, name: str) -> str:
    """Return the token of a new user."""
    user = {"username": name, "email": f"{name}@example.com", "password": "password123"}
    request = Request(
        f"http://127.0.0.1:{port}/api/users",
        json.dumps({"user": user}).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=20) as answer:
        token: str = json.load(answer)["user"]["token"]
    return token


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
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG)
        program = Path(sys.executable).with_name("schemathesis")
        command = [str(program), f"--config-file={config}", "run", url, "--no-color"]
        command += ["--max-examples", "8", "--seed", "1"]
        # REST framework answers what its own pages are asked, as for `offset=null`.
        command += ["--exclude-path-regex", "^/drf/"]
        command += ["--header", f"Authorization: Token {register(port, configuration)}"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.returncode == 0, done.stdout[-6000:]
        assert "passed" in done.stdout
    finally:
        server.stop()
    assert "Traceback" not in server.output()
