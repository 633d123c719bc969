"""Ten minutes of mixed load, with a reload each minute and a database that is restarted halfway.

python -m tests.deploy.soak uvicorn-fastapi --minutes 10 --record docs/soak.json
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.connections.cluster import Cluster, started
from tests.deploy.examine import MIXED, WORKERS
from tests.deploy.load import Load, Tally
from tests.deploy.rows import ROWS, Row
from tests.deploy.stage import Stage, staged, wait_until
from tests.services import require_postgres_binaries

# Seconds that the database is away.
AWAY = 3.0


def memory(stage: Stage) -> float:
    """Return what the service's processes hold, in MB; memory that they share counts once."""
    total = 0
    for pid in stage.left():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return round(total / 1024, 1)


def soak(row: Row, folder: Path, cluster: Cluster, minutes: int) -> dict[str, Any]:
    """Return what became of the requests, and of the memory.

    Args:
        row: server and service.
        folder: an empty folder.
        cluster: the database server.
        minutes: how long, at least 2.
    """
    url = f"postgresql://postgres@127.0.0.1:{cluster.port}/postgres"
    with staged(row, folder, DATABASE_URL=url) as stage:
        stage.start()
        with Load(stage.listen, stage.host, MIXED, clients=6, pause=0.01) as load:
            begun = time.monotonic()
            usual, away = load.tally, Tally()
            time.sleep(15)
            at_start = memory(stage)
            for minute in range(1, minutes + 1):
                if minute == minutes // 2 + 1:
                    load.tally = away
                    cluster.stop()
                    time.sleep(AWAY)
                    cluster.start()
                    wait_until(stage.is_ready, what="ready with the database again")
                    load.tally = usual
                _sleep_until(begun + 60 * minute - 10)
                before = stage.serving()
                stage.tell(signal.SIGHUP)
                wait_until(
                    lambda old=before: (
                        len(stage.serving()) == WORKERS and not stage.serving() & old
                    ),
                    60,
                    what="reloaded",
                )
            _sleep_until(begun + 60 * minutes)
            at_end = memory(stage)
            seconds = time.monotonic() - begun
            load.stop()
        stage.tell(signal.SIGTERM)
        status = stage.wait()
    return {
        "server": row.name,
        "backend": row.backend,
        "minutes": round(seconds / 60, 1),
        "reloads": minutes,
        "usual": _told(usual),
        "away": _told(away),
        "memory": [at_start, at_end],
        "status": status,
    }


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "sent": tally.sent,
        "answered": tally.answered,
        "failed": dict(sorted(tally.failed.items())),
    }


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def main() -> int:
    """Soak servers one after the other; returns 1 when a request was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.soak", description=__doc__)
    parser.add_argument("rows", nargs="+", choices=[str(row) for row in ROWS])
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--record", type=Path, help="JSON file that takes the figures")
    given = parser.parse_args()
    figures = []
    for row in ROWS:
        if str(row) in given.rows:
            with (
                tempfile.TemporaryDirectory() as folder,
                started(require_postgres_binaries()) as cluster,
            ):
                place = Path(folder) / "project"
                place.mkdir()
                figures.append(soak(row, place, cluster, given.minutes))
            sys.stdout.write(json.dumps(figures[-1]) + "\n")
            sys.stdout.flush()
    if given.record:
        given.record.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(any(found["usual"]["sent"] != found["usual"]["answered"] for found in figures))


if __name__ == "__main__":
    sys.exit(main())
