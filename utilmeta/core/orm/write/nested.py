"""Related rows written with the rows they belong to; every step is done for all rows at once."""

from typing import Any

from pydantic_core import MISSING

from utilmeta.core.orm.write.checks import existing_keys
from utilmeta.core.orm.write.links import linked_keys, replace_links
from utilmeta.core.orm.write.plan import WriteNested, WritePlan, write_plan_of
from utilmeta.core.orm.write.reverse import write_reverse
from utilmeta.core.orm.write.statements import current_values
from utilmeta.core.orm.write.values import (
    Fault,
    Group,
    Item,
    fault,
    foreign,
    item_of,
    not_there,
    refuse,
    sent_value,
    unwanted_key,
)


def groups_of(part: WriteNested, items: list[Item], alias: str) -> list[Group]:
    """Return the rows whose field was sent, each with the related rows in it."""
    plan = write_plan_of(part.schema)
    found = []
    for item in items:
        value = sent_value(part.name, item)
        if value is MISSING:
            continue
        place = f"{item.place}{part.wire}."
        if part.many:
            children = [
                item_of(plan, child, f"{place}{index}.", alias)
                for index, child in enumerate(value or ())
            ]
        else:
            children = [] if value is None else [item_of(plan, value, place, alias)]
        item.children += children
        found.append(Group(item, children))
    return found


def write_before(plan: WritePlan, items: list[Item], alias: str) -> None:
    """Write the related rows that the rows themselves point at."""
    for part in plan.nested:
        if part.is_forward:
            groups = groups_of(part, items, alias)
            if groups:
                _write_forward(plan, part, groups, alias)


def write_after(plan: WritePlan, items: list[Item], alias: str) -> None:
    """Write the related rows that point at the rows, or are linked with them."""
    for part in plan.nested:
        if part.is_forward:
            continue
        groups = groups_of(part, items, alias)
        if groups and part.is_linked:
            _write_linked(part, groups, alias)
        elif groups:
            children = write_reverse(part, groups, alias)
            write_children(part, children, alias)


def write_children(part: WriteNested, children: list[Item], alias: str) -> None:
    """Write related rows, and what is nested in them."""
    from utilmeta.core.orm.write.save import write_items

    if children:
        write_items(write_plan_of(part.schema), children, alias)
        for child in children:
            child.is_written = True


def _write_forward(plan: WritePlan, part: WriteNested, groups: list[Group], alias: str) -> None:
    attribute, target = part.relation.attname, part.relation.target_field.attname
    children = [child for group in groups for child in group.children]
    faults: list[Fault] = []
    if not part.relation.null:
        faults += [
            fault(f"{group.item.place}{part.wire}", "null", "Value should not be null", None)
            for group in groups
            if not group.children
        ]
    if part.policy == "create":
        faults += [unwanted_key(part, child) for child in children if child.key is not None]
    elif part.policy == "link":
        _check_there(part, children, alias, faults)
    else:
        _find_own(plan, part, groups, alias, faults)
    refuse(faults)
    if part.policy != "link":
        write_children(part, children, alias)
    for group in groups:
        value = None
        if group.children:
            child = group.children[0]
            is_known = child.row is not None or target in child.values
            value = child.holds(target) if is_known else child.key
        group.item.values[attribute] = value


def _find_own(
    plan: WritePlan, part: WriteNested, groups: list[Group], alias: str, faults: list[Fault]
) -> None:
    """Let the related rows be those that are pointed at already; refuse all others."""
    old = [group.item.key for group in groups if not group.item.creates]
    current = current_values(plan.model, old, f"{part.relation.name}__pk", alias)
    for group in groups:
        own = current.get(group.item.key)
        for child in group.children:
            if child.key is None:
                child.key = own
            elif child.key != own:
                faults.append(foreign(part, child))


def _check_there(part: WriteNested, children: list[Item], alias: str, faults: list[Fault]) -> None:
    wanted = {child.key for child in children if child.key is not None}
    known = existing_keys(part.relation.related_model, wanted, alias) if wanted else set()
    faults += [not_there(part, child) for child in children if child.key not in known]


def _write_linked(part: WriteNested, groups: list[Group], alias: str) -> None:
    """Write rows of a many-to-many relation, and link them."""
    children = [child for group in groups for child in group.children]
    faults: list[Fault] = []
    if part.policy == "create":
        faults += [unwanted_key(part, child) for child in children if child.key is not None]
    elif part.policy == "link":
        _check_there(part, children, alias, faults)
    else:
        owners = [group.item.key for group in groups if not group.item.creates]
        held = linked_keys(part.relation, owners, alias) if owners else {}
        for group in groups:
            mine = held.get(group.item.key, set())
            faults += [
                foreign(part, child)
                for child in group.children
                if child.key is not None and child.key not in mine
            ]
    refuse(faults)
    if part.policy != "link":
        write_children(part, children, alias)
    wanted: dict[Any, list[Any]] = {
        group.item.key: [child.key for child in group.children] for group in groups
    }
    only_add = part.policy in {"create", "update"}
    replace_links(part.relation, wanted, alias, only_add=only_add)
