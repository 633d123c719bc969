"""The `utilmeta` command, as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import utilmeta

ROOT = Path(utilmeta.__file__).parent.parent
SERVER = """
import django
from utilmeta import UtilMeta
from utilmeta.conf import Env

class ServerEnv(Env):
    DB_PASSWORD: str = "hunter2"

env = ServerEnv()
service = UtilMeta(__name__, backend=django, name="unit-cli")
"""


def run(
    *arguments: str, cwd: Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    hidden = {"DJANGO_SETTINGS_MODULE", "UTILMETA_SERVICE"}
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "utilmeta", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env={**environ, "PYTHONPATH": str(ROOT), **(variables or {})},
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "server.py").write_text(SERVER)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("env",),
        ("env", "--service", "server:service"),
        ("--service=server:service", "env"),
        ("--service", "server", "env"),
        ("env", "--service=server.service"),
    ],
)
def test_command_runs_for_the_service(project: Path, arguments: tuple[str, ...]):
    done = run(*arguments, cwd=project)
    assert done.returncode == 0, done.stderr
    assert "server.ServerEnv" in done.stdout
    assert "hunter2" not in done.stdout


def test_service_is_named_by_the_environment(project: Path):
    (project / "server.py").rename(project / "other.py")
    done = run("env", cwd=project, variables={"UTILMETA_SERVICE": "other:service"})
    assert done.returncode == 0, done.stderr
    assert "other.ServerEnv" in done.stdout


def test_checks_pass_for_a_plain_service(project: Path):
    done = run("check", cwd=project)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("env", "--service", "nowhere:service"), ["--service", "'nowhere'"]),
        (("env", "--service", "server:servce"), ["'servce'", "mean 'service'"]),
        (("env", "--service", "empty"), ["'empty' was imported but made no service"]),
        (("env", "--service", "not a reference"), ["'package.module.Name'"]),
        (("env", "--service"), ["--service"]),
    ],
)
def test_wrong_service_is_one_line_and_exit_2(
    project: Path, arguments: tuple[str, ...], told: list[str]
):
    (project / "empty.py").write_text("")
    done = run(*arguments, cwd=project)
    assert done.returncode == 2
    assert done.stderr.startswith("utilmeta: ")
    assert "Traceback" not in done.stderr
    for part in told:
        assert part in done.stderr


def test_no_service_says_how_to_name_one(tmp_path: Path):
    done = run("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "--service server:service" in done.stderr
    assert "UTILMETA_SERVICE" in done.stderr
    assert "server.py" in done.stderr


def test_missing_variables_are_told_without_a_traceback(project: Path):
    (project / "server.py").write_text(SERVER.replace('str = "hunter2"', "str"))
    done = run("env", cwd=project)
    assert done.returncode == 2
    assert "DB_PASSWORD: missing" in done.stderr
    assert "Traceback" not in done.stderr
