"""The pages that show the API's description, in a browser that has no network but this machine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import ROOT, free_port, start_server

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --enable-logging=stderr --v=0 "
    "--virtual-time-budget=15000 --dump-dom"
)


def browser() -> str:
    """Return the browser's program; without one skip the test, with CI=true fail it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("chromium is needed (Debian: chromium)")
    pytest.skip("chromium is needed (Debian: chromium)")


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["django", "starlette", "sanic"])
def test_pages_show_every_operation_and_break_no_policy(backend: str, tmp_path: Path):
    program = browser()
    port = free_port()
    env = {"TESTPROJECT_BACKEND": backend, "TESTPROJECT_PORT": str(port)}
    server = start_server(
        ["python", "-m", "testproject"], port, tmp_path / "log", cwd=ROOT, env=env
    )
    try:
        done = subprocess.run(
            [
                program,
                *FLAGS.split(),
                f"--user-data-dir={tmp_path / 'profile'}",
                f"http://127.0.0.1:{port}/api/docs",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        server.stop()
    shown = set(re.findall(r'data-path="([^"]+)"', done.stdout))
    assert shown >= {"/api/articles", "/api/articles/{slug}/comments", "/api/tags"}
    assert "OAS 3.1" in done.stdout
    told = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert told == []
