"""CPU time in process: implementations take turns, ratios are those of each round.

Before anything is measured, what each implementation answers is compared with what the floor
answers.
"""

import contextlib
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data import Databases
from benchmarks.processes import ImplementationError, Process
from benchmarks.registry import FLOOR, IMPLEMENTATIONS, Implementation
from benchmarks.workloads import LISTED, STREAMED, WORKLOADS, Answer

# Times of one implementation: workload -> a number for each round.
Times = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer that is not the floor's.

    Attributes:
        name: of the implementation.
        workload: which was asked.
        what: what is wrong with it.
    """

    name: str
    workload: str
    what: str

    def text(self) -> str:
        """Return all of it in a line."""
        return f"{self.name}: {self.workload} {self.what}"


@contextlib.contextmanager
def processes(
    chosen: Sequence[Implementation],
    databases: Databases,
    log: Path,
    *,
    extra: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Process]]:
    """Start implementations, yield them by name, end them.

    One that does not start is said so and left out.
    """
    running: dict[str, Process] = {}
    try:
        for implementation in chosen:
            try:
                process = Process(implementation, databases, extra=extra, log=log)
            except ImplementationError as error:
                print(f"left out: {error}", flush=True)
                continue
            running[implementation.name] = process
        yield running
    finally:
        for process in running.values():
            process.end()


def _answer(process: Process, workload: str) -> Answer:
    answer = process.ask("answer", workload=workload)
    return Answer(status=answer["status"], body=answer["body"].encode("latin-1"))


def is_same(value: Any, wanted: Any, implementation: Implementation) -> bool:
    """Return whether a value of an answer is what the floor answers."""
    if implementation.orders_tags:
        return bool(value == wanted)
    return bool(_unordered(value) == _unordered(wanted))


def _unordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_unordered(row) for row in value]
    if isinstance(value, dict) and "tags" in value:
        return {**value, "tags": sorted(value["tags"])}
    return value


def check(running: Mapping[str, Process], workloads: Sequence[str], floor: Process) -> list[Fault]:
    """Compare all answers with the floor's.

    Returns:
        what is different.

    Raises:
        ImplementationError: the floor's own answer is not whole.
    """
    faults = []
    for name in workloads:
        workload = WORKLOADS[name]
        wanted = workload.value(_answer(floor, name))
        if name in {"list", "stream"} and len(wanted) != {"list": LISTED}.get(name, STREAMED):
            raise ImplementationError(f"the floor's {name} has {len(wanted)} rows")
        for process in running.values():
            if name not in process.implementation.workloads:
                continue
            answer = _answer(process, name)
            if answer.status not in workload.statuses:
                faults.append(Fault(process.implementation.name, name, f"is {answer.status}"))
            elif not is_same(workload.value(answer), wanted, process.implementation):
                faults.append(Fault(process.implementation.name, name, "is not the floor's"))
    return faults


def measure(
    running: Mapping[str, Process],
    workloads: Sequence[str],
    *,
    rounds: int,
    seconds: float,
    faults: Sequence[Fault] = (),
) -> Times:
    """Measure each workload of each implementation once in each round.

    Args:
        running: the implementations.
        workloads: names.
        rounds: how many.
        seconds: of CPU for one measurement, about.
        faults: what is not to be measured.

    Returns:
        microseconds of CPU for a request: implementation -> workload -> one for each round.
    """
    times: Times = {name: {} for name in running}
    order = list(running)
    wrong = {(fault.name, fault.workload) for fault in faults}
    for turn in range(rounds):
        first = turn % max(1, len(order))
        for workload in workloads:
            # Whoever was first is last next time.
            for name in order[first:] + order[:first]:
                process = running[name]
                served = workload in process.implementation.workloads
                if not served or (name, workload) in wrong:
                    continue
                try:
                    answer = process.ask("measure", workload=workload, seconds=seconds, calls=None)
                except ImplementationError as error:
                    # Half of the rounds would be compared with other rounds.
                    print(f"left out: {workload}, {error}", flush=True)
                    wrong.add((name, workload))
                    times[name].pop(workload, None)
                else:
                    times[name].setdefault(workload, []).append(answer["micros"])
        print(f"round {turn + 1} of {rounds}", flush=True)
    return times


def floor_process(databases: Databases, log: Path) -> Process:
    """Return a process of the floor, to compare answers with."""
    return Process(IMPLEMENTATIONS[FLOOR], databases, log=log)


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def together(
    running: Mapping[str, Process], *, count: int, rounds: int
) -> dict[str, dict[str, float]]:
    """Measure requests at once, each with a query of 20 ms.

    Returns:
        seconds: implementation -> `one` request and `all` of them.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, process in running.items():
            found[name].append(process.ask("together", workload="slow", count=count))
    return {
        name: {key: median([one[key] for one in answers]) for key in ("one", "all")}
        for name, answers in found.items()
        if answers
    }
