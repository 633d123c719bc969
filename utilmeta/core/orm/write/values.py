"""What a schema's instance holds, as values of columns."""

import datetime
import enum
import ipaddress
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import pydantic
import pydantic_core
from django.core.exceptions import ValidationError
from django.db.models import JSONField, Model
from pydantic_core import MISSING

from utilmeta.core.orm.keys import as_key
from utilmeta.core.orm.prepare import ignored_names
from utilmeta.core.orm.read.reading import key_value
from utilmeta.core.orm.storable import as_stored, storable
from utilmeta.core.orm.write.plan import READ, WriteNested, WritePlan, write_plan_of
from utilmeta.utils.exceptions import BadRequest
from utilmeta.utils.masking import MASK, is_secret

# Characters of a value that are shown.
_SHOWN = 200

Fault = dict[str, object]
_TEXTS = (PurePath, ipaddress.IPv4Address, ipaddress.IPv6Address)


def fault(place: str, code: str, expected: str, got: Any = MISSING) -> Fault:
    """Return what is wrong with a value, as validation tells it: secrets masked, long ones cut."""
    found: Fault = {"place": place, "code": code, "expected": expected}
    if got is None or (got is not MISSING and holds_secret(place)):
        found["got"] = got and MASK
    elif isinstance(got, str):
        found["got"] = got if len(got) <= _SHOWN else f"{got[:_SHOWN]}..."
    elif isinstance(got, int | float):
        found["got"] = got
    return found


def holds_secret(place: str) -> bool:
    """Return whether one of the names of a place looks as if it held a secret."""
    return any(is_secret(part) for part in place.split("."))


def refuse(faults: list[Fault]) -> None:
    """Answer 400 when anything is wrong.

    Raises:
        BadRequest: something is.
    """
    if faults:
        raise BadRequest("The request is invalid", errors=faults)


@dataclass(slots=True, kw_only=True)
class Item:
    """One row to be written.

    Attributes:
        instance: the schema's instance.
        place: where it stands in what was sent, such as `comments.0.`; empty at the top.
        values: by attribute of the model.
        key: primary key; None for a row that gets one.
        creates: whether it is a new row.
        row: the model's instance, where one was made.
        found: whether its key was found by other fields, so that no version is expected.
        version: what its version becomes, where it is counted apart from the values.
        children: related rows that were sent in it.
        is_written: whether it was written as a related row; its instance gets the key at the end.
    """

    instance: Any
    place: str
    values: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    creates: bool = True
    row: Any = None
    found: bool = False
    version: Any = None
    children: "list[Item]" = field(default_factory=list)
    is_written: bool = False

    def holds(self, attribute: str) -> Any:
        """Return what the row holds after it was written."""
        return self.values[attribute] if self.row is None else getattr(self.row, attribute)


def item_of(plan: WritePlan, instance: Any, place: str, alias: str) -> Item:
    """Return the row that an instance stands for; its values are added by `fill`."""
    item = Item(instance=instance, place=place)
    key = key_value(instance)
    if key is not None:
        item.key = as_key(plan.model._meta.pk, key, alias)
        if item.key is None:
            wire = plan.keys[0].wire if plan.keys else "pk"
            refuse([fault(f"{place}{wire}", "key", "a key of a row", key)])
    return item


def fill(plan: WritePlan, item: Item, faults: list[Fault]) -> None:
    """Add the values of the columns to a row; what is wrong is added to `faults`."""
    held = item.instance.__dict__
    values = item.values
    known = frozenset(values)
    # A new row is given all there is.
    written = held if item.creates else names_written(item.instance, creates=False)
    for column in plan.columns:
        attribute = column.column.attname
        if attribute in known:
            # The row it is nested in has said so, whatever was sent.
            continue
        value = held.get(column.name, MISSING)
        if value is MISSING:
            if item.creates and column.required:
                faults.append(fault(f"{item.place}{column.wire}", "missing", "Field required"))
            continue
        if column.name not in written:
            continue
        if value is None and not column.column.null:
            place = f"{item.place}{column.wire}"
            faults.append(fault(place, "null", "Value should not be null", None))
            continue
        kind = value.__class__
        if kind in column.plain and (kind is not str or (value.isascii() and "\0" not in value)):
            values[attribute] = value
            continue
        try:
            made = getattr(column.column, "utilmeta_from_client", None)
            values[attribute] = (
                storable(as_column(column.column, value)) if made is None else made(value)
            )
        except ValueError as exc:
            faults.append(fault(f"{item.place}{column.wire}", "value", str(exc)))


def names_written(instance: Any, *, creates: bool) -> set[str]:
    """Return the fields of an instance that are written.

    A new row is given all there is. An update of an instance that was read, or of a partial one,
    writes what was set since.
    """
    mode = type(instance).__utilmeta_mode__
    was_read = instance.__pydantic_private__["_was_read"]
    if not creates and (was_read or (mode is not None and mode.partial)):
        found = set(instance.model_fields_set)
    else:
        found = {name for name, value in instance.__dict__.items() if value is not MISSING}
    if creates:
        return found
    # Defaults of what clients cannot set are for new rows.
    coded: frozenset[str] = instance.__pydantic_private__["_coded"]
    return found - (set(ignored_names(type(instance))) - coded)


def as_column(column: Any, value: Any) -> Any:
    """Return a schema's value as one that the column takes."""
    if isinstance(value, Model):
        return getattr(value, column.target_field.attname)
    if isinstance(column, JSONField):
        return pydantic_core.to_jsonable_python(value, by_alias=True)
    if isinstance(value, datetime.datetime):
        return as_stored(value)
    if isinstance(value, enum.Enum) and not isinstance(value, str | int):
        return value.value
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if hasattr(value, "unicode_string") or isinstance(value, _TEXTS):
        # pydantic's URLs and the like, which databases know as text.
        return str(value)
    if isinstance(value, str) and isinstance(column, READ):
        return _read(column, value)
    return value


def _read(column: Any, value: str) -> Any:
    """Return what a column makes of a text.

    Raises:
        ValueError: nothing.
    """
    try:
        return column.to_python(value)
    except ValidationError as exc:
        raise ValueError("; ".join(exc.messages)) from exc


@dataclass(slots=True)
class Group:
    """A row and the related rows that were sent with it.

    Attributes:
        item: the row.
        children: the related rows.
        owner: what foreign keys to the row hold.
    """

    item: Item
    children: list[Item]
    owner: Any = None


def sent_value(name: str, item: Item) -> Any:
    """Return what a field holds that is to be written, `MISSING` when it is not."""
    if name not in names_written(item.instance, creates=item.creates):
        return MISSING
    return item.instance.__dict__.get(name, MISSING)


def _key_place(part: WriteNested, child: Item) -> str:
    keys = write_plan_of(part.schema).keys
    return f"{child.place}{keys[0].wire if keys else 'pk'}"


def unwanted_key(part: WriteNested, child: Item) -> Fault:
    """Return the fault of a new row that was sent with a key."""
    return fault(_key_place(part, child), "key", "no key, as the row is new", child.key)


def foreign(part: WriteNested, child: Item) -> Fault:
    """Return the fault of a related row that belongs to another row."""
    text = "the key of a row that belongs to this one"
    return fault(_key_place(part, child), "foreign", text, child.key)


def not_there(part: WriteNested, child: Item) -> Fault:
    """Return the fault of a related row that does not exist."""
    text = "the key of a row that exists"
    return fault(_key_place(part, child), "foreign_key", text, child.key)
