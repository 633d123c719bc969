"""What a query's fields do to a queryset, worked out once for each class."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from pydantic_core import MISSING

from utilmeta.core.orm.query.declared import FilterBy, Orders, Part, SearchIn, marker_of
from utilmeta.core.orm.query.filters import make_filter
from utilmeta.core.orm.query.orders import Ordering, make_ordering
from utilmeta.core.orm.query.search import make_search
from utilmeta.utils.exceptions import BadRequest, ConfigError, OrmError

if TYPE_CHECKING:
    from utilmeta.core.orm.query.base import Query

Step = Callable[["QuerySet[Any]", Any], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What a query's fields do.

    Attributes:
        model: the Django model.
        steps: filters and searches by the name of their field.
        ordering: orders that may be asked for, by the name of their field.
        ranked: names of searches that order by how well rows fit.
        parts: `offset limit page cursor` to the name of their field.
        scopes: names of the fields that hold scopes, and whether they exclude.
        wires: names in requests by the names of fields.
    """

    model: type[Model]
    steps: dict[str, Step] = field(default_factory=dict)
    ordering: tuple[str, Ordering] | None = None
    ranked: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, bool] = field(default_factory=dict)
    wires: dict[str, str] = field(default_factory=dict)

    def filtered(self, query: "Query[Any]", base: "QuerySet[Any] | None") -> "QuerySet[Any]":
        """Return all rows that a query asks for.

        Raises:
            OrmError: the rows to choose from are of another model.
        """
        if base is None:
            base = query._rows
        if base is None:
            rows: QuerySet[Any] = self.model._default_manager.all()
        elif issubclass(base.model, self.model):
            rows = base
        else:
            raise OrmError(
                f"{type(query).__name__} is of {self.model.__name__}, got a queryset of "
                f"{base.model.__name__}"
            )
        for name, step in self.steps.items():
            value = getattr(query, name)
            if value is not MISSING:
                rows = _apply(step, rows, value, self.wires[name])
        return rows

    def part(self, query: "Query[Any]", kind: str) -> Any:
        """Return the value of the field of a kind; None when there is none, or nothing was sent."""
        name = self.parts.get(kind)
        value = None if name is None else getattr(query, name)
        return None if value is MISSING else value


def _apply(step: Step, rows: "QuerySet[Any]", value: Any, name: str) -> "QuerySet[Any]":
    try:
        return step(rows, value)
    except (ValidationError, ValueError, TypeError, OverflowError) as exc:
        # A text where the column has dates, say: the field's type lets by what Django refuses.
        fault = {"place": f"query.{name}", "code": "value", "expected": "a value of its column"}
        raise BadRequest("The request is invalid", errors=[fault]) from exc


def compile_query(query: "type[Query[Any]]", model: type[Model]) -> Compiled:
    """Return what the fields of a query do.

    Raises:
        ConfigError: a field does not fit the model, or fields do not go together.
    """
    steps: dict[str, Step] = {}
    ranked: list[str] = []
    parts: dict[str, str] = {}
    scopes: dict[str, bool] = {}
    ordering: tuple[str, Ordering] | None = None
    if not query.__pydantic_complete__:
        query.model_rebuild()
    for name, info in query.model_fields.items():
        where = f"{query.__name__}.{name}"
        marker = marker_of(info)
        if isinstance(marker, FilterBy):
            steps[name] = make_filter(marker, name, info.annotation, model, where)
        elif isinstance(marker, SearchIn):
            steps[name] = make_search(marker, model, where)
            if marker.match_mode == "full_text" and marker.rank:
                ranked.append(name)
        elif isinstance(marker, Orders):
            if ordering is not None:
                raise ConfigError(f"{where}: a second orm.OrderBy beside {ordering[0]!r}")
            ordering = (name, make_ordering(marker, model, where))
        else:
            _add_part(marker, name, where, parts, scopes)
    _check_parts(parts, query)
    return Compiled(
        model=model,
        steps=steps,
        ordering=ordering,
        ranked=ranked,
        parts=parts,
        scopes=scopes,
        wires={name: info.alias or name for name, info in query.model_fields.items()},
    )


def _add_part(
    marker: Part, name: str, where: str, parts: dict[str, str], scopes: dict[str, bool]
) -> None:
    if marker.kind == "scope":
        scopes[name] = marker.excluded
        return
    if marker.kind in parts:
        raise ConfigError(
            f"{where}: a second orm.{marker.kind.title()} beside {parts[marker.kind]!r}"
        )
    parts[marker.kind] = name


def _check_parts(parts: dict[str, str], query: "type[Query[Any]]") -> None:
    for kind in ("page", "cursor"):
        if kind in parts and "limit" not in parts:
            raise ConfigError(
                f"{query.__name__}.{parts[kind]}: a page has a number of rows; add a field "
                "limit: int = orm.Limit(20, le=100)"
            )
