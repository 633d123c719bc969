"""What has to hold, and whether it does.

Every bound is a ratio between two things of one run, so that it says the same on any machine.
In process it is the median of each round's ratio, over a socket the ratio of medians.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.registry import IMPLEMENTATIONS, Implementation

SMALL = ("hello", "params", "body")
SYNC = ("ours-django", "ours-flask")
MEGABYTE = 1024 * 1024
Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A bound and what was measured.

    Attributes:
        section: `in process` or `over a socket`.
        row: which rule it is.
        subject: name of the implementation of ours.
        against: what it is measured against.
        limit: the bound.
        is_least: whether the bound is the least that is allowed, and not the most.
        measured: workload -> ratio.
        unit: behind figures; empty for ratios.
    """

    section: str
    row: str
    subject: str
    against: str
    limit: float
    is_least: bool = False
    measured: Mapping[str, float]
    unit: str = ""

    def missed(self) -> list[str]:
        """Return the workloads that do not keep the bound."""
        return [
            name
            for name, value in self.measured.items()
            if (value < self.limit if self.is_least else value > self.limit)
        ]


def ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median of each round's ratio."""
    return statistics.median(one / other for one, other in zip(first, second, strict=True))


def by_hand(implementation: Implementation) -> str:
    """Return who reads with `.values_list()` on an implementation's framework."""
    # FastAPI's own idiom is SQLAlchemy; Starlette below it has the hand-written handlers.
    bare = implementation.bare or ""
    return "starlette" if bare == "fastapi" else bare


def floor(implementation: Implementation) -> str:
    """Return who runs raw SQL behind the same kind of server."""
    return "raw-wsgi" if implementation.kind == "wsgi" else "raw-asgi"


def verdicts(results: Results) -> list[Verdict]:
    """Return all bounds that the results have figures for."""
    every: list[Verdict] = []
    if "times" in results:
        every += _cpu(results["times"])
    for part, judge in (
        ("routes", _routes),
        ("at_once", _at_once),
        ("start", _start),
        ("middleware", _middleware),
        ("sockets", _sockets),
    ):
        if part in results:
            every += judge(results[part])
    return every


def _ours(found: Mapping[str, Any]) -> Iterator[Implementation]:
    for name in found:
        if name in IMPLEMENTATIONS and IMPLEMENTATIONS[name].is_ours:
            yield IMPLEMENTATIONS[name]


def _cpu_rules(item: Implementation) -> Iterator[tuple[str, tuple[str, ...], str, float]]:
    """Yield row, workloads, what they are compared with, and the bound."""
    bare = item.bare or ""
    if item.name in SYNC:
        yield "hello, params, body", SMALL, bare, 0.35
        yield "hello, params, body", SMALL, "ninja", 0.25
        yield "hello, params, body", SMALL, "drf", 0.15
    elif not item.name.endswith("-sync"):
        limits = {"django-async": 0.08, "fastapi": 0.35, "tornado": 0.5}
        yield "hello, params, body", SMALL, bare, limits.get(bare, 1.2)
    yield "list", ("list",), by_hand(item), 0.45
    yield "list", ("list",), "drf", 0.10
    yield "list", ("list",), "ninja", 0.10
    yield "list", ("list",), floor(item), 1.4
    yield "detail", ("detail",), by_hand(item), 0.12
    yield "detail", ("detail",), "drf", 0.07
    yield "detail", ("detail",), floor(item), 5.0
    yield "create", ("create",), "ninja", 0.8
    yield "bulk", ("bulk",), by_hand(item), 1.3


