"""Rows written: one through the model's own `save`, many in a constant number of statements."""

import contextlib
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic
from django.db import connections, router, transaction
from django.db.models import F, QuerySet
from pydantic_core import MISSING

from utilmeta.core.orm.errors import EmptyQueryset, MissingPrimaryKey
from utilmeta.core.orm.read.reading import check_queryset, set_key
from utilmeta.core.orm.write.checks import check_references, check_unique, existing_keys
from utilmeta.core.orm.write.links import set_links
from utilmeta.core.orm.write.nested import write_after, write_before
from utilmeta.core.orm.write.plan import WritePlan, write_plan_of
from utilmeta.core.orm.write.statements import (
    insert,
    insert_row,
    locked,
    real_limits,
    touched,
    update,
    update_row,
)
from utilmeta.core.orm.write.upserts import find_upserts
from utilmeta.core.orm.write.values import (
    Fault,
    Item,
    fault,
    fill,
    holds_secret,
    item_of,
    refuse,
)
from utilmeta.core.orm.write.versions import bump, expected_version, first_version, lock_versions
from utilmeta.core.orm.write.violations import UNIQUE, refusals
from utilmeta.utils.exceptions import BadRequest, OrmError, ServiceUnavailable

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

S = TypeVar("S", bound="Schema[Any]")

# How often an upsert is tried, where others write the same rows at the same time; after how many
# seconds no more; and how many seconds are waited for others at most.
_ATTEMPTS = 10
_SECONDS = 3.0
_PAUSE = 0.05


def database_for(plan: WritePlan, using: str | None) -> str:
    """Return the alias of the database that is written to."""
    return using or router.db_for_write(plan.model)


def transaction_for(alias: str, *, wanted: bool) -> AbstractContextManager[Any]:
    """Return a transaction, or a savepoint of the one that is open; nothing when neither is needed.

    Without a savepoint a refused statement would spoil the transaction that is open.
    """
    needed = wanted or connections[alias].in_atomic_block
    return transaction.atomic(using=alias) if needed else contextlib.nullcontext()


def save_one(
    instance: "Schema[Any]",
    *,
    must_create: bool,
    must_update: bool,
    in_transaction: bool,
    using: str | None,
    if_match: str | None,
) -> None:
    """Write one row and what is nested in it; see `Schema.save`."""
    schema = type(instance)
    plan = write_plan_of(schema)
    alias = database_for(plan, using)
    mode = schema.__utilmeta_mode__
    if mode is not None and mode.writes:
        must_create = must_create or mode.letter == "a"
        must_update = must_update or mode.letter == "w"
    if must_create and must_update:
        raise OrmError(f"{schema.__name__}: a row cannot be created and updated at once")
    if if_match is not None and plan.version is None:
        raise OrmError(
            f"{schema.__name__}: if_match= needs a field that counts updates: version: int = "
            "orm.Field(version=True)"
        )
    item = item_of(plan, instance, "", alias)
    was_read: bool = instance.__pydantic_private__["_was_read"]  # type: ignore[index]
    if item.key is None and (must_update or (was_read and not must_create)):
        raise MissingPrimaryKey("It is not said which row is meant: its key is missing")
    # What is checked at the end of a transaction may fail there too.
    with (
        refusals(plan, alias),
        real_limits(alias),
        transaction_for(alias, wanted=in_transaction or not plan.is_single),
    ):
        item.creates = must_create or (
            not must_update
            and (item.key is None or not existing_keys(plan.model, [item.key], alias))
        )
        if item.creates and not must_create and item.key is not None and plan.makes_keys:
            # The database makes keys, so this one was of a row.
            raise EmptyQueryset(f"{plan.model._meta.verbose_name} not found")
        _write_one(plan, item, alias, if_match)
    _settle(plan, [item])


def _write_one(plan: WritePlan, item: Item, alias: str, if_match: str | None) -> None:
    faults: list[Fault] = []
    fill(plan, item, faults)
    check_references(plan, [item], alias, faults)
    refuse(faults)
    if not item.creates and plan.version is not None:
        expected = expected_version(plan, item, if_match)
        bump(plan, item, alias, expected, by_header=if_match is not None)
    write_before(plan, [item], alias)
    if item.creates:
        first_version(plan, item)
        insert_row(plan, item, alias)
    elif not update_row(plan.model, item, alias):
        raise EmptyQueryset(f"{plan.model._meta.verbose_name} not found")
    set_links(plan, [item], alias, may_be_linked=True)
    write_after(plan, [item], alias)


def save_many(
    schema: type[S],
    data: Iterable[Any],
    *,
    must_create: bool,
    must_update: bool,
    upsert_on: Sequence[str],
    using: str | None,
) -> list[S]:
    """Write many rows; see `Schema.bulk_save`."""
    plan = write_plan_of(schema)
    alias = database_for(plan, using)
    mode = schema.__utilmeta_mode__
    if mode is not None and mode.writes:
        must_create = must_create or (mode.letter == "a" and not upsert_on)
        must_update = must_update or mode.letter == "w"
    instances = validated(schema, data)
    if not instances:
        return []
    # In a transaction that was open before, the one that lost cannot go on.
    left = _ATTEMPTS if upsert_on and not connections[alias].in_atomic_block else 1
    until = time.monotonic() + _SECONDS
    known = -1
    while True:
        items = [
            item_of(plan, instance, f"{index}.", alias) for index, instance in enumerate(instances)
        ]
        left -= 1
        try:
            with refusals(plan, alias), real_limits(alias), transaction.atomic(using=alias):
                sort_by = find_upserts(plan, items, upsert_on, alias) if upsert_on else ()
                write_items(
                    plan,
                    items,
                    alias,
                    must_create=must_create,
                    must_update=must_update,
                    sort_by=sort_by,
                )
        except BadRequest as exc:
            # Another may have made a row meanwhile, which is then found the next time.
            there = sum(not item.creates for item in items)
            is_race = there > known and all(item["code"] == UNIQUE for item in exc.errors)
            if not (left and is_race):
                raise
            known = there
        except ServiceUnavailable:
            # One that has waited for a lock in vain has waited enough.
            if not left or time.monotonic() > until:
                raise
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - no secret
        else:
            _settle(plan, items)
            return instances


