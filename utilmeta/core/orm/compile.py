"""From a schema's annotations and its model to a read plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    ForeignObjectRel,
    Manager,
    ManyToManyField,
    ManyToManyRel,
    ManyToOneRel,
    Model,
    OneToOneRel,
    QuerySet,
)
from pydantic.fields import FieldInfo

from utilmeta.core.orm.convert import converter
from utilmeta.core.orm.fields import source_of
from utilmeta.core.orm.plan import (
    Column,
    Many,
    Plan,
    Related,
    Selection,
    Shape,
    Single,
    has_references,
)
from utilmeta.utils.annotations import element_of
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

Relation = Any


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a statement a schema's columns are put.

    Attributes:
        model: whose columns.
        prefix: ORM path to it, `''` or `author__`.
        selection: the statement's columns.
        outer: the schemas above this one, to find those that nest themselves.
    """

    model: type[Model]
    prefix: str
    selection: Selection
    outer: tuple[type["Schema[Any]"], ...]


def compile_plan(schema: type["Schema[Any]"], model: type[Model]) -> Plan:
    """Return the plan of a schema.

    Raises:
        ConfigError: a field has no source in the model, a type and a relation do not go together,
            or a schema nests itself.
    """
    selection = Selection()
    key = selection.column("pk")
    shape = _shape(schema, Spot(model, "", selection, ()))
    return Plan(model=model, selection=selection, shape=shape, key=key)


def _shape(schema: type["Schema[Any]"], spot: Spot) -> Shape:
    if schema in spot.outer:
        names = " > ".join(item.__name__ for item in (*spot.outer, schema))
        raise ConfigError(f"{schema.__name__}: the schema nests itself ({names})")
    spot = Spot(spot.model, spot.prefix, spot.selection, (*spot.outer, schema))
    shape = Shape()
    for name, info in schema.model_fields.items():
        _add(shape, schema, name, info, spot)
    return shape


def _add(shape: Shape, schema: type["Schema[Any]"], name: str, info: FieldInfo, spot: Spot) -> None:
    where = f"{schema.__name__}.{name}"
    output = info.serialization_alias or info.alias or name
    shape.outputs.append(output)
    source = source_of(info).value
    if source is not None and not isinstance(source, str):
        if spot.prefix and has_references(source):
            raise ConfigError(
                f"{where}: an expression over columns cannot stand in a schema that is joined as "
                f"{spot.prefix.rstrip('_')!r}; read the relation as a list, or drop the field"
            )
        label = f"{spot.prefix}{name}"
        shape.columns.append(Column(output, spot.selection.expression(label, source)))
        return
    path = (source or name).split(".")
    target, many = element_of(info.annotation)
    _follow(shape, output, path, target, many, spot, where)


def _follow(
    shape: Shape,
    output: str,
    path: Sequence[str],
    target: Any,
    many: bool,
    spot: Spot,
    where: str,
) -> None:
    """Add what a path through relations leads to."""
    field = _field(spot.model, path[0], where)
    nested = as_schema(target)
    if _is_many(field):
        if not many:
            raise ConfigError(
                f"{where}: {path[0]!r} leads to many rows, so the type must be a list of something"
            )
        shape.many.append(_many(output, field, path[1:], nested, spot, where))
        return
    if len(path) > 1:
        if not field.is_relation:
            raise ConfigError(f"{where}: {path[0]!r} is a column, so nothing can follow it")
        inner = Spot(field.related_model, f"{spot.prefix}{path[0]}__", spot.selection, spot.outer)
        _follow(shape, output, path[1:], target, many, inner, where)
        return
    if nested is None:
        index = spot.selection.column(f"{spot.prefix}{path[0]}")
        shape.columns.append(Column(output, index, converter(field, target)))
        return
    if not field.is_relation:
        raise ConfigError(f"{where}: {path[0]!r} is a column, which has no {nested.__name__}")
    if many:
        raise ConfigError(f"{where}: {path[0]!r} leads to one row, so the type must not be a list")
    inner = Spot(field.related_model, f"{spot.prefix}{path[0]}__", spot.selection, spot.outer)
    key = spot.selection.column(f"{spot.prefix}{path[0]}__pk")
    _check_model(nested, field.related_model, where)
    shape.singles.append(Single(output, key, _shape(nested, inner)))