def _cpu(times: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[Verdict]:
    for item in _ours(times):
        mine = times[item.name]
        for row, names, other, limit in _cpu_rules(item):
            theirs = times.get(other, {})
            measured = {
                name: ratio(mine[name], theirs[name])
                for name in names
                if name in mine and name in theirs
            }
            if measured:
                yield Verdict(
                    section="in process",
                    row=row,
                    subject=item.name,
                    against=other,
                    limit=limit,
                    measured=measured,
                )
        if "invalid" in mine and "body" in mine:
            yield Verdict(
                section="in process",
                row="invalid",
                subject=item.name,
                against="its own valid body",
                limit=1.5,
                measured={"invalid": ratio(mine["invalid"], mine["body"])},
            )


def _routes(routes: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[Verdict]:
    for item in _ours(routes["10"]):
        if item.name in routes["1000"]:
            yield Verdict(
                section="in process",
                row="1,000 routes",
                subject=item.name,
                against="10 routes",
                limit=1.05,
                measured={"hello": ratio(routes["1000"][item.name], routes["10"][item.name])},
            )


def _at_once(found: Mapping[str, Mapping[str, float]]) -> Iterator[Verdict]:
    django = found.get("django-async", {}).get("all")
    for item in _ours(found):
        if item.name in SYNC:
            continue
        mine = found[item.name]
        yield Verdict(
            section="in process",
            row="50 queries of 20 ms at once",
            subject=item.name,
            against="one of them",
            limit=3.0,
            measured={"slow": mine["all"] / mine["one"]},
        )
        if django:
            yield Verdict(
                section="in process",
                row="50 queries of 20 ms at once",
                subject=item.name,
                against="django-async",
                limit=1.0,
                measured={"slow": mine["all"] / django},
            )


def _start(found: Mapping[str, Mapping[str, Any]]) -> Iterator[Verdict]:
    if not {"django", "ours-django"} <= set(found):
        return
    mine, bare = found["ours-django"], found["django"]
    yield Verdict(
        section="in process",
        row="import and set-up",
        subject="ours-django",
        against="django",
        limit=1.2,
        measured={
            "import": ratio(mine["seconds"], bare["seconds"]),
            "first answer": ratio(mine["first_answer"], bare["first_answer"]),
        },
    )
    more = {key: (mine[key] - bare[key]) / MEGABYTE for key in ("first", "last") if key in mine}
    yield Verdict(
        section="in process",
        row="memory",
        subject="ours-django",
        against="django",
        limit=15.0,
        measured=more,
        unit=" MB more",
    )


def _middleware(times: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[Verdict]:
    for item in _ours(times):
        # Compared with hand-written handlers, which FastAPI's own idiom is not.
        other = by_hand(item) if item.bare != "fastapi" else "fastapi"
        mine, theirs = times[item.name], times.get(other, {})
        measured = {name: ratio(mine[name], theirs[name]) for name in mine if name in theirs}
        if measured:
            yield Verdict(
                section="in process",
                row="behind a middleware",
                subject=item.name,
                against=f"{other} behind it",
                limit=1.15,
                measured=measured,
            )


def _socket_rules(name: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], float]]:
    """Yield workloads, what they are compared with, and the least ratio."""
    if name in {"ours-starlette", "ours-fastapi"}:
        yield SMALL, ("fastapi",), 1.8
        yield ("list",), ("fastapi",), 5.0
        yield ("detail",), ("fastapi",), 8.0
    elif name in SYNC:
        yield SMALL[:2], (IMPLEMENTATIONS[name].bare or "",), 1.4
        yield SMALL[:2], ("ninja",), 1.6
        yield SMALL[:2], ("drf",), 2.0
        yield ("list",), ("drf", "ninja"), 9.0
        yield ("detail",), ("drf", "ninja"), 5.0
    elif name == "ours-tornado":
        yield SMALL, ("tornado",), 1.25
    elif name == "ours-django-async":
        yield SMALL, ("bolt",), 1.0
        yield ("list", "detail"), ("bolt",), 8.0


def _sockets(loads: Mapping[str, Any]) -> Iterator[Verdict]:
    for item in _ours(loads):
        for names, others, limit in _socket_rules(item.name):
            for other in others:
                measured = _of_loads(loads, item.name, other, names, "per_second")
                if measured:
                    yield Verdict(
                        section="over a socket",
                        row="requests per second",
                        subject=item.name,
                        against=other,
                        limit=limit,
                        is_least=True,
                        measured=measured,
                    )
        bare = item.bare or ""
        measured = _of_loads(loads, item.name, bare, tuple(loads[item.name]), "p99")
        if measured:
            yield Verdict(
                section="over a socket",
                row="p99",
                subject=item.name,
                against=bare,
                limit=1.0,
                measured=measured,
            )


def _of_loads(
    loads: Mapping[str, Any], mine: str, other: str, names: Sequence[str], figure: str
) -> dict[str, float]:
    return {
        name: figure_of(loads, mine, name, figure) / figure_of(loads, other, name, figure)
        for name in names
        if name in loads[mine] and name in loads.get(other, {})
    }


def figure_of(loads: Mapping[str, Any], who: str, workload: str, figure: str) -> float:
    """Return the median of a figure over the rounds."""
    values: list[float] = [one[figure] for one in loads[who][workload]]
    return statistics.median(values)
