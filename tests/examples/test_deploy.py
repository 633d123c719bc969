"""The example of `manage.py deploy`, run as a reader would."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from tests.deploy.projects import run_command
from tests.examples.conftest import Start, end
from tests.examples.copies import uses
from tests.servers import free_port
from utilmeta.conf import Deployment

SECRET = "only-for-this-test-" * 3


@pytest.mark.sockets
@uses("deploy")
def test_what_the_example_writes_serves_it(folder: Path, start: Start):
    port = free_port()
    done = run_command(folder, "deploy", SECRET_KEY=SECRET, PORT=str(port))
    assert (done.returncode, done.stderr) == (0, "")
    written = sorted(path.name for path in (folder / "deploy").iterdir())
    assert done.stdout.splitlines() == [
        *(f"wrote deploy/{name}" for name in written),
        "gunicorn (gthread): 2 processes with 8 threads each",
    ]
    page = Path("docs/deployment.md").read_text(encoding="utf-8")
    assert [name for name in written if f"`{name}`" not in page] == []
    assert run_command(folder, "deploy", "--check", SECRET_KEY=SECRET, PORT=str(port)).stdout

    unit = (folder / "deploy" / "shop.service").read_text(encoding="utf-8")
    found = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert found is not None
    server = start(*shlex.split(found[1]), port=port, SECRET_KEY=SECRET)
    answer = server.request("GET", "/api/hello", headers={"Host": "shop.example.com"})
    assert (answer.status, answer.body) == (200, b"world")
    assert server.request("GET", "/healthz").status == 200
    end(server)


@uses("deploy")
def test_page_tells_each_field_and_option(folder: Path):
    page = Path("docs/deployment.md").read_text(encoding="utf-8")
    assert [
        field.name for field in dataclasses.fields(Deployment) if f"`{field.name}`" not in page
    ] == []
    for option in ("--output", "--force", "--check", "--folder", "--venv", "--processors"):
        assert f"`{option}" in page
