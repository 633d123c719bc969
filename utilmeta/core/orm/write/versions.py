"""Optimistic locking: an update of a row that was changed meanwhile is refused."""

import re
from typing import Any

from django.db import connections
from django.db.models import F
from pydantic_core import MISSING

from utilmeta.core.orm.errors import EmptyQueryset, UpdateFailed
from utilmeta.core.orm.write.plan import WritePlan
from utilmeta.core.orm.write.statements import for_update
from utilmeta.core.orm.write.values import Fault, Item, fault, refuse
from utilmeta.utils.exceptions import PreconditionFailed

# RFC 9110 section 13.1.1: `*`, or entity tags; weak ones never match. Columns have 64 bits.
_TAG = re.compile(r'(?<!W/)"([0-9]{1,19})"')


def expected_version(plan: WritePlan, item: Item, if_match: str | None) -> list[int] | None:
    """Return the versions that a row may have; None for any.

    Args:
        plan: what is written.
        item: the row.
        if_match: the header field of the request, before what the instance holds.

    Raises:
        BadRequest: neither says.
        PreconditionFailed: the header field names no version.
    """
    assert plan.version is not None  # noqa: S101 - the caller has looked
    if if_match is not None:
        if if_match.strip() == "*":
            return None
        found = [int(number) for number in _TAG.findall(if_match)[:20]]
        if not found:
            raise PreconditionFailed("The row has another version")
        return found
    held = item.instance.__dict__.get(plan.version.name, MISSING)
    if held is MISSING or held is None:
        place = f"{item.place}{plan.version.wire}"
        refuse([fault(place, "missing", "the version that is changed, or If-Match")])
    return [held]


def bump(
    plan: WritePlan, item: Item, alias: str, expected: list[int] | None, *, by_header: bool
) -> None:
    """Count an update, which locks the row, unless the row has another version.

    Raises:
        UpdateFailed: it has (409).
        PreconditionFailed: it has, and a header field said which it should (412).
        EmptyQueryset: there is no such row (404).
    """
    assert plan.version is not None  # noqa: S101 - the caller has looked
    column = plan.version.column
    manager: Any = plan.model._base_manager
    row = manager.using(alias).filter(pk=item.key)
    limits = connections[alias].ops.integer_field_range(column.get_internal_type())
    fitting = [
        number for number in expected or () if limits[0] is None or limits[0] <= number <= limits[1]
    ]
    wanted = row if expected is None else row.filter(**{f"{column.name}__in": fitting})
    if not wanted.update(**{column.name: F(column.name) + 1}):
        if not row.exists():
            raise EmptyQueryset(f"{plan.model._meta.verbose_name} not found")
        if by_header:
            raise PreconditionFailed("The row was changed meanwhile; read it again")
        raise UpdateFailed("The row was changed meanwhile; read it again")
    if expected is not None and len(expected) == 1:
        item.version = expected[0] + 1
    else:
        item.version = row.values_list(column.name, flat=True).get()


def first_version(plan: WritePlan, item: Item) -> None:
    """Give a new row its first version."""
    if plan.version is not None:
        column = plan.version.column
        default = column.get_default() if column.has_default() else None
        item.values[column.attname] = 1 if default is None else default


def lock_versions(plan: WritePlan, items: list[Item], alias: str) -> dict[Any, int] | None:
    """Return the versions of rows by key, locked; None for models without versions.

    Rows that are written get their next version.

    Raises:
        UpdateFailed: some rows have another version than is expected (409).
    """
    if plan.version is None:
        return None
    column = plan.version.column
    manager: Any = plan.model._base_manager
    rows = manager.using(alias).filter(pk__in=[item.key for item in items]).order_by("pk")
    faults: list[Fault] = []
    rows = for_update(rows, alias)
    found: dict[Any, int] = dict(rows.values_list("pk", column.name)) if items else {}
    for item in items:
        if item.key not in found:
            continue
        expected = item.instance.__dict__.get(plan.version.name, MISSING)
        if expected != found[item.key] and not (item.found and expected is MISSING):
            place = f"{item.place}{plan.version.wire}"
            got = None if expected is MISSING else expected
            faults.append(fault(place, "version", "the version that the row has now", got))
        item.values[column.attname] = found[item.key] + 1
    if faults:
        raise UpdateFailed("Rows were changed meanwhile; read them again", errors=faults[:100])
    return found
