"""Read plans: what a schema needs of the database, worked out once.

A plan is one statement for the columns of the model and of its single relations (by joins), and one
for each many relation (by the keys of the rows above it), however deep. The number of statements
depends on the schema alone; a schema that nests itself takes its statements once for each level.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Model, QuerySet

from utilmeta.core.orm.read.builders import write_many, write_single
from utilmeta.core.orm.read.records import Path, Reading, Record, Shape, build
from utilmeta.core.orm.read.selection import Row, Selection
from utilmeta.core.orm.relations import RowMaker

# Keys of one IN list; SQLite allows 32,766 parameters (SQLITE_MAX_VARIABLE_NUMBER).
MAX_KEYS = 30_000


def in_batches(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield different keys, as many as one statement takes."""
    different = dict.fromkeys(keys)
    different.pop(None, None)
    wanted = list(different)
    for start in range(0, len(wanted), MAX_KEYS):
        yield wanted[start : start + MAX_KEYS]


@dataclass(frozen=True, slots=True)
class Single:
    """A record made of other columns of the same row.

    Attributes:
        outputs: its name in the record.
        key: place of the related row's key, whose None means that there is no such row.
        shape: what the record is made of.
    """

    outputs: tuple[str, ...]
    key: int
    shape: Shape

    def values(
        self, rows: list[Row], reading: Reading, paths: list[Path] | None
    ) -> Iterable[tuple[Any, ...]]:
        """Return the record of each row, None where there is none or it would be in itself."""
        key, own, schema = self.key, self.shape.own, self.shape.schema
        there = [index for index, row in enumerate(rows) if row[key] is not None]
        if paths is not None and own is not None:
            there = [index for index in there if (schema, rows[index][own]) not in paths[index]]
        inner = None if paths is None else [paths[index] for index in there]
        made = build(self.shape, [rows[index] for index in there], reading, inner)
        found: list[tuple[Any, ...]] = [(None,)] * len(rows)
        for index, record in zip(there, made, strict=True):
            found[index] = (record,)
        return found

    def written(self, writing: Any) -> str | None:
        """Return the text of the record."""
        return write_single(self.shape, self.key, writing)

    def inner(self) -> "Iterator[Related | Shape]":
        """Yield the shape."""
        yield self.shape


@dataclass(frozen=True, slots=True)
class Many:
    """Records, or plain values, of another statement, gathered by a key of this row.

    Attributes:
        outputs: its name in the record.
        key: place of the key in the row.
        related: reads them.
        single: whether there is at most one, which then stands for itself.
    """

    outputs: tuple[str, ...]
    key: int
    related: "Related"
    single: bool = False

    def values(
        self, rows: list[Row], reading: Reading, paths: list[Path] | None
    ) -> Iterable[tuple[Any, ...]]:
        """Return the list of each row, or its only item."""
        keys = [row[self.key] for row in rows]
        if paths is None:
            found = self.related.gather(keys, reading)
            lists = [found.get(key) or [] for key in keys]
        else:
            lists = self.related.gather_paths(list(zip(keys, paths, strict=True)), reading)
        if self.single:
            return [(items[0] if items else None,) for items in lists]
        return [(items,) for items in lists]

    def written(self, writing: Any) -> str | None:
        """Return the text of the list; None for an only item."""
        return None if self.single else write_many(self.related, self.key, writing)

    def inner(self) -> "Iterator[Related | Shape]":
        """Yield the statement."""
        yield self.related


