"""The tests of this folder on SQLite, PostgreSQL and MariaDB, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.servers import ROOT
from tests.services import MYSQL, POSTGRES, require_mysql, require_postgres

CONDUIT = ("tests/orm/test_conduit.py", "tests/orm/test_api.py", "tests/orm/test_endpoints.py")
LIBRARY = (
    "tests/orm/library/reading.py",
    "tests/orm/library/edges.py",
    "tests/orm/library/properties.py",
)
SHOP = ("tests/orm/shop/writing.py", "tests/orm/shop/querying.py")
KEPT = ("tests/orm/library/kept.py",)
TRAPS = ("tests/orm/kept/traps.py",)
RACING = ("tests/orm/shop/racing.py",)
REALWORLD = (
    "tests/testproject/racing.py",
    "tests/testproject/test_realworld.py",
    "tests/testproject/test_hard_input.py",
)
SECONDS = 300
AT_ONCE = (os.cpu_count() or 1) + 1


@dataclass(frozen=True)
class Engine:
    """A database engine: what it needs, and where it is."""

    require: Callable[[], None]
    url: str

    def url_of(self, suite: str) -> str:
        """Return the URL of a suite's own database."""
        return self.url if self.url.endswith(":memory:") else f"{self.url}_{suite}"


# A database of each process's and suite's own: two at once must not take away each other's tables.
ENGINES = {
    "sqlite": Engine(lambda: None, "sqlite://:memory:"),
    "postgresql": Engine(require_postgres, f"{POSTGRES}/orm_{os.getpid()}"),
    "mysql": Engine(require_mysql, f"{MYSQL}/orm_{os.getpid()}"),
}


@dataclass(frozen=True)
class Suite:
    """Test files that an engine has to pass."""

    files: tuple[str, ...]
    settings: str
    variable: str


SUITES = {
    "conduit": Suite(CONDUIT, "testproject.settings", "TESTPROJECT_DATABASE_URL"),
    "library": Suite(LIBRARY, "tests.orm.library.settings", "LIBRARY_DATABASE_URL"),
    "kept": Suite(KEPT, "tests.orm.library.settings", "LIBRARY_DATABASE_URL"),
    "traps": Suite(TRAPS, "tests.orm.kept.settings", "KEPT_DATABASE_URL"),
    "shop": Suite(SHOP, "tests.orm.shop.settings", "SHOP_DATABASE_URL"),
    "racing": Suite(RACING, "tests.orm.shop.settings", "SHOP_DATABASE_URL"),
    "realworld": Suite(REALWORLD, "testproject.settings", "TESTPROJECT_DATABASE_URL"),
}
CASES = (
    pytest.param("conduit", "postgresql", marks=pytest.mark.postgres),
    pytest.param("conduit", "mysql", marks=pytest.mark.mysql),
    # The rest of this folder reads Conduit on SQLite, in this process.
    pytest.param("library", "sqlite"),
    pytest.param("library", "postgresql", marks=pytest.mark.postgres),
    pytest.param("library", "mysql", marks=pytest.mark.mysql),
    pytest.param("kept", "sqlite"),
    pytest.param("kept", "postgresql", marks=pytest.mark.postgres),
    pytest.param("kept", "mysql", marks=pytest.mark.mysql),
    pytest.param("traps", "sqlite"),
    pytest.param("traps", "postgresql", marks=pytest.mark.postgres),
    pytest.param("traps", "mysql", marks=pytest.mark.mysql),
    pytest.param("shop", "sqlite"),
    pytest.param("shop", "postgresql", marks=pytest.mark.postgres),
    pytest.param("shop", "mysql", marks=pytest.mark.mysql),
    pytest.param("racing", "postgresql", marks=pytest.mark.postgres),
    pytest.param("racing", "mysql", marks=pytest.mark.mysql),
    pytest.param("realworld", "postgresql", marks=pytest.mark.postgres),
    pytest.param("realworld", "mysql", marks=pytest.mark.mysql),
)


@dataclass(frozen=True)
class Run:
    """What came of a process that ran a suite on an engine."""

    status: int
    report: Path
    log: Path


def run(suite: Suite, url: str, report: Path) -> Run:
    """Run a suite on an engine, to its end."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(ROOT), suite.variable: url}
    options = ["-q", "--create-db", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short"]
    command = [sys.executable, "-m", "pytest", *suite.files, *options]
    log = report.with_suffix(".log")
    with log.open("wb") as out:
        done = subprocess.run(
            [*command, f"--ds={suite.settings}", f"--junitxml={report}"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    return Run(done.returncode, report, log)


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], "Future[Run]"]]:
    """Start what is asked for, some at once, as each waits for its server at times."""
    folder = tmp_path_factory.mktemp("engines")
    wanted = [
        (item.callspec.params["suite"], item.callspec.params["engine"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    ]
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {
        (suite, engine): pool.submit(
            run, SUITES[suite], ENGINES[engine].url_of(suite), folder / f"{suite}-{engine}.xml"
        )
        for suite, engine in wanted
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("suite", "engine"), CASES)
def test_each_test_passes_and_none_is_skipped_on_the_engine(
    suite: str, engine: str, runs: dict[tuple[str, str], "Future[Run]"]
) -> None:
    ENGINES[engine].require()
    done = runs[suite, engine].result()
    output = done.log.read_text(encoding="utf-8", errors="replace")
    assert done.report.exists(), output
    found = ET.parse(done.report).getroot().find("testsuite")
    assert found is not None
    counts = {name: int(found.attrib[name]) for name in ("errors", "failures", "skipped")}
    assert counts == {"errors": 0, "failures": 0, "skipped": 0}, output
    assert int(found.attrib["tests"]) > 4, output
    assert done.status == 0, output
