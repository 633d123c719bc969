"""Expressions over the rows of a model, each computed for its own row wherever it is nested."""

from typing import Any, cast

from django.db.models import (
    Aggregate,
    Avg,
    CompositePrimaryKey,
    Count,
    F,
    ManyToManyField,
    ManyToManyRel,
    ManyToOneRel,
    Max,
    Min,
    Model,
    OuterRef,
    QuerySet,
    StdDev,
    Subquery,
    Sum,
    Value,
    Variance,
    Window,
)

from utilmeta.core.orm.expressions import is_constant, parts_of
from utilmeta.core.orm.relations import find_field, table_of, target_of
from utilmeta.utils.exceptions import ConfigError

# What an expression is called in the statement that computes it alone.
VALUE = "utilmeta_value"

# Those that leave out rows without a value, so that no row and a row of nulls are the same to them.
_PLAIN = frozenset({Avg, Count, Max, Min, StdDev, Sum, Variance})


def for_row(expression: Any, model: type[Model], prefix: str, where: str) -> Any:
    """Return an expression over a model as one over a statement that joins it.

    Aggregates are computed in a subquery of their own: joined with each other in one statement they
    would count each other's rows.

    Args:
        expression: over the model's columns.
        model: the model.
        prefix: ORM path from the statement's model to it, `''` for that model itself.
        where: the schema's field, for messages.

    Raises:
        ConfigError: the expression looks at other rows than its own (a window) and is nested.
    """
    if is_constant(expression):
        return expression
    parts = list(parts_of(expression))
    if any(isinstance(part, Window) for part in parts):
        if prefix:
            raise ConfigError(f"{where}: a window cannot stand in a schema that is joined")
        return expression
    if not prefix and not any(isinstance(part, Aggregate) for part in parts):
        return expression
    direct = _of_related_rows(expression, model, prefix)
    if direct is not None:
        return direct
    rows = cast("Any", model)._base_manager.filter(pk=OuterRef(f"{prefix}pk"))
    inner = rows.order_by().values("pk").annotate(**{VALUE: expression}).values(VALUE)
    return Subquery(inner)


def _of_related_rows(expression: Any, model: type[Model], prefix: str) -> Subquery | None:
    """Return an aggregate of one column of related rows, computed of their table alone.

    The way by the model's own table, which all others take, joins it once more and groups.

    Args:
        expression: over the model's columns.
        model: the model.
        prefix: ORM path from the statement's model to it.

    Returns:
        None for another kind of expression.
    """
    sources = [part for part in expression.get_source_expressions() if part is not None]
    if type(expression) not in _PLAIN or len(sources) != 1 or type(sources[0]) is not F:
        return None
    if getattr(expression, "default", None) is not None:
        return None
    first, _, rest = cast("Any", sources[0]).name.partition("__")
    relation = find_field(model, first)
    if type(relation) is ManyToOneRel:
        table: Any = relation.related_model
        label, column = relation.field.name, rest or "pk"
        key = relation.field.foreign_related_fields[0].name
        if isinstance(table._meta.pk, CompositePrimaryKey):
            return None
    elif type(relation) in (ManyToManyField, ManyToManyRel):
        table, label, far = table_of(relation)
        column, key = (f"{far}__{rest}" if rest else far), target_of(table, label)
    else:
        return None
    rows: QuerySet[Any] = QuerySet(table).filter(**{label: OuterRef(f"{prefix}{key}")})
    aggregate = expression.copy()
    others = expression.get_source_expressions()[1:]
    aggregate.set_source_expressions([F(column), *others])
    # Grouped by a constant, that is by nothing, so that there is one value in any case.
    alone = rows.order_by().values(utilmeta_all=Value(1))
    return Subquery(alone.annotate(**{VALUE: aggregate}).values(VALUE))
