"""Records, which rows become: what they are made of, and how."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from utilmeta.core.orm.read.builders import Builder, builder_of
from utilmeta.core.orm.read.selection import Row
from utilmeta.utils.exceptions import OrmError

Record = dict[str, Any]
# Rows above a row, as (schema, key): what a row must not be nested in again.
Path = frozenset[tuple[Any, Any]]

# Records that one read of a schema that nests itself may make; a mesh of rows has far more paths
# than rows.
MAX_NESTED = 100_000


@dataclass(slots=True)
class Reading:
    """One read.

    Attributes:
        using: alias of the database.
        nested: records made of schemas that nest themselves.
    """

    using: str | None
    nested: int = 0

    def count(self, records: int) -> None:
        """Count records of a schema that nests itself.

        Raises:
            OrmError: there are too many.
        """
        self.nested += records
        if self.nested > MAX_NESTED:
            raise OrmError(
                f"more than {MAX_NESTED} rows are nested in each other; give the inner level a "
                "schema of its own that ends there"
            )


class Part(Protocol):
    """What is added to the records of a shape from elsewhere than their own row."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what it adds."""

    def values(
        self, rows: list[Row], reading: Reading, paths: list[Path] | None, /
    ) -> Iterable[tuple[Any, ...]]:
        """Return the values of `outputs` for each row."""

    def inner(self) -> Iterator[Any]:
        """Yield the statements and shapes it is made of."""

    def written(self, writing: Any, /) -> str | None:
        """Return the text of its one output in a builder; None where `values` has to be asked."""


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the row itself.

    Attributes:
        output: its name in the record.
        index: its place in the row.
        convert: makes the declared type of what the database gives; None where they agree.
    """

    output: str
    index: int
    convert: Callable[[Any], Any] | None = None


@dataclass(slots=True)
class Shape:
    """What a record is made of.

    Attributes:
        schema: the schema.
        outputs: names of the record's members, in the order they were declared.
        hidden: those that answers leave out.
        columns: values of the row.
        parts: what comes from elsewhere.
        own: place of the row's key, for schemas that nest themselves.
        finish: adds to a record what Python computes, and returns what it has replaced.
        builder: makes the records, once it has been written.
    """

    schema: Any
    outputs: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    own: int | None = None
    finish: Callable[[Record], Record] | None = None
    builder: Builder | None = None


class HidingRecord(Record):
    """A record with values that answers leave out, or hold in another form.

    Attributes:
        hidden: the values by name.
    """

    __slots__ = ("hidden",)

    hidden: Record


def build(
    shape: Shape, rows: list[Row], reading: Reading, paths: list[Path] | None
) -> list[Record]:
    """Return a record for each row, with what other statements give."""
    if not rows:
        return []
    if paths is None:
        if shape.builder is None:
            shape.builder = builder_of(shape)
        records = shape.builder(rows, reading)
    else:
        records = _build_on_paths(shape, rows, reading, paths)
    return records if not (shape.hidden or shape.finish) else _finished(shape, records)


def _build_on_paths(
    shape: Shape, rows: list[Row], reading: Reading, paths: list[Path]
) -> list[Record]:
    """Return a record for each row of a schema that may be nested in itself."""
    records = [dict.fromkeys(shape.outputs) for _ in rows]
    for column in shape.columns:
        output, index, convert = column.output, column.index, column.convert
        for record, row in zip(records, rows, strict=True):
            value = row[index]
            record[output] = value if convert is None or value is None else convert(value)
    if shape.own is not None:
        own, schema = shape.own, shape.schema
        paths = [path | {(schema, row[own])} for path, row in zip(paths, rows, strict=True)]
    for part in shape.parts:
        for record, values in zip(records, part.values(rows, reading, paths), strict=True):
            record.update(zip(part.outputs, values, strict=True))
    return records


def _finished(shape: Shape, records: list[Record]) -> list[Record]:
    """Return the records with what Python computes, and without what answers leave out."""
    finished: list[Record] = []
    for record in records:
        # What serializers change stays as it was for instances.
        kept = {} if shape.finish is None else shape.finish(record)
        if not (kept or shape.hidden):
            finished.append(record)
            continue
        made = HidingRecord(record)
        made.hidden = {**{name: made.pop(name) for name in shape.hidden}, **kept}
        finished.append(made)
    return finished