@dataclass(slots=True, kw_only=True)
class Related:
    """One statement for the related rows of many rows at once.

    Attributes:
        where: the schema's field it is for.
        queryset: makes the queryset, given the keys.
        label: place of the key by which the rows are gathered.
        key: the field that the keys are of.
        selection: what is selected.
        shape: what each record is made of; None for plain values.
        value: place of the plain value.
        convert: makes the declared type of a plain value; None where they agree.
        static: whether the queryset is the same each time but for the keys.
    """

    where: str
    queryset: RowMaker
    label: int
    key: Any
    selection: Selection
    shape: Shape | None = None
    value: int = 0
    convert: Callable[[Any], Any] | None = None
    static: bool = False

    def _rows(self, keys: Iterable[Any], using: str | None) -> list[Row]:
        rows: list[Row] = []
        for some in in_batches(keys):
            if self.static and using is not None:
                rows += self.selection.rows_of(self.queryset, self.key, some, using)
            else:
                rows += self.selection.rows(self.queryset(some, using))
        return rows

    def gather(self, keys: Iterable[Any], reading: Reading) -> dict[Any, list[Any]]:
        """Return the records, or values, by the key of the row they belong to."""
        rows = self._rows(keys, reading.using)
        found: dict[Any, list[Any]] = defaultdict(list)
        label, value, convert = self.label, self.value, self.convert
        if self.shape is not None:
            for row, item in zip(rows, build(self.shape, rows, reading, None), strict=True):
                found[row[label]].append(item)
        elif convert is None:
            for row in rows:
                found[row[label]].append(row[value])
        else:
            for row in rows:
                plain = row[value]
                found[row[label]].append(None if plain is None else convert(plain))
        return found

    def gather_paths(self, wanted: list[tuple[Any, Path]], reading: Reading) -> list[list[Any]]:
        """Return the records of each key, without those that the key's own row is nested in."""
        shape = self.shape
        if shape is None:
            found = self.gather([key for key, _ in wanted], reading)
            return [found.get(key) or [] for key, _ in wanted]
        by_key: dict[Any, list[Row]] = {}
        for row in self._rows([key for key, _ in wanted], reading.using):
            by_key.setdefault(row[self.label], []).append(row)
        spans: list[int] = []
        rows: list[Row] = []
        paths: list[Path] = []
        for key, path in wanted:
            mine = [
                row
                for row in by_key.get(key, ())
                if shape.own is None or (shape.schema, row[shape.own]) not in path
            ]
            spans.append(len(mine))
            rows += mine
            paths += [path] * len(mine)
        reading.count(len(rows))
        made = iter(build(shape, rows, reading, paths))
        return [[next(made) for _ in range(span)] for span in spans]


@dataclass(slots=True, kw_only=True)
class Plan:
    """How a schema reads its model.

    Attributes:
        schema: the schema.
        model: the Django model.
        selection: columns and annotations of the first statement.
        shape: what each record is made of.
        key: place of the primary key.
        recursive: whether the schema nests itself.
        static: whether the manager's rows are the same each time.
    """

    schema: Any
    model: type[Model]
    selection: Selection
    shape: Shape
    key: int
    recursive: bool = False
    static: bool = False

    @property
    def queries(self) -> int:
        """How many statements a read takes, whatever the number of rows.

        Those of a schema that nests itself are counted once; each further level repeats them.
        """
        return len(self.statements)

    @property
    def statements(self) -> "list[Any]":
        """The statements, the first one first, with their SQL."""
        from utilmeta.core.orm.read.report import statements_of

        return statements_of(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """ORM names that the first statement selects."""
        return tuple(self.selection.names)

    def __str__(self) -> str:
        """Return all statements with their SQL, for people."""
        from utilmeta.core.orm.read.report import describe

        return describe(self)

    def read(self, queryset: "QuerySet[Any]") -> tuple[list[Record], list[Any]]:
        """Return the records of a queryset and their keys, in its order."""
        # Relations come from the database the rows come from; a router may choose anew each time.
        using = queryset.db
        return self._built(self.selection.rows(queryset.using(using)), using)

    def read_keys(self, keys: Sequence[Any], using: str | None) -> tuple[list[Record], list[Any]]:
        """Return the records of some keys, and the keys, in no order.

        Args:
            keys: at least one, and no more than one statement takes.
            using: alias of the database; None asks the routers.
        """
        model: Any = self.model
        manager = model._default_manager
        if not self.static:
            rows = manager.all() if using is None else manager.using(using)
            return self.read(rows.filter(pk__in=keys).order_by())
        home = using or manager.db

        def make(some: Any, alias: str | None) -> "QuerySet[Any]":
            found: QuerySet[Any] = manager.using(alias).filter(pk__in=some).order_by()
            return found

        return self._built(self.selection.rows_of(make, model._meta.pk, keys, home), home)

    def read_with(
        self, queryset: "QuerySet[Any]", extra: Sequence[str], limit: int
    ) -> tuple[list[Record], list[Any], list[Row]]:
        """Return the first records of a queryset and their keys, and further values of all rows.

        Args:
            queryset: the rows.
            extra: names of further values.
            limit: how many records are made.
        """
        using = queryset.db
        selected = self.selection.select(
            queryset.using(using).annotate(**{f"{name}_value": F(name) for name in extra}),
            [f"{name}_value" for name in extra],
        )
        rows: list[Row] = list(selected)
        width = len(self.selection.names)
        records, keys = self._built(rows[:limit], using)
        return records, keys, [row[width:] for row in rows]

    def _built(self, rows: list[Row], using: str) -> tuple[list[Record], list[Any]]:
        paths: list[Path] | None = [frozenset()] * len(rows) if self.recursive else None
        records = build(self.shape, rows, Reading(using), paths)
        key = self.key
        return records, [row[key] for row in rows]
