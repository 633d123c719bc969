"""Many-to-many lists of keys: links replaced in a constant number of statements."""

from typing import Any

from django.db.models import ManyToManyField, Q
from pydantic_core import MISSING

from utilmeta.core.orm.keys import as_key
from utilmeta.core.orm.relations import table_of
from utilmeta.core.orm.write.checks import existing_keys
from utilmeta.core.orm.write.plan import WriteLinks, WritePlan
from utilmeta.core.orm.write.values import Fault, Item, fault, refuse, sent_value


def set_links(
    plan: WritePlan, items: list[Item], alias: str, *, may_be_linked: bool = False
) -> None:
    """Replace the links of many-to-many lists of keys.

    Args:
        plan: what is written.
        items: the rows.
        alias: the database.
        may_be_linked: whether new rows may have links, of a signal's making.
    """
    all_new = not may_be_linked and all(item.creates for item in items)
    for part in plan.links:
        wanted: dict[Any, list[Any]] = {}
        faults: list[Fault] = []
        model: Any = part.relation.related_model
        for item in items:
            value = sent_value(part.name, item)
            if value is MISSING:
                continue
            keys = []
            for index, given in enumerate(value or ()):
                key = as_key(model._meta.pk, getattr(given, "pk", given), alias)
                if key is None:
                    place = f"{item.place}{part.wire}.{index}"
                    faults.append(fault(place, "key", "a key of a row", given))
                keys.append(key)
            wanted[item.key] = keys
        refuse(faults)
        _check_keys(part, items, wanted, alias)
        replace_links(part.relation, wanted, alias, all_new=all_new)


def _check_keys(
    part: WriteLinks, items: list[Item], wanted: dict[Any, list[Any]], alias: str
) -> None:
    model: Any = part.relation.related_model
    asked = {key for keys in wanted.values() for key in keys}
    known = existing_keys(model, asked, alias) if asked else set()
    faults = [
        fault(
            f"{item.place}{part.wire}.{index}", "foreign_key", "the key of a row that exists", key
        )
        for item in items
        for index, key in enumerate(wanted.get(item.key, ()))
        if key not in known
    ]
    refuse(faults[:100])


def replace_links(
    relation: Any,
    wanted: dict[Any, list[Any]],
    alias: str,
    *,
    only_add: bool = False,
    all_new: bool = False,
) -> None:
    """Make the links of some rows these, in a statement to look, one to delete, one to insert.

    Args:
        relation: the many-to-many field or relation.
        wanted: primary keys of rows to those of the rows they are linked with.
        alias: the database.
        only_add: whether other links stay.
        all_new: whether the rows are new, so that there are no links to look for.
    """
    if not wanted:
        return
    through, near, far, near_id, far_id = _columns_of(relation)
    mirrored = isinstance(relation, ManyToManyField) and relation.remote_field.symmetrical
    manager = through._base_manager.using(alias)
    asked = {(mine, other) for mine, others in wanted.items() for other in others}
    if mirrored:
        asked |= {(other, mine) for mine, other in asked}
    links: dict[tuple[Any, Any], Any] = {}
    if not all_new:
        condition = Q(**{f"{near}__in": list(wanted)})
        if mirrored:
            condition |= Q(**{f"{far}__in": list(wanted)})
        rows = manager.filter(condition).values_list("pk", near_id, far_id)
        links = {(mine, other): key for key, mine, other in rows}
    gone = [] if only_add else [key for link, key in links.items() if link not in asked]
    if gone:
        manager.filter(pk__in=gone).delete()
    new = [link for link in asked if link not in links]
    manager.bulk_create(
        [through(**{near_id: mine, far_id: other}) for mine, other in new],
        ignore_conflicts=mirrored,
    )


def _columns_of(relation: Any) -> tuple[Any, str, str, str, str]:
    """Return the model between, and its fields and attributes of this and the other side."""
    through, near, far = table_of(relation)
    near_id, far_id = (through._meta.get_field(name).attname for name in (near, far))
    return through, near, far, near_id, far_id


def linked_keys(relation: Any, owners: list[Any], alias: str) -> dict[Any, set[Any]]:
    """Return the keys that rows are linked with, by the rows' own keys."""
    through, near, _, near_id, far_id = _columns_of(relation)
    rows = through._base_manager.using(alias).filter(**{f"{near}__in": owners})
    found: dict[Any, set[Any]] = {}
    for mine, other in rows.values_list(near_id, far_id):
        found.setdefault(mine, set()).add(other)
    return found
