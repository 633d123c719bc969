"""Types of a schema's fields against what columns may hold: None, and other types."""

from typing import Any, get_args

from utilmeta.core.orm.read.convert import check_type
from utilmeta.core.orm.read.spots import Spot, Target
from utilmeta.core.orm.relations import Relation, may_be_null
from utilmeta.utils.annotations import admits_none, spell, strip_optional
from utilmeta.utils.exceptions import ConfigError


def admits(target: Target) -> bool:
    """Return whether a field's type admits None."""
    return admits_none(target.annotation) or target.annotation in (Any, object, None)


def check_null(target: Target, column: Relation, spot: Spot) -> None:
    """Refuse a type without None for what may be null.

    Raises:
        ConfigError: answers would hold null where the type says that they do not.
    """
    if not (spot.nullable or may_be_null(column)):
        return
    if admits(target):
        return
    name = getattr(target.annotation, "__name__", str(target.annotation))
    raise ConfigError(f"{target.where}: it may be null; write {name} | None")


def check_items(target: Target, column: Relation) -> None:
    """Refuse items of a type that the column's values do not have."""
    check_type(column, target.element, target.where)
    items = get_args(strip_optional(target.annotation))
    if may_be_null(column) and items and not admits_none(items[0]) and items[0] is not Any:
        raise ConfigError(
            f"{target.where}: items may be null; write list[{spell(items[0])} | None]"
        )
