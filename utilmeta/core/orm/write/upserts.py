"""Rows that are found by other unique fields than their key, and updated where they are there."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django.db import connections
from pydantic_core import MISSING

from utilmeta.core.orm.write.checks import unique_sets
from utilmeta.core.orm.write.plan import WritePlan
from utilmeta.core.orm.write.statements import for_update
from utilmeta.core.orm.write.values import Item, as_column
from utilmeta.utils.exceptions import ConfigError


def find_upserts(plan: WritePlan, items: list[Item], names: Sequence[str], alias: str) -> list[str]:
    """Give rows the key of the row that has the same values of some fields, which they update.

    Returns:
        the attributes of the fields.

    Raises:
        ConfigError: the fields are not among those written, or are not unique together.
    """
    by_name = {column.name: column for column in (*plan.columns, *plan.keys)}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ConfigError(
            f"{plan.schema.__name__}: upsert_on={list(names)} names {unknown[0]!r}, which is not "
            "written"
        )
    columns = [by_name[name] for name in names]
    fields = {column.column.name for column in columns}
    if not any(set(group) <= fields for group in unique_sets(plan.model)):
        raise ConfigError(
            f"{plan.schema.__name__}: upsert_on={list(names)}: several rows may have the same "
            "values; name fields that are unique, alone or together"
        )
    attributes = [column.column.attname for column in columns]
    wanted: dict[tuple[Any, ...], list[Item]] = {}
    for item in items:
        held = [item.instance.__dict__.get(column.name, MISSING) for column in columns]
        if item.key is None and not any(value is MISSING or value is None for value in held):
            values = tuple(
                as_column(column.column, value) for column, value in zip(columns, held, strict=True)
            )
            wanted.setdefault(values, []).append(item)
    if not wanted:
        return attributes
    condition = {
        f"{name}__in": list(dict.fromkeys(values[index] for values in wanted))
        for index, name in enumerate(attributes)
    }
    manager: Any = plan.model._base_manager
    # In an order, so that two that lock the same rows do not wait for each other.
    rows = for_update(manager.using(alias).filter(**condition).order_by("pk"), alias)
    for key, *found in rows.values_list("pk", *attributes):
        for item in _holders(wanted, tuple(found), connections[alias].vendor):
            item.key, item.found = key, True
    return attributes


def _holders(
    wanted: dict[tuple[Any, ...], list[Item]], found: tuple[Any, ...], vendor: str
) -> list[Item]:
    """Return the rows with the values of a row that the database found for them."""
    if found in wanted or vendor != "mysql":
        return wanted.get(found, [])
    # Its usual collations take letters for equal that differ in case or accents.
    folded = _folded(found)
    return [item for values, items in wanted.items() if _folded(values) == folded for item in items]


def _folded(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_fold(value) if isinstance(value, str) else value for value in values)


def _fold(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold().rstrip()
