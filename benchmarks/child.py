"""A process that holds one implementation and measures what it is told to.

    python -m benchmarks.child benchmarks.implementations.flask_bare wsgi

A line of JSON comes in on stdin for each thing to do, one goes out when it is done:

| do | answer |
|---|---|
| `answer`: a workload | status and body (latin-1) |
| `measure`: a workload, seconds, calls or null | calls, and microseconds of CPU for each |
| `together`: a workload, count | seconds until all are answered |
| `first`: a workload | seconds of import, set-up and the first answer |
| `many`: a workload, count | resident memory before and after, in bytes |

CPU time is that of the whole process, worker threads included. Nothing but the standard library
is imported before the implementation, so that memory and set-up are its own.
"""

import gc
import importlib
import json
import os
import resource
import sys
import time
from itertools import count
from typing import Any

STARTED = time.perf_counter()


def resident() -> int:
    """Return the resident memory of this process, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Child:
    """Does what the parent asks.

    Args:
        module: dotted path of the module whose `app` is called.
        kind: which driver calls it.
    """

    def __init__(self, module: str, kind: str) -> None:
        app = importlib.import_module(module).app
        self.ready = time.perf_counter() - STARTED
        self.size = resident()
        from benchmarks.data import Cleaner
        from benchmarks.drivers import DRIVERS
        from benchmarks.workloads import WORKLOADS

        start = time.perf_counter()
        self._driver = DRIVERS[kind](app)
        self._driver_seconds = time.perf_counter() - start
        self._workloads = WORKLOADS
        self._cleaner = Cleaner()
        self._calls: dict[str, int] = {}
        # Rows that were made are named by it: no two of this process are the same, and where
        # processes share a database those of another have been deleted.
        self._numbers = count(1)

    def answer(self, *, workload: str) -> dict[str, Any]:
        """Return what the implementation answers."""
        asked = self._workloads[workload]
        answer = self._driver.answer(asked.request(next(self._numbers)))
        if asked.writes:
            self._cleaner.clean()
        return {"status": answer.status, "body": answer.body.decode("latin-1")}

    def measure(self, *, workload: str, seconds: float, calls: int | None) -> dict[str, Any]:
        """Return the CPU time of a call; how many there are is found out the first time."""
        asked = self._workloads[workload]
        calls = calls or self._calls.get(workload)
        if calls is None:
            calls, number = 1, 1
            while number < asked.most_calls:
                cpu, wall = self._timed(workload, number)
                calls = number
                if max(cpu, wall / 3) > seconds / 4:
                    wanted = int(number * seconds / max(cpu, wall / 3))
                    calls = max(1, min(wanted, asked.most_calls))
                    break
                number *= 4
            else:
                calls = asked.most_calls
            self._calls[workload] = calls
        cpu, _ = self._timed(workload, calls)
        return {"calls": calls, "micros": cpu / calls * 1e6}

    def _timed(self, workload: str, calls: int) -> tuple[float, float]:
        asked = self._workloads[workload]
        send = self._driver.run([asked.request(next(self._numbers)) for _ in range(calls)])
        # One more before the clock starts: deleting rows has emptied SQLite's cache of pages.
        self._driver.answer(asked.request(next(self._numbers)))
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        statuses = send()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if not asked.statuses.issuperset(statuses):
            raise RuntimeError(f"{workload} was answered with {set(statuses)}")
        if asked.writes:
            self._cleaner.clean()
        return cpu, wall

    def together(self, *, workload: str, count: int) -> dict[str, Any]:
        """Return the seconds that a number of requests at once take, and a single one."""
        request = self._workloads[workload].request(0)
        return {
            "one": self._driver.together([request]),
            "all": self._driver.together([request] * count),
        }

    def first(self, *, workload: str) -> dict[str, Any]:
        """Return the seconds until the first answer; Django loads URL patterns only then."""
        start = time.perf_counter()
        self._driver.answer(self._workloads[workload].request(0))
        return {"seconds": self.ready + self._driver_seconds + time.perf_counter() - start}

    def many(self, *, workload: str, count: int) -> dict[str, Any]:
        """Return the memory at the start and after a number of requests."""
        request = self._workloads[workload].request(0)
        self._driver.answer(request)
        first = resident()
        for _ in range(max(1, count // 1000)):
            self._driver.run([request] * min(count, 1000))()
        return {"set_up": self.size, "first": first, "last": resident()}


def main() -> None:
    """Answer the parent until it closes its end."""
    # What an implementation prints must not come between our lines.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    child = Child(sys.argv[1], sys.argv[2])
    print(json.dumps({"seconds": child.ready, "size": child.size}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = getattr(child, asked.pop("do"))(**asked)
        except Exception as error:  # the parent reports whatever went wrong
            import traceback

            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
    # Threads of servers and event loops must not keep the process alive.
    answers.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
