"""From rows to records: a function written for one shape, as a person would write it by hand.

A record is one dictionary display, in which single relations are displays of their own. What comes
from other statements is read before, for all rows at once.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utilmeta.core.orm.read.records import Reading, Record, Shape
    from utilmeta.core.orm.read.selection import Row

Builder = Callable[["list[Row]", "Reading"], "list[Record]"]


class _Writing:
    """A function that is being written.

    Attributes:
        names: what it is given by name.
        lines: what it does before it makes the records.
        loops: what runs beside the rows, as names of variables and of their sources.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.lines: list[str] = []
        self.loops: list[tuple[str, str]] = []

    def give(self, value: Any) -> str:
        """Return the name of a value that the function is given."""
        name = f"n{len(self.names)}"
        self.names[name] = value
        return name

    def text(self) -> str:
        """Return the function's text; it is made of numbers and of quoted names of fields."""
        return "\n    ".join(["def build(rows, reading):", *self.lines])


def builder_of(shape: "Shape") -> Builder:
    """Return what makes the records of a shape, of rows that are not nested in themselves."""
    writing = _Writing()
    display = _display(shape, writing)
    variables = ", ".join(["r", *(name for name, _ in writing.loops)])
    sources = ", ".join(["rows", *(source for _, source in writing.loops)])
    each = f"{variables} in zip({sources}, strict=True)" if writing.loops else "r in rows"
    writing.lines.append(f"return [{display} for {each}]")
    found: dict[str, Any] = {}
    exec(writing.text(), writing.names, found)  # noqa: S102 - text of our own, see above
    made: Builder = found["build"]
    return made


def _display(shape: "Shape", writing: _Writing) -> str:
    """Return the text of a record, and write what has to be read before."""
    cells: dict[str, str] = dict.fromkeys(shape.outputs, "None")
    for column in shape.columns:
        value = f"r[{column.index}]"
        if column.convert is not None:
            name = writing.give(column.convert)
            value = f"None if (v := {value}) is None else {name}(v)"
        cells[column.output] = value
    for part in shape.parts:
        written = part.written(writing)
        if written is not None:
            cells[part.outputs[0]] = written
            continue
        name = writing.give(part)
        number = len(writing.loops)
        writing.lines.append(f"v{number} = {name}.values(rows, reading, None)")
        writing.loops.append((f"t{number}", f"v{number}"))
        for index, output in enumerate(part.outputs):
            cells[output] = f"t{number}[{index}]"
    return "{" + ", ".join(f"{name!r}: {text}" for name, text in cells.items()) + "}"


def write_single(shape: "Shape", key: int, writing: Any) -> str | None:
    """Return the text of a record made of other columns; None when it has to be finished."""
    if shape.hidden or shape.finish is not None or shape.own is not None:
        return None
    return f"None if r[{key}] is None else {_display(shape, writing)}"


def write_many(related: Any, key: int, writing: Any) -> str:
    """Return the text of the related records of a row, which are read for all rows before."""
    name = writing.give(related)
    writing.lines.append(f"{name}_found = {name}.gather([r[{key}] for r in rows], reading)")
    return f"{name}_found.get(r[{key}]) or []"
