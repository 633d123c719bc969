"""Tries every server, and writes what was found to the page about servers.

python -m tests.deploy.record [--page-only]
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.deploy.examine import examine
from tests.deploy.rows import ROWS, Row
from tests.servers import ROOT

RECORD = ROOT / "docs" / "servers.json"
SOAK = ROOT / "docs" / "soak.json"
PAGE = ROOT / "docs" / "servers.md"
_PACKAGES = {"uwsgi": ("pyuwsgi", "uwsgi")}
_END = "<!-- end of the record -->"


def main() -> int:
    """Try the servers; returns 1 when something is wrong with one."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.record", description=__doc__)
    parser.add_argument("--page-only", action="store_true", help="write the page anew")
    if not parser.parse_args().page_only:
        record = {"versions": versions(), "rows": [_try(row) for row in ROWS]}
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return int(any(row["problems"] for row in record["rows"]))


def versions() -> dict[str, str]:
    """Return the versions of what was tried."""
    found = {"Python": platform.python_version()}
    for name in sorted({row.server for row in ROWS} | {row.backend for row in ROWS}):
        for package in _PACKAGES.get(name, (name,)):
            try:
                found[name] = version(package)
            except PackageNotFoundError:
                continue
            break
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return found | {"nginx": told.strip().rpartition("/")[2]}


def _try(row: Row) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        found = examine(row, Path(folder) / "project").told()
    sys.stdout.write(f"{row}: {found['problems'] or 'good'}\n")
    sys.stdout.flush()
    mode = "async" if row.asynchronous else "sync"
    return {"name": row.name, "backend": row.backend, "mode": mode, **found}


def with_tables(page: str) -> str:
    """Return the page with the tables of the record in place of those that it holds."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    soak = json.loads(SOAK.read_text(encoding="utf-8"))
    for name, lines in (("servers", _servers(record)), ("soak", _soaks(soak))):
        begin = f"<!-- {name}: from the record -->"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(_END)
        page = "\n\n".join([f"{head}{begin}", "\n".join(lines), f"{_END}{tail}"])
    return page


def _servers(record: dict[str, Any]) -> list[str]:
    told = ", ".join(f"{name} {number}" for name, number in sorted(record["versions"].items()))
    lines = [
        f"Tried with {told}.",
        "",
        "| server | service | client seen behind a spoofing one | killed process replaced "
        "| reload: sent, answered | new release broken | end: not ready for | end: sent, answered "
        "| hooks, once each |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        problems = " ".join(row["problems"])
        cells = [
            row["name"],
            f"{row['backend']}, {row['mode']}",
            row["address"],
            f"{row['replaced']:g} s",
            "{:,}, {:,}".format(*row["reloaded"]),
            "no" if "broken release" in problems else "old one goes on",
            f"{row['notice']:g} s",
            "{:,}, {:,}".format(*row["ended"]),
            "no" if "hooks" in problems else "yes",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _soaks(soak: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| server | service | minutes, reloads | sent | answered | failed | while the database was "
        "away: sent, answered | memory at start, at end |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in soak:
        usual, away = row["usual"], row["away"]
        failed = sum(usual["failed"].values())
        cells = [
            row["server"],
            row["backend"],
            f"{row['minutes']:g}, {row['reloads']}",
            f"{usual['sent']:,}",
            f"{usual['answered']:,}",
            f"{failed:,}",
            f"{away['sent']:,}, {away['answered']:,}",
            "{:g} MB, {:g} MB".format(*row["memory"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
