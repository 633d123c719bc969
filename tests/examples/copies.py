"""Copies of the documentation's examples, and which tests run which of them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.servers import ROOT

EXAMPLES = ROOT / "docs" / "examples"
exercised: set[str] = set()

F = TypeVar("F", bound=Callable[..., None])


def uses(name: str) -> Callable[[F], F]:
    """Name the example that a test runs; its `folder` fixture is then a copy of it."""

    def mark(function: F) -> F:
        exercised.add(name)
        vars(function)["example"] = name
        return function

    return mark


def copy_of(name: str, target: Path) -> Path:
    """Return a copy of an example, below a folder."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.log", "db")
    return Path(shutil.copytree(EXAMPLES / name, target / name, ignore=unwanted))


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file of a copy, as a reader would; it must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run this interpreter in a folder to its end, with no variables but those given."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            # A file edited twice in a second, to the same size, would not be compiled again.
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def printed(folder: Path, code: str, **env: str) -> str:
    """Return what a piece of code prints in a folder; it must succeed and warn of nothing."""
    done = run(folder, "-c", code, **env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()