def _many(
    output: str,
    field: Relation,
    rest: Sequence[str],
    nested: type["Schema[Any]"] | None,
    spot: Spot,
    where: str,
) -> Many:
    make, label_name, prefix, model, key_name = _link(field)
    selection = Selection()
    label = selection.column(label_name)
    key = spot.selection.column(f"{spot.prefix}{key_name}")
    inner = Spot(model, prefix, selection, spot.outer)
    related = Related(queryset=make, label=label, selection=selection, shape=None)
    if nested is not None:
        if rest:
            raise ConfigError(f"{where}: a list of schemas takes a relation, not a path beyond it")
        _check_model(nested, model, where)
        related.shape = _shape(nested, inner)
    else:
        related.value = selection.column(_plain_path(inner, rest, where))
    return Many(output, key, related)


def _plain_path(spot: Spot, rest: Sequence[str], where: str) -> str:
    model, prefix = spot.model, spot.prefix
    for index, part in enumerate(rest):
        field = _field(model, part, where)
        if _is_many(field):
            raise ConfigError(
                f"{where}: a second many relation, {part!r}, in one path; nest a schema"
            )
        last = index == len(rest) - 1
        if not last:
            if not field.is_relation:
                raise ConfigError(f"{where}: {part!r} is a column, so nothing can follow it")
            model = field.related_model
    return prefix + ("__".join(rest) or "pk")


def _link(
    field: Relation,
) -> tuple[Callable[[Sequence[Any], str | None], "QuerySet[Any]"], str, str, type[Model], str]:
    """Return how the rows of a many relation are found.

    Returns:
        Queryset maker, its column of the outer key, path to the related model, that model, and the
        outer model's column that the key is.
    """
    model: type[Model] = field.related_model
    if isinstance(field, ManyToManyField | ManyToManyRel):
        forward = isinstance(field, ManyToManyField)
        owner: Any = field if forward else cast("Any", field).field
        through: Any = owner.remote_field.through
        near, far = owner.m2m_field_name(), owner.m2m_reverse_field_name()
        if not forward:
            near, far = far, near
        order = [_prefixed(item, f"{far}__") for item in model._meta.ordering or ()] or [
            f"{far}__pk"
        ]

        hides = _hides_rows(model)

        def through_rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
            manager = through._default_manager.using(using)
            rows: QuerySet[Any] = manager.filter(**{f"{near}__in": keys}).order_by(*order)
            if hides:
                rows = rows.filter(**{f"{far}__in": model._default_manager.using(using)})
            return rows

        return through_rows, near, f"{far}__", model, _target_of(through, near)
    name = field.field.name

    def reverse_rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
        manager = model._default_manager.using(using)
        rows: QuerySet[Any] = manager.filter(**{f"{name}__in": keys})
        return rows if model._meta.ordering else rows.order_by("pk")

    return reverse_rows, name, "", model, field.field.foreign_related_fields[0].name


def _target_of(through: type[Model], name: str) -> str:
    """Return the field of the other model that a foreign key points at."""
    key: Any = through._meta.get_field(name)
    found: str = key.foreign_related_fields[0].name
    return found


def _hides_rows(model: type[Model]) -> bool:
    """Return whether a model's default manager leaves rows out, as for soft deletion."""
    manager = type(model._default_manager)
    return manager.get_queryset is not Manager.get_queryset


def _prefixed(item: Any, prefix: str) -> Any:
    if isinstance(item, str):
        return f"-{prefix}{item[1:]}" if item.startswith("-") else f"{prefix}{item}"
    raise ConfigError(
        f"Meta.ordering holds the expression {item!r}, which cannot order a many-to-many list; "
        "use names of columns"
    )


def _field(model: type[Model], name: str, where: str) -> Relation:
    meta = model._meta
    try:
        return meta.pk if name == "pk" else meta.get_field(name)
    except FieldDoesNotExist:
        pass
    for field in meta.get_fields():
        if getattr(field, "attname", None) == name:
            return field
        if isinstance(field, ForeignObjectRel) and field.get_accessor_name() == name:
            return field
    import difflib

    names = [field.name for field in meta.get_fields()]
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ConfigError(f"{where}: {model.__name__} has no field {name!r}{hint}")


def _is_many(field: Relation) -> bool:
    if isinstance(field, OneToOneRel):
        return False
    return isinstance(field, ManyToManyField | ManyToManyRel | ManyToOneRel)


def as_schema(target: Any) -> type["Schema[Any]"] | None:
    """Return a type when it is a schema, else None."""
    return target if isinstance(target, type) and hasattr(target, "__utilmeta_schema__") else None


def _check_model(nested: type["Schema[Any]"], model: type[Model], where: str) -> None:
    declared = nested.model_of()
    if not issubclass(model, declared):
        raise ConfigError(
            f"{where}: {nested.__name__} is a schema of {declared.__name__}, but the relation "
            f"leads to {model.__name__}"
        )
