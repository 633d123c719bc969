"""The tests of this folder on SQLite, PostgreSQL and MariaDB, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.servers import ROOT
from tests.services import MYSQL, POSTGRES, require_mysql, require_postgres

CONDUIT = ("tests/orm/test_conduit.py", "tests/orm/test_api.py")
LIBRARY = ("tests/orm/library/reading.py",)
SECONDS = 100


@dataclass(frozen=True)
class Engine:
    """A database engine: what it needs, and where it is."""

    require: Callable[[], None]
    url: str


# A database of each process's own: two runs at once must not take away each other's tables.
ENGINES = {
    "sqlite": Engine(lambda: None, "sqlite://:memory:"),
    "postgresql": Engine(require_postgres, f"{POSTGRES}/orm_{os.getpid()}"),
    "mysql": Engine(require_mysql, f"{MYSQL}/orm_{os.getpid()}"),
}
POSTGRESQL_PARAM = pytest.param("postgresql", marks=pytest.mark.postgres)
MYSQL_PARAM = pytest.param("mysql", marks=pytest.mark.mysql)


def run(files: tuple[str, ...], settings: str, variable: str, url: str, report: Path) -> None:
    """Run test files on an engine; each test must pass, none be skipped."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(ROOT), variable: url}
    options = ["-q", "--create-db", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short"]
    command = [sys.executable, "-m", "pytest", *files, *options]
    done = subprocess.run(
        [*command, f"--ds={settings}", f"--junitxml={report}"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    output = done.stdout + done.stderr
    assert report.exists(), output
    suite = ET.parse(report).getroot().find("testsuite")  # our own file
    assert suite is not None
    counts = {name: int(suite.attrib[name]) for name in ("errors", "failures", "skipped")}
    assert counts == {"errors": 0, "failures": 0, "skipped": 0}, output
    assert int(suite.attrib["tests"]) > 10, output
    assert done.returncode == 0, output


@pytest.mark.parametrize("name", [POSTGRESQL_PARAM, MYSQL_PARAM])
def test_conduit_reads_the_same_on(name: str, tmp_path: Path) -> None:
    engine = ENGINES[name]
    engine.require()
    report = tmp_path / "report.xml"
    run(CONDUIT, "testproject.settings", "TESTPROJECT_DATABASE_URL", engine.url, report)


@pytest.mark.parametrize("name", ["sqlite", POSTGRESQL_PARAM, MYSQL_PARAM])
def test_the_library_reads_the_same_on(name: str, tmp_path: Path) -> None:
    engine = ENGINES[name]
    engine.require()
    report = tmp_path / "report.xml"
    run(LIBRARY, "tests.orm.library.settings", "LIBRARY_DATABASE_URL", engine.url, report)
