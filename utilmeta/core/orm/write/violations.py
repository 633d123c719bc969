"""Which field a database's refusal is about: one reading of errors for each engine."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, connections
from django.db.models import F, Model, ProtectedError, Q, RestrictedError

from utilmeta.core.orm.expressions import parts_of
from utilmeta.core.orm.write.plan import WritePlan
from utilmeta.core.orm.write.values import Fault, fault
from utilmeta.utils.exceptions import BadRequest, Conflict, ServiceUnavailable

UNIQUE, FOREIGN, CHECK, NULL = "unique", "foreign_key", "check", "null"
_TEXTS = {
    UNIQUE: "a value that no other row has",
    FOREIGN: "the key of a row that exists",
    CHECK: "a value that the model's constraint admits",
    NULL: "Value should not be null",
}

# SQLSTATE classes of PostgreSQL (appendix A).
_STATES = {"23505": UNIQUE, "23503": FOREIGN, "23514": CHECK, "23502": NULL, "23P01": UNIQUE}
# Error numbers of MySQL and MariaDB.
_NUMBERS = {
    1062: UNIQUE,
    1586: UNIQUE,
    1452: FOREIGN,
    1216: FOREIGN,
    1451: FOREIGN,
    1217: FOREIGN,
    3819: CHECK,
    4025: CHECK,
    1048: NULL,
    1364: NULL,
}
_DETAIL = re.compile(r"Key \((.*?)\)=")
_QUOTED = re.compile(r"[`']([^`']+)[`']")


@dataclass(frozen=True, slots=True)
class Violation:
    """What a database refused.

    Attributes:
        kind: `unique`, `foreign_key`, `check` or `null`; empty when it cannot be told.
        name: name of the constraint; empty when it is not told.
        columns: names of columns; none when they are not told.
    """

    kind: str
    name: str = ""
    columns: tuple[str, ...] = ()


@contextlib.contextmanager
def refusals(plan: WritePlan, alias: str, place: str = "") -> Iterator[None]:
    """Answer 400, naming the fields, for what the database refuses in the block.

    Args:
        plan: what is written.
        alias: the database.
        place: where in the request it stands, such as `comments.`.

    Raises:
        BadRequest: the database refused a value.
        Conflict: a row that would be deleted is needed by others.
        ServiceUnavailable: others write the same rows, and one of them had to give up.
    """
    try:
        yield
    except (ProtectedError, RestrictedError) as exc:
        raise Conflict("Other rows still need a row that would be deleted") from exc
    except OperationalError as exc:
        if not lost_a_race(exc):
            raise
        raise busy() from exc
    except IntegrityError as exc:
        violation = read_violation(exc, alias)
        errors = faults_of(violation, plan, alias, place)
        raise BadRequest("The request is invalid", errors=errors) from exc
    except DataError as exc:
        errors = [fault(place.rstrip(".") or "body", "value", "values that their columns take")]
        raise BadRequest("The request is invalid", errors=errors) from exc


def lost_a_race(error: OperationalError) -> bool:
    """Return whether a statement was given up for another transaction: a deadlock, or a lock."""
    cause: Any = error.__cause__
    state = getattr(cause, "sqlstate", None)
    # PostgreSQL: deadlock, serialization failure, lock not available; MySQL: lock wait, deadlock.
    if state in {"40P01", "40001", "55P03"} or (error.args and error.args[0] in {1205, 1213}):
        return True
    # SQLITE_BUSY and SQLITE_LOCKED.
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in {5, 6}


@contextlib.contextmanager
def answered(alias: str) -> Iterator[None]:
    """Answer for what the database refuses in the block, without knowing what is written.

    Raises:
        BadRequest: it refused a value.
        ServiceUnavailable: others write the same rows, and one of them had to give up.
    """
    try:
        yield
    except IntegrityError as exc:
        raise refusal(exc, alias) from exc
    except OperationalError as exc:
        if not lost_a_race(exc):
            raise
        raise busy() from exc


def busy() -> ServiceUnavailable:
    """Return the answer to one of several that write the same rows, who had to give up."""
    text = "Others write the same rows at the moment; try again"
    return ServiceUnavailable(text, headers={"Retry-After": "1"})


def refusal(error: IntegrityError, alias: str) -> BadRequest:
    """Return the answer to a refusal of which nothing more is known than what the engine says."""
    violation = read_violation(error, alias)
    text = _TEXTS.get(violation.kind, "values that go together")
    places = violation.columns or ("body",)
    faults = [fault(place, violation.kind or "constraint", text) for place in places]
    return BadRequest("The request is invalid", errors=faults)


def read_violation(error: IntegrityError, alias: str) -> Violation:
    """Return what an engine's error says."""
    vendor = connections[alias].vendor
    if vendor == "postgresql":
        return _postgresql(error)
    if vendor == "mysql":
        return _mysql(error)
    return _sqlite(error) if vendor == "sqlite" else Violation("")


