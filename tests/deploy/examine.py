"""What is found out about a server, under load, with the files as they were written."""

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.load import Load, Tally
from tests.deploy.rows import Row
from tests.deploy.stage import SPOOFS, Stage, is_alive, staged, wait_until

MIXED = (
    ("GET", "/api/pid"),
    ("GET", "/api/rows"),
    ("POST", "/api/echo"),
    ("GET", "/api/slow?seconds=0.05"),
)
WORKERS = 2
GRACE = 1.0
# granian closes what it has accepted and not yet read when it ends, and cannot be told to wait: a
# request that comes in that very moment is lost. Others lose none.
MOST_LOST = {"granian": 3}
# Another address of this machine, so that the client is not taken for the proxy.
STRANGER = "127.0.0.7"


@dataclass
class Findings:
    """What was found.

    Attributes:
        address: the client's, as the application saw it.
        reloaded: requests sent and answered while the service was reloaded.
        ended: requests sent and answered while it was told to end, until readiness was false.
        replaced: seconds until a killed process was replaced.
        notice: seconds that readiness was false while requests were still answered.
        problems: what is wrong, in words.
    """

    address: str = ""
    reloaded: tuple[int, int] = (0, 0)
    ended: tuple[int, int] = (0, 0)
    replaced: float = 0.0
    notice: float = 0.0
    problems: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


def examine(row: Row, folder: Path) -> Findings:
    """Return what is found out about a server.

    Args:
        row: server and service.
        folder: an empty folder.
    """
    found = Findings()
    with staged(row, folder, GRACE=str(GRACE)) as stage:
        stage.start()
        _answers(stage, found)
        _kill(stage, found)
        _reload(stage, found)
        _reload_broken(stage, found)
        _end(stage, found)
        _hooks(stage, found)
        stage.start()
        _end_at_once(stage, found)
    return found


def _answers(stage: Stage, found: Findings) -> None:
    status, value = stage.ask("/api/rows")
    if (status, value) != (200, 42):
        found.problems.append(f"/api/rows: {status} {value}")
    if stage.ask("/healthz")[0] != 200:
        found.problems.append("/healthz does not answer")
    status, seen = stage.ask("/api/seen", SPOOFS, source=STRANGER)
    expected = {
        "address": STRANGER,
        "scheme": "http",
        "host": stage.host,
        "url": f"http://{stage.host}/api/seen",
    }
    if seen != expected:
        found.problems.append(f"the application sees {seen}, not {expected}")
    found.address = seen.get("address", "") if isinstance(seen, dict) else ""


def _kill(stage: Stage, found: Findings) -> None:
    wait_until(lambda: len(stage.serving()) == WORKERS, 10, what=f"{WORKERS} serving processes")
    victim = min(stage.serving())
    begun = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    stage.killed.add(victim)
    wait_until(lambda: not is_alive(victim), 10, what="the killed process is gone")
    wait_until(lambda: len(stage.serving()) == WORKERS, 20, what="a killed process is replaced")
    found.replaced = round(time.monotonic() - begun, 2)


def _reload(stage: Stage, found: Findings) -> None:
    before = stage.serving()
    with Load(stage.listen, stage.host, MIXED) as load:
        time.sleep(0.5)
        stage.release("2")
        stage.tell(signal.SIGHUP)
        wait_until(
            lambda: len(stage.serving() - before) == WORKERS and not stage.serving() & before,
            40,
            what="all processes are new after a reload",
        )
        time.sleep(0.5)
    found.reloaded = (load.tally.sent, load.tally.answered)
    if load.tally.sent - load.tally.answered > MOST_LOST.get(stage.server, 0):
        found.problems += [f"reload: {text}" for text in load.tally.problems()]
    if stage.ask("/api/release") != (200, 2):
        found.problems.append("reload: the new release is not what answers")


def _reload_broken(stage: Stage, found: Findings) -> None:
    """Reload a release that does not start: the old one stays."""
    before, size = stage.serving(), len(stage.output())
    with Load(stage.listen, stage.host, MIXED, clients=2) as load:
        stage.release("3 +")
        stage.tell(signal.SIGHUP)
        wait_until(
            lambda: "the new processes failed" in stage.output()[size:],
            40,
            what="a broken release is noticed",
        )
        time.sleep(0.5)
    found.problems += [f"broken release: {text}" for text in load.tally.problems()]
    if stage.serving() != before or stage.ask("/api/release") != (200, 2):
        found.problems.append("broken release: the old one does not go on")
    stage.release("2")


def _end(stage: Stage, found: Findings) -> None:
    slow: list[Any] = []
    late = threading.Thread(target=lambda: slow.append(stage.ask("/api/slow?seconds=2.5")))
    with Load(stage.listen, stage.host, MIXED) as load:
        time.sleep(0.5)
        late.start()
        time.sleep(0.2)
        stage.tell(signal.SIGTERM)
        # What a load balancer does: it asks, and sends no more when the answer is no.
        wait_until(lambda: not stage.is_ready(), 10, what="readiness turns false", step=0.02)
        begun = time.monotonic()
        tally: Tally = load.stop()
        wait_until(
            lambda: stage.ask("/api/pid")[0] != 200, 10, what="requests are refused", step=0.02
        )
        found.notice = round(time.monotonic() - begun, 1)
    if found.notice < GRACE / 2:
        found.problems.append(f"end: readiness was false for {found.notice} s only")
    found.ended = (tally.sent, tally.answered)
    if tally.sent - tally.answered > MOST_LOST.get(stage.server, 0):
        found.problems += [f"end: {text}" for text in tally.problems()]
    status = stage.wait()
    late.join()
    if status != 0:
        found.problems.append(f"end: status {status}")
    if not slow or slow[0][0] != 200:
        found.problems.append(f"end: a request in flight got {slow}")
    if stage.ask("/api/pid")[0] == 200:
        found.problems.append("end: requests are still answered")
    if left := stage.left():
        found.problems.append(f"end: {len(left)} processes are left")


def _hooks(stage: Stage, found: Findings) -> None:
    counts = Counter(stage.notes())
    for pid in {pid for _, pid in counts}:
        if counts["start", pid] != 1:
            found.problems.append(f"start-up hooks ran {counts['start', pid]} times in a process")
        if pid not in stage.killed and counts["stop", pid] != 1:
            found.problems.append(f"shutdown hooks ran {counts['stop', pid]} times in a process")


def _end_at_once(stage: Stage, found: Findings) -> None:
    endless = threading.Thread(target=stage.ask, args=("/api/slow?seconds=15",))
    endless.start()
    time.sleep(0.3)
    begun = time.monotonic()
    stage.tell(signal.SIGTERM)
    time.sleep(0.3)
    stage.tell(signal.SIGTERM)
    stage.wait()
    if time.monotonic() - begun > 5:
        found.problems.append("the second signal does not end it at once")
    endless.join()
    if left := stage.left():
        found.problems.append(f"second signal: {len(left)} processes are left")
