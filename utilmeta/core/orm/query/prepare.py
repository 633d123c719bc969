"""A query's fields made ready before pydantic builds its validator."""

from typing import TYPE_CHECKING, Any

import annotated_types
import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import MISSING

from utilmeta.core.orm.columns import Extra
from utilmeta.core.orm.query.declared import FilterBy, Orders, Part, SearchIn, marker_of, texts_of
from utilmeta.core.orm.query.search import MAX_WORDS, words_of
from utilmeta.core.orm.scopes import ScopeError, parse_scope
from utilmeta.core.orm.storable import CHECKED, storable
from utilmeta.utils.annotations import element_of, spell
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.query.base import Query

# Values that one filter may hold: each is a parameter of the statement.
MAX_VALUES = 1_000


class _Prepared:
    """A mark on fields that have been made ready."""


def prepare_query(query: "type[Query[Any]]") -> None:
    """Make the fields of a query ready; harmless when repeated."""
    for info in query.__pydantic_fields__.values():
        if any(isinstance(item, _Prepared) for item in info.metadata):
            continue
        info.metadata.append(_Prepared())
        marker = marker_of(info)
        if info.is_required() and not _is_declared(info):
            # A bare annotation filters when it is sent.
            info.default = MISSING
        _add_checks(info, marker)


def _is_declared(info: FieldInfo) -> bool:
    return any(isinstance(item, FilterBy | SearchIn | Orders | Part) for item in info.metadata)


def _add_checks(info: FieldInfo, marker: Any) -> None:
    element, many = element_of(info.annotation)
    _check_type(info, marker, element, many=many)
    if isinstance(marker, Orders):
        if many and isinstance(info.default, str):
            info.default = texts_of(info.default)
        values = marker.values
        info.metadata.append(pydantic.AfterValidator(_order_check(values)))
        info.metadata.append(Extra({"enum": values}, items=many))
    elif isinstance(marker, Part) and marker.kind == "scope":
        info.metadata.append(pydantic.AfterValidator(_check_scope))
    elif isinstance(marker, FilterBy | SearchIn):
        if many and not any(isinstance(item, annotated_types.MaxLen) for item in info.metadata):
            info.metadata.append(annotated_types.MaxLen(MAX_VALUES))
        if element in CHECKED:
            info.metadata.append(pydantic.AfterValidator(storable))
    if isinstance(marker, SearchIn):
        info.metadata.append(pydantic.AfterValidator(_check_words))


def _check_words(value: Any) -> Any:
    if value is not None and len(words_of(value)) > MAX_WORDS:
        raise ValueError(f"Value should have at most {MAX_WORDS} words")
    return value


_KINDS = {"limit": int, "offset": int, "page": int, "cursor": str, "scope": str}


def _check_type(info: FieldInfo, marker: Any, element: Any, *, many: bool) -> None:
    """Refuse types that what a field does cannot take.

    Raises:
        ConfigError: it is one.
    """
    if isinstance(marker, Part):
        wanted: Any = _KINDS[marker.kind]
        may_be_many = marker.kind == "scope"
        name = f"orm.{marker.kind.title()}"
    elif isinstance(marker, Orders | SearchIn):
        wanted, may_be_many = str, isinstance(marker, Orders)
        name = "orm.OrderBy" if isinstance(marker, Orders) else "orm.Search"
    else:
        return
    if element is not wanted or (many and not may_be_many):
        kinds = f"{wanted.__name__}{f' or list[{wanted.__name__}]' if may_be_many else ''}"
        raise ConfigError(f"{name} is {kinds}, not {spell(info.annotation)}")


def _order_check(values: list[str]) -> Any:
    def check(value: Any) -> Any:
        for item in texts_of(value):
            if item not in values:
                shown = item if len(item) <= 50 else f"{item[:50]}..."
                raise ValueError(f"There is no order {shown!r}; expected {', '.join(values)}")
        return value

    return check


def _check_scope(value: Any) -> Any:
    try:
        parse_scope([value] if isinstance(value, str) else value or ())
    except ScopeError as exc:
        raise ValueError(str(exc)) from exc
    return value
