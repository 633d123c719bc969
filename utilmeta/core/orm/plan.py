"""Read plans: what a schema needs of the database, worked out once.

A plan is one statement for the columns of the model and of its single relations (by joins), and one
for each many relation (by the keys of the rows above it), however deep. The number of statements
depends on the schema alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Expression, F, Model, QuerySet
from django.db.models.expressions import BaseExpression

Row = Sequence[Any]
Record = dict[str, Any]

# Keys of one IN list; SQLite allows 32,766 parameters (SQLITE_MAX_VARIABLE_NUMBER).
MAX_KEYS = 30_000


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


@dataclass(frozen=True, slots=True)
class Single:
    """A record made of other columns of the same row.

    Attributes:
        output: its name in the record.
        key: place of the related row's key, whose None means that there is no such row.
        shape: what the record is made of.
    """

    output: str
    key: int
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Many:
    """Records, or plain values, of another statement, gathered by a key of this row.

    Attributes:
        output: its name in the record.
        key: place of the key in the row.
        related: reads them.
        single: whether there is at most one, which then stands for itself.
    """

    output: str
    key: int
    related: "Related"
    single: bool = False


@dataclass(slots=True)
class Shape:
    """What a record is made of.

    Attributes:
        outputs: names of the record's members, in the order they were declared.
        columns: values of the row.
        singles: records of joined columns.
        many: what other statements give.
    """

    outputs: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    singles: list[Single] = field(default_factory=list)
    many: list[Many] = field(default_factory=list)

    def all_many(self) -> Iterator[Many]:
        """Yield what other statements give, here and in joined records."""
        yield from self.many
        for single in self.singles:
            yield from single.shape.all_many()


@dataclass(slots=True)
class Selection:
    """The columns and annotations of one statement, each once.

    Attributes:
        names: ORM names, in order.
        annotations: expressions by the name they are selected as.
    """

    names: list[str] = field(default_factory=list)
    annotations: dict[str, BaseExpression] = field(default_factory=dict)

    def column(self, name: str) -> int:
        """Return the place of a column, which is added when it is new."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def expression(self, label: str, expression: BaseExpression) -> int:
        """Return the place of an expression."""
        name = f"_utilmeta_{label}"
        self.annotations[name] = expression
        return self.column(name)

    def rows(self, queryset: "QuerySet[Any]") -> list[Row]:
        """Return the rows of a queryset."""
        if self.annotations:
            queryset = queryset.annotate(**self.annotations)
        rows: list[Row] = list(queryset.values_list(*self.names))
        return rows


@dataclass(slots=True, kw_only=True)
class Related:
    """One statement for the related rows of many rows at once.

    Attributes:
        queryset: makes the queryset, given the keys.
        label: place of the key by which the rows are gathered.
        selection: what is selected.
        shape: what each record is made of; None for plain values.
        value: place of the plain value.
    """

    queryset: Callable[[Sequence[Any], str | None], "QuerySet[Any]"]
    label: int
    selection: Selection
    shape: Shape | None
    value: int = 0

    def gather(self, keys: Iterable[Any], using: str | None) -> dict[Any, list[Any]]:
        """Return the records, or values, by the key of the row they belong to."""
        wanted = list(dict.fromkeys(key for key in keys if key is not None))
        rows: list[Row] = []
        for start in range(0, len(wanted), MAX_KEYS):
            rows += self.selection.rows(self.queryset(wanted[start : start + MAX_KEYS], using))
        if self.shape is None:
            items = [row[self.value] for row in rows]
        else:
            items = build(self.shape, rows, using)
        found: dict[Any, list[Any]] = {}
        for row, item in zip(rows, items, strict=True):
            found.setdefault(row[self.label], []).append(item)
        return found


@dataclass(slots=True, kw_only=True)
class Plan:
    """How a schema reads its model.

    Attributes:
        model: the Django model.
        selection: columns and annotations of the first statement.
        shape: what each record is made of.
        key: place of the primary key.
    """

    model: type[Model]
    selection: Selection
    shape: Shape
    key: int

    @property
    def queries(self) -> int:
        """How many statements a read takes, whatever the number of rows."""
        return 1 + _count(self.shape)

    @property
    def columns(self) -> tuple[str, ...]:
        """ORM names that the first statement selects."""
        return tuple(self.selection.names)

    def read(self, queryset: "QuerySet[Any]") -> tuple[list[Record], list[Any]]:
        """Return the records of a queryset and their keys, in its order."""
        # Relations come from the database the rows come from; a router may choose anew each time.
        using = queryset.db
        rows = self.selection.rows(queryset.using(using))
        return build(self.shape, rows, using), [row[self.key] for row in rows]


def build(shape: Shape, rows: list[Row], using: str | None) -> list[Record]:
    """Return a record for each row, with what other statements give."""
    gathered = {
        id(many): many.related.gather((row[many.key] for row in rows), using) if rows else {}
        for many in shape.all_many()
    }
    return [_record(shape, row, gathered) for row in rows]


def _record(shape: Shape, row: Row, gathered: dict[int, dict[Any, list[Any]]]) -> Record:
    record: Record = dict.fromkeys(shape.outputs)
    for column in shape.columns:
        value = row[column.index]
        if column.convert is not None and value is not None:
            value = column.convert(value)
        record[column.output] = value
    for single in shape.singles:
        absent = row[single.key] is None
        record[single.output] = None if absent else _record(single.shape, row, gathered)
    for many in shape.many:
        items = gathered[id(many)].get(row[many.key], [])
        record[many.output] = (items[0] if items else None) if many.single else items
    return record


def _count(shape: Shape) -> int:
    return sum(
        1 + (_count(many.related.shape) if many.related.shape is not None else 0)
        for many in shape.all_many()
    )


def has_references(expression: Any) -> bool:
    """Return whether an expression names columns, so that it only holds for its own model."""
    if isinstance(expression, F | str):
        return True
    if not isinstance(expression, Expression):
        return True
    return any(
        has_references(item) for item in expression.get_source_expressions() if item is not None
    )
