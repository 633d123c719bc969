"""The processes of implementations: started, asked in turn, ended."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.data import Databases
from benchmarks.registry import ORIGINAL, Implementation

ROOT = Path(__file__).resolve().parent.parent
ORIGINAL_PYTHON = ROOT / ".venv-original" / "bin" / "python"


class ImplementationError(Exception):
    """A process of an implementation did not do what it was asked."""


def interpreter(implementation: Implementation) -> str:
    """Return the path of the Python that an implementation runs in."""
    return str(ORIGINAL_PYTHON) if implementation.python == ORIGINAL else sys.executable


def environment(
    implementation: Implementation, url: str, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment of an implementation's process."""
    return {
        **os.environ,
        **implementation.environment,
        **(extra or {}),
        "BENCHMARKS_DATABASE": url,
        "PYTHONPATH": str(_path_without_ours() if implementation.python == ORIGINAL else ROOT),
    }


def working_directory(implementation: Implementation) -> Path:
    """Return where an implementation's process starts."""
    return _path_without_ours() if implementation.python == ORIGINAL else ROOT


def _path_without_ours() -> Path:
    # The original has our package's name, and the root of the repository would be found first.
    folder = Path(tempfile.gettempdir()) / f"benchmarks-{os.getuid()}-original"
    folder.mkdir(exist_ok=True)
    for name in ("benchmarks", "testproject"):
        link = folder / name
        if not link.exists():
            link.symlink_to(ROOT / name)
    return folder


class Process:
    """An implementation in a process of its own, between its start and its end.

    Args:
        implementation: which.
        databases: hands out its database.
        extra: further variables of its environment.
        log: file that takes what it prints.
    """

    def __init__(
        self,
        implementation: Implementation,
        databases: Databases,
        *,
        extra: Mapping[str, str] | None = None,
        log: Path,
    ) -> None:
        self.implementation = implementation
        self._databases = databases
        self._url = databases.copy()
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    interpreter(implementation),
                    "-m",
                    "benchmarks.child",
                    implementation.module,
                    implementation.kind,
                ],
                env=environment(implementation, self._url, extra),
                cwd=working_directory(implementation),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.started = self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        name = self.implementation.name
        if not line:
            raise ImplementationError(f"{name} ended; {self._log} says why")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ImplementationError(f"{name}: {answer['error']}; {self._log} says more")
        return answer

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to one thing to do.

        Raises:
            ImplementationError: it could not be done.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            name = self.implementation.name
            raise ImplementationError(f"{name} ended; {self._log} says why") from exc
        return self._read()

    def end(self) -> None:
        """End it and delete its database."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._databases.discard(self._url)
