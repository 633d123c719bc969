"""What is measured without a socket: workloads, many routes, middleware, queries at once."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.data import Databases
from benchmarks.registry import Implementation
from benchmarks.rounds import check, floor_process, measure, processes, together

ROUTES = (10, 100, 1000)
AT_ONCE = 50


def workloads(
    chosen: Sequence[Implementation],
    names: Sequence[str],
    databases: Databases,
    log: Path,
    *,
    rounds: int,
    seconds: float,
) -> dict[str, Any]:
    """Check all answers, then measure; what is answered wrongly is left out.

    Returns:
        `times`: microseconds, `faults`: lines.
    """
    callable_ones = [item for item in chosen if item.kind != "bolt"]
    with processes(callable_ones, databases, log) as running:
        floor = floor_process(databases, log)
        try:
            faults = check(running, names, floor)
        finally:
            floor.end()
        for fault in faults:
            print(f"left out: {fault.text()}", flush=True)
        times = measure(running, names, rounds=rounds, seconds=seconds, faults=faults)
    return {"times": times, "faults": [fault.text() for fault in faults]}


def at_once(
    chosen: Sequence[Implementation], databases: Databases, log: Path, *, rounds: int
) -> dict[str, Any]:
    """Measure 50 requests at once, each with a query of 20 ms, of what answers on an event loop.

    Returns:
        seconds: implementation -> `one` request and `all` of them.
    """
    found: dict[str, Any] = {}
    for item in chosen:
        if item.kind in {"asgi", "sanic", "tornado"} and "slow" in item.workloads:
            # One by itself: each may hold a connection for every request.
            with processes([item], databases, log) as running:
                found |= together(running, count=AT_ONCE, rounds=rounds)
    return found


def many_routes(
    chosen: Sequence[Implementation],
    databases: Databases,
    log: Path,
    *,
    rounds: int,
    seconds: float,
) -> dict[str, Any]:
    """Measure hello as the last of 10, 100 and 1,000 routes.

    Returns:
        microseconds: number of routes -> implementation -> one for each round.
    """
    routed = [item for item in chosen if item.has_routes]
    found: dict[str, dict[str, list[float]]] = {str(number): {} for number in ROUTES}
    # A framework at a time, so that its three processes take turns.
    for item in routed:
        with ExitStack() as stack:
            running = {
                str(number): stack.enter_context(
                    processes([item], databases, log, extra={"BENCHMARKS_ROUTES": str(number)})
                )
                for number in ROUTES
            }
            for _ in range(rounds):
                for number, started in running.items():
                    for name, process in started.items():
                        answer = process.ask(
                            "measure", workload="hello", seconds=seconds, calls=None
                        )
                        found[number].setdefault(name, []).append(answer["micros"])
    return found


def behind_middleware(
    chosen: Sequence[Implementation],
    databases: Databases,
    log: Path,
    *,
    rounds: int,
    seconds: float,
) -> dict[str, Any]:
    """Measure with a middleware of the framework in front that it does not know.

    Returns:
        microseconds: implementation -> workload -> one for each round.
    """
    able = [item for item in chosen if item.has_middleware]
    extra = {"BENCHMARKS_IN_MIDDLEWARE": "1"}
    with processes(able, databases, log, extra=extra) as running:
        return measure(running, ("hello", "params", "body"), rounds=rounds, seconds=seconds)
