"""What a plan will ask of the database, for people: statements with their SQL."""

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connections, router
from django.db.models import QuerySet

from utilmeta.core.orm.read.parts import Function, Properties
from utilmeta.core.orm.read.records import Shape
from utilmeta.core.request.current import using_sample

if TYPE_CHECKING:
    from utilmeta.core.orm.read.plan import Plan, Related

# Values that keys of one kind or another can have.
_SAMPLES = (0, uuid.UUID(int=0), datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC), "key")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a plan.

    Attributes:
        reads: the schema or the field it is for.
        columns: ORM names of what it selects.
        sql: its text, with placeholders of the driver.
        repeated: whether it is sent once for each level of a schema that nests itself.
    """

    reads: str
    columns: tuple[str, ...]
    sql: str
    repeated: bool = False


def statements_of(plan: "Plan") -> list[Statement]:
    """Return the statements of a plan, the first one first."""
    using = router.db_for_read(plan.model)
    first = plan.selection.select(plan.model._default_manager.using(using))
    found = [Statement(plan.schema.__name__, plan.columns, _sql(first, using))]
    found += _below(plan.shape, using, set(), frozenset())
    return found


def _below(
    shape: Shape, using: str, seen: set[int], repeated: frozenset[int]
) -> Iterator[Statement]:
    for part in shape.parts:
        if isinstance(part, Properties):
            rows = part.queryset().filter(pk__in=[_sample(part.model._meta.pk)])
            columns = tuple(field.name for field in part.model._meta.concrete_fields)
            yield Statement(f"{part.where}: {', '.join(part.names)}", columns, _sql(rows, using))
        for inner in part.inner():
            if isinstance(inner, Shape):
                yield from _below(inner, using, seen, repeated)
            elif id(inner) not in seen:
                seen.add(id(inner))
                yield _related(inner, using)
                if inner.shape is not None:
                    yield from _below(inner.shape, using, seen, repeated)


def _related(related: "Related", using: str) -> Statement:
    selection = related.selection
    rows = related.queryset([_sample(related.key)], using)
    loops = _contains(related.shape, related, set())
    return Statement(
        related.where, tuple(selection.names), _sql(selection.select(rows), using), repeated=loops
    )


def _contains(shape: Shape | None, wanted: "Related", seen: set[int]) -> bool:
    if shape is None or id(shape) in seen:
        return False
    seen.add(id(shape))
    return any(
        inner is wanted
        or _contains(inner if isinstance(inner, Shape) else inner.shape, wanted, seen)
        for part in shape.parts
        for inner in part.inner()
    )


def _sample(field: Any) -> Any:
    while getattr(field, "is_relation", False) and hasattr(field, "target_field"):
        field = field.target_field
    for value in _SAMPLES:
        try:
            return field.to_python(value)
        except (ValidationError, TypeError, ValueError):
            continue
    return None


def _sql(queryset: "QuerySet[Any]", using: str) -> str:
    with using_sample():
        try:
            compiler = queryset.query.get_compiler(connection=connections[using])
            sql: str = compiler.as_sql()[0]
        except EmptyResultSet:
            return "-- nothing is sent: no row can fit"
    return sql


def describe(plan: "Plan") -> str:
    """Return a plan as text: statements, what each is for, its columns and SQL."""
    statements = statements_of(plan)
    repeated = any(item.repeated for item in statements)
    number = f"{len(statements)} statement{'s' if len(statements) != 1 else ''}"
    head = f"{plan.schema.__name__} reads {plan.model.__name__} in {number}"
    lines = [head + (", those marked * once for each level" if repeated else "")]
    for index, item in enumerate(statements, 1):
        lines.append(f"{index}.{'*' if item.repeated else ' '} {item.reads}: {_columns(item)}")
        lines.append(f"    {item.sql}")
    lines += [
        f"+   {name}: a Python function, whose own statements are not counted"
        for name in _functions(plan.shape, set())
    ]
    return "\n".join(lines)


def _columns(item: Statement) -> str:
    return ", ".join(name.removeprefix("_utilmeta_") for name in item.columns)


def _functions(shape: Shape, seen: set[int]) -> Iterator[str]:
    if id(shape) in seen:
        return
    seen.add(id(shape))
    for part in shape.parts:
        if isinstance(part, Function):
            yield part.where
        for inner in part.inner():
            below = inner if isinstance(inner, Shape) else inner.shape
            if below is not None:
                yield from _functions(below, seen)
