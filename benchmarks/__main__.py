"""What requests cost, here, in other frameworks and by hand.

    make bench                            # everything, then docs/benchmarks.md
    make bench ARGS=--quick               # a few minutes; prints the tables only
    make bench ARGS='--only django,ours-django,raw-wsgi --workloads hello,detail --in-process'
    make bench ARGS='--postgres --in-process'

`benchmarks.workloads` says what is asked, `benchmarks.registry` of whom, `benchmarks.rounds` and
`benchmarks.sockets` how it is measured, `benchmarks.bounds` what has to hold. Results go to
`benchmarks/results/latest.json`; those of a full run on SQLite also to `docs/benchmarks.json`, of
which the page of the documentation is made.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import in_process, page, report, sockets, startup
from benchmarks.data import POSTGRES, Databases, databases
from benchmarks.processes import ORIGINAL_PYTHON
from benchmarks.registry import FLOOR, IMPLEMENTATIONS, ORIGINAL, Implementation
from benchmarks.workloads import BY_CPU

LATEST = Path(__file__).resolve().parent / "results" / "latest.json"
OVER_SOCKETS = ("hello", "params", "body", "invalid", "list", "detail")
STARTED = ("django", "ours-django", "flask", "ours-flask", "starlette", "ours-starlette")
PACKAGES = (
    "Django",
    "djangorestframework",
    "django-ninja",
    "django-modern-rest",
    "django-bolt",
    "Flask",
    "starlette",
    "fastapi",
    "litestar",
    "sanic",
    "tornado",
    "SQLAlchemy",
    "pydantic",
    "msgspec",
    "gunicorn",
    "uvicorn",
)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare what requests cost."
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds; writes no page")
    parser.add_argument("--only", type=_names, default=[], help="implementations, by commas")
    parser.add_argument("--workloads", type=_names, default=[], help="workloads, by commas")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", action="store_true", help="only over a socket")
    where.add_argument("--in-process", action="store_true", help="only in process")
    parser.add_argument(
        "--postgres",
        nargs="?",
        const=POSTGRES,
        metavar="URL",
        help="PostgreSQL, where a database is made and dropped (%(const)s)",
    )
    parser.add_argument("--rounds", type=int, help="rounds in process (7; quick: 3)")
    found = parser.parse_args(arguments)
    unknown = set(found.only) - set(IMPLEMENTATIONS) | set(found.workloads) - set(BY_CPU)
    if unknown:
        parser.error(
            f"{', '.join(sorted(unknown))}: there are the implementations "
            f"{', '.join(IMPLEMENTATIONS)}, and the workloads {', '.join(BY_CPU)}"
        )
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def chosen(only: Sequence[str]) -> list[Implementation]:
    """Return the implementations to measure; says which cannot be."""
    found = [item for item in IMPLEMENTATIONS.values() if not only or item.name in only]
    if not ORIGINAL_PYTHON.exists():
        for item in found:
            if item.python == ORIGINAL:
                print(f"left out: {item.name}: there is no {ORIGINAL_PYTHON.parent.parent.name}")
        found = [item for item in found if item.python != ORIGINAL]
    return found


def revision() -> str:
    """Return the commit that is measured; empty outside of a clone."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=LATEST.parent.parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def about(asked: argparse.Namespace) -> dict[str, Any]:
    """Return how, where and with what a run is made."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if ORIGINAL_PYTHON.exists():
        text = "from importlib.metadata import version; print(version('utilmeta'))"
        done = subprocess.run(
            [ORIGINAL_PYTHON, "-P", "-c", text], capture_output=True, text=True, check=False
        )
        versions["UtilMeta from PyPI"] = done.stdout.strip()
    return {
        "revision": revision(),
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "database": "PostgreSQL" if asked.postgres else f"SQLite {sqlite3.sqlite_version}",
        "quick": asked.quick,
        "rounds": asked.rounds or (3 if asked.quick else 7),
        "seconds": 0.05 if asked.quick else 0.1,
        "socket_rounds": 1 if asked.quick else 2,
        "socket_seconds": 1 if asked.quick else 2,
        "requests": 10_000 if asked.quick else 100_000,
        "versions": versions,
    }


def inside(
    found: list[Implementation], names: Sequence[str], rows: Databases, log: Path, how: Any
) -> dict[str, Any]:
    """Measure everything that needs no socket."""
    rounds = {"rounds": how["rounds"], "seconds": how["seconds"]}
    results = in_process.workloads(found, names, rows, log, **rounds)
    results["at_once"] = in_process.at_once(found, rows, log, rounds=min(how["rounds"], 5))
    results["middleware"] = in_process.behind_middleware(found, rows, log, **rounds)
    results["routes"] = in_process.many_routes(found, rows, log, **rounds)
    started = [item for item in found if item.name in STARTED]
    some = {"rounds": min(how["rounds"], 7), "requests": how["requests"]}
    results["start"] = startup.measure(started, rows, log, **some)
    return results


def outside(
    found: list[Implementation], names: Sequence[str], rows: Databases, folder: Path, how: Any
) -> dict[str, Any]:
    """Measure everything over a socket."""
    seconds = how["socket_seconds"]
    measured = sockets.measure(
        found, names, rows, folder, rounds=how["socket_rounds"], seconds=seconds
    )
    with_workers = [item for item in found if item.name in {"django", "ours-django"}]
    several = sockets.workers(with_workers, rows, folder, numbers=(1, 2), seconds=seconds)
    return {
        "sockets": measured["loads"],
        "socket_faults": measured["faults"],
        "workers": several,
    }


def rounded(value: Any) -> Any:
    """Return results with figures of six digits, which is more than they mean."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure what is asked for."""
    found, how = chosen(asked.only), about(asked)
    names = [name for name in BY_CPU if not asked.workloads or name in asked.workloads]
    results: dict[str, Any] = {"about": how, "faults": []}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        with databases(asked.postgres, folder) as rows:
            if not asked.socket:
                results |= inside(found, names, rows, folder / "processes.log", how)
            if not asked.in_process and sockets.is_possible():
                few = [name for name in names if name in OVER_SOCKETS]
                results |= outside(found, few, rows, folder, how)
            elif not asked.in_process:
                print("left out: sockets, which need wrk, taskset and two cores")
    results["faults"] = results["faults"] + results.pop("socket_faults", [])
    made: dict[str, Any] = rounded(results)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the results."""
    asked = options(arguments)
    if asked.only and FLOOR not in asked.only:
        print(f"answers are compared with those of {FLOOR}, which is not measured itself")
    results = run(asked)
    LATEST.parent.mkdir(exist_ok=True)
    text = json.dumps(results, separators=(",", ":"))
    LATEST.write_text(text, encoding="utf-8")
    print("\n\n".join([report.bounds_text(results), *report.raw_parts(results)]))
    is_full = not (asked.quick or asked.only or asked.workloads or asked.postgres)
    if is_full and not (asked.socket or asked.in_process):
        page.RESULTS.write_text(text + "\n", encoding="utf-8")
        page.write()


if __name__ == "__main__":
    main()