def validated(schema: type[S], data: Iterable[Any]) -> list[S]:
    """Return instances of a schema; dictionaries are validated, all of them before anything else.

    Raises:
        BadRequest: some are invalid; each fault says which.
    """
    found: list[S] = []
    faults: list[Fault] = []
    for index, given in enumerate(data):
        if isinstance(given, schema):
            found.append(given)
            continue
        try:
            found.append(schema.model_validate(given))
        except pydantic.ValidationError as exc:
            for error in exc.errors(include_url=False, include_context=False)[:100]:
                place = ".".join(map(str, (index, *error["loc"])))
                got = MISSING if error["type"] == "missing" else error["input"]
                # Messages of validators may quote the value.
                text = "a valid value" if holds_secret(place) else error["msg"]
                faults.append(fault(place, error["type"], text, got))
    refuse(faults[:100])
    return found


def write_items(
    plan: WritePlan,
    items: list[Item],
    alias: str,
    *,
    must_create: bool = False,
    must_update: bool = False,
    sort_by: Sequence[str] = (),
) -> None:
    """Write rows and what is nested in them, in a constant number of statements.

    Args:
        plan: what is written.
        items: the rows.
        alias: the database.
        must_create: refuse rows that exist.
        must_update: refuse rows that do not exist.
        sort_by: attributes by which new rows are sorted, so that two that insert the same rows do
            not wait for each other; none for the order of `items`.

    Raises:
        BadRequest: something is wrong with some; each fault says with which.
    """
    faults: list[Fault] = []
    keyed = [item for item in items if item.key is not None]
    versions = lock_versions(plan, keyed, alias)
    known = (
        set(versions)
        if versions is not None
        else (locked(plan.model, {item.key for item in keyed}, alias) if keyed else set())
    )
    wire = plan.keys[0].wire if plan.keys else "pk"
    seen: set[Any] = set()
    for item in items:
        item.creates = item.key is None or item.key not in known
        if must_update and item.creates:
            text = "the key of a row that exists"
            faults.append(fault(f"{item.place}{wire}", "not_found", text, item.key))
            continue
        if must_create and not item.creates:
            faults.append(fault(f"{item.place}{wire}", "unique", "a key that no row has", item.key))
        elif item.key is not None and item.key in seen:
            faults.append(fault(f"{item.place}{wire}", "unique", "each row once", item.key))
        seen.add(item.key)
        fill(plan, item, faults)
    check_references(plan, items, alias, faults)
    check_unique(plan, items, alias, faults)
    refuse(faults[:100])
    write_before(plan, items, alias)
    new = [item for item in items if item.creates]
    if sort_by:
        key = plan.model._meta.pk.attname
        new.sort(
            key=lambda item: [
                str(item.key if name == key else item.values.get(name)) for name in sort_by
            ]
        )
    for item in new:
        first_version(plan, item)
    # Which of several rows it is that a database refuses is not told.
    place = items[0].place if len(items) == 1 else items[0].place.rstrip("0123456789.")
    with refusals(plan, alias, place):
        insert(plan, new, alias)
        update(plan.model, [item for item in items if not item.creates], alias)
    set_links(plan, items, alias)
    write_after(plan, items, alias)


def _settle(plan: WritePlan, items: list[Item]) -> None:
    """Tell the instances what the database knows of their rows, once nothing can undo it."""
    for item in items:
        set_key(item.instance, item.key)
        _settle_children(item)
        if plan.version is None or plan.version.name not in plan.schema.model_fields:
            continue
        value = item.values.get(plan.version.column.attname, item.version)
        if value is not None:
            item.instance.__dict__[plan.version.name] = value


def _settle_children(item: Item) -> None:
    for child in item.children:
        if child.is_written:
            set_key(child.instance, child.key)
        _settle_children(child)


def commit(instance: "Schema[Any]", queryset: "QuerySet[Any]", using: str | None) -> int:
    """Write the values of an instance to all rows of a queryset; see `Schema.commit`."""
    schema = type(instance)
    plan = write_plan_of(schema)
    check_queryset(schema, queryset)
    alias = using or (
        queryset.db if getattr(queryset, "_db", None) else router.db_for_write(plan.model)
    )
    item = Item(instance=instance, place="", creates=False)
    faults: list[Fault] = []
    fill(plan, item, faults)
    relations: list[Any] = [*plan.links, *plan.nested]
    sent = [part.wire for part in relations if part.name in instance.model_fields_set]
    if sent:
        raise OrmError(f"{schema.__name__}: commit writes columns, not the relation {sent[0]!r}")
    check_references(plan, [item], alias, faults)
    refuse(faults)
    columns = {field.attname: field.name for field in plan.model._meta.concrete_fields}
    values: dict[str, Any] = {columns[name]: value for name, value in item.values.items()}
    if not values:
        return 0
    if plan.version is not None:
        values[plan.version.column.name] = F(plan.version.column.name) + 1
    with refusals(plan, alias), transaction_for(alias, wanted=False):
        return queryset.using(alias).update(**{**touched(plan.model), **values})
