"""Files of processes that have ended become one of each kind, and no number changes by it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from utilmeta.core.server.observe.ended import alone, fold

COUNT = """
import os, sys
from prometheus_client import Counter, Gauge, Histogram, Summary

from pathlib import Path
from utilmeta.core.server.observe.ended import enlist

amount = int(sys.argv[1])
enlist(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
Counter("asked", "Asked.", ["route"]).labels("/naïve/数据").inc(amount)
Histogram("seconds", "Seconds.", ["route"], buckets=(1, 5)).labels("/a").observe(amount)
Summary("sizes", "Sizes.").observe(amount)
Gauge("running", "Running.", multiprocess_mode="livesum").inc(amount)
Gauge("most", "Most.", multiprocess_mode="max").set(amount)
sys.stdout.write("counted\\n")
sys.stdout.flush()
sys.stdin.read()
"""


class Crash(BaseException):
    """Stands for the end of the process that folds."""


def begin(folder: Path, amount: int) -> "subprocess.Popen[str]":
    """Start a process that counts, and lives until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNT, str(amount)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def count(folder: Path, *amounts: int) -> None:
    """Have a process count each amount, and end."""
    with ThreadPoolExecutor(4) as pool:
        for process in pool.map(lambda amount: begin(folder, amount), amounts):
            end(process)


def read(folder: Path) -> dict[str, float]:
    """Return the numbers as Prometheus would get them."""
    collector: Any = MultiProcessCollector
    registry = CollectorRegistry()
    collector(registry, str(folder))
    with alone(folder):
        fold(folder)
        return {
            sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value
            for metric in registry.collect()
            for sample in metric.samples
        }


def expected(*amounts: int) -> dict[str, float]:
    return {
        "asked_total|/naïve/数据": sum(amounts),
        "seconds_bucket|/a|1.0": sum(amount <= 1 for amount in amounts),
        "seconds_bucket|/a|5.0": sum(amount <= 5 for amount in amounts),
        "seconds_bucket|/a|+Inf": len(amounts),
        "seconds_count|/a": len(amounts),
        "seconds_sum|/a": sum(amounts),
        "sizes_count": len(amounts),
        "sizes_sum": sum(amounts),
        "most": max(amounts),
    }


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith("gauge_max_")}


WHOLE = {"lock", "counter_ended.db", "histogram_ended.db", "summary_ended.db"}


def test_as_many_files_are_left_as_there_are_kinds(tmp_path: Path) -> None:
    count(tmp_path, 1, 2, 7)
    assert len(list(tmp_path.glob("counter_*.db"))) == 3
    assert read(tmp_path) == expected(1, 2, 7)
    assert names(tmp_path) == WHOLE
    count(tmp_path, 4, 9)
    assert read(tmp_path) == expected(1, 2, 7, 4, 9)
    assert read(tmp_path) == expected(1, 2, 7, 4, 9)
    assert names(tmp_path) == WHOLE


def test_a_process_that_lives_keeps_its_files(tmp_path: Path) -> None:
    count(tmp_path, 2)
    living = begin(tmp_path, 3)
    try:
        assert read(tmp_path) == {**expected(2, 3), "running": 3}
        assert (tmp_path / f"counter_{living.pid}.db").exists()
    finally:
        end(living)
    assert read(tmp_path) == expected(2, 3)
    assert names(tmp_path) == WHOLE


def test_a_process_that_ended_as_it_began_is_nothing(tmp_path: Path) -> None:
    count(tmp_path, 2)
    process = begin(tmp_path, 1)
    end(process)
    (tmp_path / f"counter_{process.pid}.db").write_bytes(b"")
    assert read(tmp_path)["asked_total|/naïve/数据"] == 2
    assert names(tmp_path) == WHOLE


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("step", ["rename", "replace", "unlink"])
def test_an_end_in_the_midst_of_it_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, nth: int, before: bool
) -> None:
    count(tmp_path, 1, 2, 7)
    real: Callable[..., Any] = getattr(Path, step)
    calls = 0

    def crash(self: Path, *args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and before:
            raise Crash
        found = real(self, *args, **options)
        if calls == nth:
            raise Crash
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, crash)
        with pytest.raises(Crash):
            read(tmp_path)
    assert read(tmp_path) == expected(1, 2, 7)
    assert names(tmp_path) == WHOLE


def test_many_may_read_at_once(tmp_path: Path) -> None:
    count(tmp_path, *range(1, 9))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read(tmp_path), range(24)))
    assert found == [expected(*range(1, 9))] * 24


def test_what_was_not_noted_here_is_left_as_it_is(tmp_path: Path) -> None:
    elsewhere, unknown = begin(tmp_path, 2), begin(tmp_path, 3)
    end(elsewhere)
    end(unknown)
    (tmp_path / f"process_{elsewhere.pid}").write_text("another container")
    (tmp_path / f"process_{unknown.pid}").unlink()
    assert read(tmp_path) == expected(2, 3)
    assert (tmp_path / f"counter_{elsewhere.pid}.db").exists()
    assert (tmp_path / f"counter_{unknown.pid}.db").exists()


def test_a_fork_in_the_midst_of_it_keeps_nobody_out(tmp_path: Path) -> None:
    with alone(tmp_path):
        pid = os.fork()
        if not pid:
            time.sleep(20)
            os._exit(0)
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(read, tmp_path).result(10) == {}
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
