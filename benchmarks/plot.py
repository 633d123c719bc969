"""The results as bars, in SVG: a group of bars for each workload, on a logarithmic scale."""

import math
import statistics
from collections.abc import Mapping
from html import escape
from typing import Any

from benchmarks.registry import IMPLEMENTATIONS

SHOWN = ("hello", "body", "list", "detail")
LABELS = 250
WIDTH = 420
BAR = 13
GAP = 34
COLORS = {"ours": "#0b7285", "floor": "#adb5bd", "other": "#e8a33d"}


def color(name: str) -> str:
    """Return the colour of an implementation's bar."""
    if IMPLEMENTATIONS[name].is_ours:
        return COLORS["ours"]
    return COLORS["floor" if name.startswith("raw-") else "other"]


def group(times: Mapping[str, Any], workload: str, top: int) -> tuple[list[str], int]:
    """Return the elements of a workload's bars and where they end.

    Args:
        times: implementation -> workload -> microseconds.
        workload: which.
        top: where they begin.
    """
    values = sorted(
        (statistics.median(found[workload]), name)
        for name, found in times.items()
        if workload in found and name in IMPLEMENTATIONS and not name.endswith("-sync")
    )
    least = math.log10(values[0][0]) - 0.15
    scale = WIDTH / (math.log10(values[-1][0]) - least)
    elements = [f'<text x="4" y="{top}" font-weight="bold">{workload}, µs of CPU</text>']
    y = top + 6
    for value, name in values:
        length = (math.log10(value) - least) * scale
        middle = y + BAR - 3
        elements += [
            f'<text x="{LABELS - 6}" y="{middle}" text-anchor="end">'
            f"{escape(IMPLEMENTATIONS[name].label)}</text>",
            f'<rect x="{LABELS}" y="{y + 1}" width="{length:.1f}" height="{BAR - 2}" '
            f'fill="{color(name)}"/>',
            f'<text x="{LABELS + length + 4:.1f}" y="{middle}">{value:,.3g}</text>'
            if value < 1000
            else f'<text x="{LABELS + length + 4:.1f}" y="{middle}">{value:,.0f}</text>',
        ]
        y += BAR
    return elements, y


def make(results: Mapping[str, Any]) -> str:
    """Return the plot."""
    elements: list[str] = []
    y = 20
    times = results.get("times", {})
    for workload in SHOWN:
        if any(workload in found for found in times.values()):
            some, end = group(times, workload, y)
            elements += some
            y = end + GAP
    width, height = LABELS + WIDTH + 70, y
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="10">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, ground, *elements, "</svg>", ""])
