"""Related rows whose foreign key points at the rows they are written with."""

from typing import Any

from utilmeta.core.orm.write.plan import WriteNested
from utilmeta.core.orm.write.statements import current_values, update
from utilmeta.core.orm.write.values import (
    Fault,
    Group,
    Item,
    foreign,
    not_there,
    refuse,
    unwanted_key,
)


def write_reverse(part: WriteNested, groups: list[Group], alias: str) -> list[Item]:
    """Return the related rows that are to be written, pointing at their row.

    Those that are not sent are deleted when the policy says so; those that are only linked are
    pointed at their row here.

    Raises:
        BadRequest: a related row belongs to another row, or is not there.
    """
    column: Any = part.relation.field
    model: Any = part.relation.related_model
    for group in groups:
        group.owner = _pointed_at(group.item, column)
    held = _held(model, column, groups, alias)
    faults: list[Fault] = []
    if part.policy == "link":
        _check_free(part, groups, held, alias, faults)
    else:
        _check_own(part, groups, held, faults)
    refuse(faults)
    children = [child for group in groups for child in group.children]
    for group in groups:
        for child in group.children:
            child.values[column.attname] = group.owner
    if part.policy == "replace":
        kept = {child.key for child in children if child.key is not None}
        gone = [key for keys in held.values() for key in keys if key not in kept]
        if gone:
            model._base_manager.using(alias).filter(pk__in=gone).delete()
    if part.policy == "link":
        update(model, children, alias)
        return []
    return children


def _pointed_at(item: Item, column: Any) -> Any:
    """Return the value of the row that a foreign key to it holds."""
    target = column.target_field
    while target.is_relation:
        target = target.target_field
    return item.key if target.primary_key else item.holds(column.target_field.attname)


def _held(model: Any, column: Any, groups: list[Group], alias: str) -> dict[Any, set[Any]]:
    owners = [group.owner for group in groups if not group.item.creates]
    found: dict[Any, set[Any]] = {}
    if owners:
        rows = model._base_manager.using(alias).filter(**{f"{column.name}__in": owners})
        for key, owner in rows.order_by().values_list("pk", column.attname):
            found.setdefault(owner, set()).add(key)
    return found


def _check_own(
    part: WriteNested, groups: list[Group], held: dict[Any, set[Any]], faults: list[Fault]
) -> None:
    """Refuse rows that do not belong to the row they are sent with."""
    for group in groups:
        mine = held.get(group.owner, set())
        for child in group.children:
            if part.policy == "create":
                if child.key is not None:
                    faults.append(unwanted_key(part, child))
            elif child.key is not None:
                if child.key not in mine:
                    faults.append(foreign(part, child))
            elif not part.many and mine:
                # There is at most one, so it is that one.
                child.key = next(iter(mine))


def _check_free(
    part: WriteNested,
    groups: list[Group],
    held: dict[Any, set[Any]],
    alias: str,
    faults: list[Fault],
) -> None:
    """Refuse rows that belong to another: only free ones, and its own, can be linked to a row."""
    column: Any = part.relation.field
    wanted = [child.key for group in groups for child in group.children if child.key is not None]
    owners = current_values(part.relation.related_model, wanted, column.attname, alias)
    for group in groups:
        mine = held.get(group.owner, set())
        for child in group.children:
            if child.key not in owners:
                faults.append(not_there(part, child))
            elif owners[child.key] is not None and child.key not in mine:
                faults.append(foreign(part, child))
