"""The moved view sets of the library's models, in a process with its settings."""

import os
import subprocess
import sys

from tests.servers import ROOT


def test_view_sets_of_the_library_are_moved():
    env = {
        "PATH": os.environ["PATH"],
        "LIBRARY_DATABASE_URL": "sqlite://:memory:",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--ds", "tests.orm.library.settings", "tests/contrib/library.py"),
        ],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