def _postgresql(error: IntegrityError) -> Violation:
    cause: Any = error.__cause__
    diag = getattr(cause, "diag", None)
    if diag is None:
        return Violation("")
    kind = _STATES.get(diag.sqlstate or "", "")
    if kind == NULL:
        return Violation(kind, "", (diag.column_name,))
    found = _DETAIL.search(diag.message_detail or "")
    columns = tuple(part.strip('" ') for part in found[1].split(",")) if found else ()
    return Violation(kind, diag.constraint_name or "", columns)


def _mysql(error: IntegrityError) -> Violation:
    number, text = (*error.args, 0, "")[:2]
    kind = _NUMBERS.get(number, "")
    quoted = _QUOTED.findall(str(text))
    if kind == NULL:
        return Violation(kind, "", tuple(quoted[:1]))
    if kind == FOREIGN:
        column = re.search(r"FOREIGN KEY \(`([^`]+)`\)", str(text))
        return Violation(kind, "", (column[1],) if column else ())
    if kind == UNIQUE and quoted:
        # Some versions put the table before the key.
        return Violation(kind, str(text).rstrip("'\"").rpartition("'")[2].rpartition(".")[2])
    return Violation(kind, quoted[0] if quoted else "")


def _sqlite(error: IntegrityError) -> Violation:
    head, _, rest = str(error).partition(" constraint failed")
    kind = {"UNIQUE": UNIQUE, "FOREIGN KEY": FOREIGN, "CHECK": CHECK, "NOT NULL": NULL}.get(
        head, ""
    )
    rest = rest.removeprefix(": ")
    if kind == CHECK:
        return Violation(kind, rest)
    if rest.startswith("index "):
        return Violation(kind, rest.removeprefix("index ").strip("'"))
    columns = tuple(part.strip().rpartition(".")[2] for part in rest.split(",") if part.strip())
    return Violation(kind, "", columns)


def faults_of(violation: Violation, plan: WritePlan, alias: str, place: str) -> list[Fault]:
    """Return a violation as faults of the schema's fields."""
    text = _TEXTS.get(violation.kind, "values that go together")
    constraint = _constraint(plan.model, violation.name)
    columns = violation.columns
    if constraint is not None:
        text = str(constraint.get_violation_error_message()) if _has_text(constraint) else text
        columns = tuple(getattr(constraint, "fields", ())) or columns
    elif violation.name and not columns and connections[alias].vendor == "mysql":
        columns = _columns_of(plan.model, violation.name, alias)
    if place and not place.endswith("."):
        place += "."
    names = [wire for column in columns if (wire := _wire(plan, column)) is not None]
    if constraint is not None and not names:
        fields = [*_fields_in(constraint), *_fields_of_expressions(constraint)]
        names = [wire for name in fields if (wire := _wire(plan, name)) is not None]
    places = [f"{place}{name}" for name in names] or [place.rstrip(".") or "body"]
    return [fault(item, violation.kind or "constraint", text) for item in places]


def _has_text(constraint: Any) -> bool:
    return bool(constraint.violation_error_message != constraint.default_violation_error_message)


def _constraint(model: type[Model], name: str) -> Any:
    if not name:
        return None
    models = [model, *model._meta.get_parent_list()]
    found = (item for owner in models for item in owner._meta.constraints if item.name == name)
    return next(found, None)


def _fields_in(constraint: Any) -> list[str]:
    """Return the fields that a check constraint compares."""
    condition = getattr(constraint, "condition", None)
    return list(dict.fromkeys(_names_in(condition))) if isinstance(condition, Q) else []


def _fields_of_expressions(constraint: Any) -> list[str]:
    """Return the fields in the expressions that a unique constraint is over."""
    found: list[str] = []
    for expression in getattr(constraint, "expressions", ()):
        for part in parts_of(expression):
            name = getattr(part, "name", None)
            if isinstance(part, F) and isinstance(name, str):
                found.append(name.partition("__")[0])
    return list(dict.fromkeys(found))


def _names_in(condition: Q) -> Iterator[str]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from _names_in(child)
        elif isinstance(child, tuple):
            yield child[0].partition("__")[0]


def _columns_of(model: type[Model], name: str, alias: str) -> tuple[str, ...]:
    """Return the columns of an index, asked of the database where its name does not tell them."""
    columns = {field.column for field in model._meta.concrete_fields}
    if name in columns:
        return (name,)
    if name == "PRIMARY":
        return (str(model._meta.pk.column),)
    connection = connections[alias]
    with connection.cursor() as cursor:
        for owner in (model, *model._meta.get_parent_list()):
            found = connection.introspection.get_constraints(cursor, owner._meta.db_table)
            if name in found:
                return tuple(found[name]["columns"])
    return ()


def _wire(plan: WritePlan, name: str) -> str | None:
    """Return the JSON name of a field or column; None for what is neither."""
    for field in plan.model._meta.get_fields():
        if getattr(field, "concrete", False) and name in (field.name, getattr(field, "column", "")):
            return plan.wire_of(field)
    return None
