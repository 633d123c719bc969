"""From a driver's rows to Python's values: a function written for the columns of one statement.

Source: django.db.models.sql.compiler.SQLCompiler.get_converters and apply_converters, of Django 5.2
and 6.1.
"""

import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

RowConverter = Callable[[list[Sequence[Any]], Any], list[Sequence[Any]]]
Convert = Callable[[Any], Any]
# Makes what converts one column's values, for a connection.
_Maker = Callable[[Any], Convert]

# Statements whose converters a connection keeps, and numbers to know the statements by.
MAX_KNOWN = 2048
_numbers = itertools.count()


def row_converter(
    converters: Mapping[int, tuple[Sequence[Any], Any]], width: int, connection: Any
) -> RowConverter | None:
    """Return what converts rows as Django does; None where there is nothing to convert.

    Args:
        converters: by the place of a column: its converters in order, and its expression.
        width: number of columns.
        connection: the one that the converters were asked of; they are asked of each anew.
    """
    if not converters:
        return None
    makers = {
        place: _maker(list(convs), expression, connection)
        for place, (convs, expression) in converters.items()
    }
    names = {place: f"c{place}" for place in makers}
    cells = ", ".join(
        f"{names[index]}(r[{index}])" if index in names else f"r[{index}]" for index in range(width)
    )
    source = f"lambda rows, {', '.join(names.values())}: [({cells},) for r in rows]"
    # Made of places alone: nothing of a project's is in the text.
    convert: Any = eval(source)  # noqa: S307

    number = next(_numbers)

    def rows(found: list[Sequence[Any]], used: Any) -> list[Sequence[Any]]:
        # Kept on the connection that they belong to.
        known = used.__dict__.setdefault("utilmeta_converters", {})
        steps = known.get((number, used.timezone))
        if steps is None:
            if len(known) >= MAX_KNOWN:
                known.clear()
            steps = known[number, used.timezone] = [make(used) for make in makers.values()]
        made: list[Sequence[Any]] = convert(found, *steps)
        return made

    return rows


def _maker(convs: list[Any], expression: Any, connection: Any) -> _Maker:
    operations = connection.ops
    # Methods of a connection's operations belong to that connection, which others must not use.
    steps = [
        (conv.__name__, True) if getattr(conv, "__self__", None) is operations else (conv, False)
        for conv in convs
    ]

    def make(used: Any) -> Convert:
        found = [getattr(used.ops, step) if is_own else step for step, is_own in steps]
        if len(found) == 1:
            quick = _quick(found[0], used)
            if quick is not None:
                return quick
            only = found[0]
            return lambda value: only(value, expression, used)

        def convert(value: Any) -> Any:
            for conv in found:
                value = conv(value, expression, used)
            return value

        return convert

    return make


def _quick(conv: Any, connection: Any) -> Convert | None:
    """Return what does the same as one of Django's converters in less time; None for others."""
    if connection.vendor != "sqlite":
        return None
    name = getattr(conv, "__name__", "")
    operations = type(conv.__self__) if hasattr(conv, "__self__") else None
    if name != "convert_datetimefield_value" or not _is_djangos(operations):
        return None
    from django.conf import settings

    if not settings.USE_TZ:
        return None
    # Adding to an aware moment is by the clock, and takes a quarter of the time of `replace`.
    naive = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 - the driver's are naive
    aware = naive.replace(tzinfo=connection.timezone)

    def moment(value: Any) -> Any:
        if value.__class__ is datetime.datetime and value.tzinfo is None and not value.fold:
            return aware + (value - naive)
        return conv(value, None, connection)

    return moment


def _is_djangos(operations: type | None) -> bool:
    from django.db.backends.sqlite3.operations import DatabaseOperations

    usual = DatabaseOperations.convert_datetimefield_value
    return getattr(operations, "convert_datetimefield_value", None) is usual
