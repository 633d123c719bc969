"""The results as text: the table of bounds, the raw figures, the page of the documentation."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.bounds import MEGABYTE, Verdict, figure_of, verdicts
from benchmarks.registry import IMPLEMENTATIONS
from benchmarks.workloads import BY_CPU

Results = Mapping[str, Any]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """Return a Markdown table.

    Args:
        heads: of the columns.
        rows: their cells.
        texts: how many columns from the left are text; figures are set to the right.
    """
    marks = ["---"] * texts + ["--:"] * (len(heads) - texts)
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(marks)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def label(name: str) -> str:
    """Return what an implementation is."""
    return IMPLEMENTATIONS[name].label if name in IMPLEMENTATIONS else name


def figure(value: float) -> str:
    """Return a figure with about three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def verdict_rows(judged: Sequence[Verdict], section: str) -> list[list[str]]:
    """Return the rows of the table of bounds."""
    rows = []
    for verdict in judged:
        if verdict.section != section:
            continue
        missed = verdict.missed()
        measured = ", ".join(
            f"{name} {figure(value)}{verdict.unit}" for name, value in verdict.measured.items()
        )
        sense = "at least" if verdict.is_least else "at most"
        held = "held" if not missed else f"**not held**: {', '.join(missed)}"
        if len(verdict.measured) == 1 and missed:
            held = "**not held**"
        rows.append(
            [
                verdict.row,
                label(verdict.subject),
                verdict.against,
                f"{sense} {verdict.limit:g}",
                measured,
                held,
            ]
        )
    return rows


BOUND_HEADS = ("what", "UtilMeta", "against", "bound", "measured", "")


def bounds_text(results: Results) -> str:
    """Return the bounds and whether they hold."""
    judged = verdicts(results)
    held = sum(not verdict.missed() for verdict in judged)
    parts = [f"{held} of {len(judged)} bounds held."]
    for section in ("in process", "over a socket"):
        rows = verdict_rows(judged, section)
        if rows:
            title = section.capitalize()
            parts.append(f"### {title}\n\n{table(BOUND_HEADS, rows, texts=len(BOUND_HEADS))}")
    return "\n\n".join(parts)


def cpu_table(times: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return microseconds of CPU for a request."""
    names = [name for name in BY_CPU if any(name in found for found in times.values())]
    rows = [
        [
            label(who),
            *(figure(statistics.median(found[name])) if name in found else "" for name in names),
        ]
        for who, found in times.items()
    ]
    return table(["implementation", *names], rows)


def socket_table(loads: Mapping[str, Any], which: str) -> str:
    """Return a figure of every load over a socket."""
    names = [name for name in BY_CPU if any(name in found for found in loads.values())]
    rows = [
        [
            label(who),
            *(
                figure(figure_of(loads, who, name, which)) if name in found else ""
                for name in names
            ),
        ]
        for who, found in loads.items()
    ]
    return table(["implementation", *names], rows)


def _routes(found: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    numbers = list(found)
    rows = [
        [label(who), *(figure(statistics.median(found[number][who])) for number in numbers)]
        for who in found[numbers[0]]
        if all(who in found[number] for number in numbers)
    ]
    return table(["hello, last among", *(f"{int(number):,} routes" for number in numbers)], rows)


def _at_once(found: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        [label(who), figure(one["one"] * 1000), figure(one["all"] * 1000)]
        for who, one in found.items()
    ]
    return table(["implementation", "one", "50 at once"], rows)


def _start(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            label(who),
            *(figure(statistics.median(one[key]) * 1000) for key in ("seconds", "first_answer")),
            *(figure(one[key] / MEGABYTE) for key in ("set_up", "first", "last")),
        ]
        for who, one in found.items()
    ]
    heads = ["implementation", "ms", "ms to the first answer", "MB", "MB after it", "MB after all"]
    return table(heads, rows)


def _workers(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    rows = [
        [
            label(who),
            number,
            figure(one["per_second"]),
            figure(one["cpu"]),
            figure(one["memory"] / MEGABYTE),
        ]
        for who, numbers in found.items()
        for number, one in numbers.items()
    ]
    return table(["hello", "workers", "requests/s", "µs CPU", "MB, all processes"], rows)


def raw_parts(results: Results) -> Iterator[str]:
    """Yield a titled table for each thing that was measured."""
    for part, title, make in (
        ("times", "Microseconds of CPU for a request, in process", cpu_table),
        ("middleware", "The same behind a middleware of the framework", cpu_table),
        ("routes", "Microseconds of CPU for a request, many routes", _routes),
        ("at_once", "Milliseconds until requests with a query of 20 ms are answered", _at_once),
        ("start", "Import and set-up, resident memory", _start),
        ("workers", "Workers of gunicorn, all on one core", _workers),
    ):
        if results.get(part):
            yield f"### {title}\n\n{make(results[part])}"
    for which, title in (
        ("per_second", "Requests per second over a socket"),
        ("p50", "Microseconds until half of the requests were answered"),
        ("p99", "Microseconds until 99 of 100 requests were answered"),
        ("cpu", "Microseconds of the server's CPU for a request over a socket"),
    ):
        if results.get("sockets"):
            yield f"### {title}\n\n{socket_table(results['sockets'], which)}"


def run_text(results: Results) -> str:
    """Return how, where and with what the results were made."""
    about = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    revision = f"commit {about['revision']}, " if about.get("revision") else ""
    return (
        f"{about['date']}, {revision}{about['database']}, Python {about['python']}, "
        f"{about['cores']} cores, "
        f"{about['rounds']} rounds in process, {about['socket_rounds']} of "
        f"{about['socket_seconds']} s over a socket.\n\n{versions}."
    )
