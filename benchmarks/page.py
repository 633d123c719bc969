"""The page of the documentation, made of the results of a full run.

python -m benchmarks.page      # docs/benchmarks.json -> docs/benchmarks.md, docs/benchmarks.svg
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import plot, report
from benchmarks.registry import IMPLEMENTATIONS

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks.svg"

START = """# Benchmarks

`make bench` makes this page of the [results](benchmarks.json) of one run. Figures are those of one
machine, and noisy; ratios are what to look at. A bound is what this project asks of itself; those
that are not held are named.

![Microseconds of CPU for a request](benchmarks.svg)
"""
HOW = """## How it is measured

{table}

- All of them serve the same requests from the same rows, those of the
  [test project](testproject.md): 1,000 articles of 50 authors, with tags and 10,000 comments.
- A *bare* handler is written by hand: pydantic for what comes in, `.values_list()` and dictionaries
  for what goes out, no middleware. FastAPI and Litestar read by SQLAlchemy; REST framework,
  django-ninja, django-modern-rest and django-bolt by `select_related` and `prefetch_related`.
- UtilMeta is used as these pages say, with `production=True`, its host check and its care for
  connections. The others keep their connections for ever.
- What is not answered as the floor answers, moments compared as such, is not measured in process
  and named below the figures. The order of tags is not asked of the original UtilMeta.
- In process, each implementation is a process that stays and is called as its server would call it;
  they take turns in every round. Time is that of the process's CPU, worker threads included. A
  figure is the median of the rounds, a ratio the median of each round's ratio. Sanic is called
  through its ASGI interface and Tornado through its delegate of connections, bare and ours alike.
- Over a socket, gunicorn (sync), uvicorn (uvloop, httptools), or the own server of Sanic, Tornado
  or django-bolt has one process on one core, wrk 8 connections on another.
- Set-up begins when Python has started and ends when the application has been imported. Django
  reads URL patterns at the first request, so the time to the first answer is there too.
- Created rows are deleted between measurements, which is not measured. SQLite files are in WAL
  mode.

## Making them again

```sh
make bench                                  # all of it, then this page
make bench ARGS=--quick                     # in minutes; prints the tables only
make bench ARGS='--only django,ours-django --workloads hello,list --in-process'
make bench ARGS='--postgres --in-process'   # PostgreSQL on 127.0.0.1:5432
```

It has an environment of its own, `.venv-bench`. `make bench-original` makes `.venv-original`, in
which the original UtilMeta is measured: it has this package's name. What goes over a socket needs
`wrk`, `taskset` and two cores.

## What is not covered

- Other machines, more cores, databases other than the one named above, networks.
- Uploads, WebSockets, server-sent events, caches, HTTP/2, TLS.
- Over a socket: writing, streams, and sync endpoints on event loops but for list and detail.
- In process: django-bolt, whose server is not Python. Its release is the newest for this Python.
- Requests at once to sync services, where the server's number of threads decides.
- Behind a middleware: Tornado, which has none.
"""


def make(results: Mapping[str, Any]) -> str:
    """Return the page."""
    rows = [
        [f"`{name}`", item.label]
        for name, item in IMPLEMENTATIONS.items()
        if name in results.get("times", {}) or name in results.get("sockets", {})
    ]
    how = HOW.format(table=report.table(("name", "what it is"), rows, texts=2))
    faults = results.get("faults", [])
    parts = [
        START.rstrip(),
        f"## Bounds\n\n{report.bounds_text(results)}",
        "## Figures\n\n" + report.run_text(results),
        *report.raw_parts(results),
    ]
    if faults:
        lines = "\n".join(f"- {fault}" for fault in faults)
        parts.append(f"### Answers that were different\n\n{lines}")
    return "\n\n".join([*parts, how])


def write() -> None:
    """Write the page and the plot."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(make(results), encoding="utf-8")
    PLOT.write_text(plot.make(results), encoding="utf-8")


if __name__ == "__main__":
    write()
