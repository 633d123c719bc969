"""From a schema's annotations and its model to a read plan."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Manager, Model, QuerySet
from pydantic.fields import FieldInfo

from utilmeta.core.orm.aggregates import for_row
from utilmeta.core.orm.expressions import first_of, may_be_none
from utilmeta.core.orm.fields import Options, is_expression, is_function, options_of
from utilmeta.core.orm.read.convert import check_type, converter, plain_converter
from utilmeta.core.orm.read.finishing import computed_fields, finisher_of
from utilmeta.core.orm.read.keylists import KeyList, is_plain_queryset, is_static
from utilmeta.core.orm.read.nulls import admits, check_items, check_null
from utilmeta.core.orm.read.parts import Function, Properties, bound_function
from utilmeta.core.orm.read.plan import Many, Plan, Related, Single
from utilmeta.core.orm.read.records import Column, Shape
from utilmeta.core.orm.read.selection import Selection
from utilmeta.core.orm.read.spots import AnySchema, Loops, Spot, Target, complete, output_name
from utilmeta.core.orm.relations import (
    Relation,
    find_field,
    is_many,
    is_of,
    is_property,
    leads_to_many,
    link_of,
    may_be_null,
    need_field,
)
from utilmeta.core.orm.scopes import Scope
from utilmeta.utils.annotations import element_of, spell
from utilmeta.utils.exceptions import ConfigError


def compile_plan(schema: AnySchema, model: type[Model], scope: Scope | None = None) -> Plan:
    """Return the plan of a schema.

    Args:
        schema: the schema.
        model: its model.
        scope: which fields are wanted; None for all.

    Raises:
        ConfigError: a field has no source in the model, or a type and its source do not go
            together.
    """
    selection = Selection()
    key = selection.column("pk")
    loops = Loops(set(_looping(schema, ())))
    spot = Spot(model=model, prefix="", selection=selection, outer=(), loops=loops, scope=scope)
    shape = _shape(schema, spot)
    recursive = bool(loops.schemas)
    return Plan(
        schema=schema,
        model=model,
        selection=selection,
        shape=shape,
        key=key,
        recursive=recursive,
        static=is_static(model),
    )


def _looping(schema: AnySchema, outer: tuple[AnySchema, ...]) -> Iterator[AnySchema]:
    """Yield the schemas that are nested in themselves, at once or by way of others."""
    if schema in outer:
        yield from outer[outer.index(schema) :]
        return
    complete(schema)
    for info in schema.model_fields.values():
        nested = as_schema(element_of(info.annotation)[0])
        if nested is not None and _is_read(options_of(info)):
            yield from _looping(nested, (*outer, schema))


def _is_read(options: Options) -> bool:
    return options.mode is None or "r" in options.mode


def _shape(schema: AnySchema, spot: Spot) -> Shape:
    spot = replace(spot, outer=(*spot.outer, schema))
    shape = Shape(schema)
    if schema in spot.loops.schemas:
        shape.own = spot.selection.column(f"{spot.prefix}pk")
    computed = computed_fields(schema, spot.scope)
    properties: list[Target] = []
    for name, info in schema.model_fields.items():
        target = _target(schema, name, info)
        if not _is_read(target.options):
            continue
        wanted = spot.scope is None or spot.scope.takes(name, target.output)
        if not wanted and not computed:
            continue
        if target.output in shape.outputs:
            raise ConfigError(f"{target.where}: another field is called {target.output!r} already")
        shape.outputs.append(target.output)
        if target.options.no_output or not wanted:
            shape.hidden.append(target.output)
        inside = None if spot.scope is None else spot.scope.inside(name, target.output)
        _add(shape, target, replace(spot, scope=inside), properties)
    if properties:
        shape.parts.append(_properties(schema, properties, spot))
    shape.outputs += computed.values()
    shape.finish = finisher_of(schema, computed)
    return shape


def _target(schema: AnySchema, name: str, info: FieldInfo) -> Target:
    element, many = element_of(info.annotation)
    return Target(
        where=f"{schema.__name__}.{name}",
        name=name,
        output=output_name(name, info),
        annotation=info.annotation,
        options=options_of(info),
        nested=as_schema(element),
        element=element,
        many=many,
    )


def _properties(schema: AnySchema, targets: list[Target], spot: Spot) -> Properties:
    needs = dict.fromkeys(need for target in targets for need in target.options.needs)
    found = Properties(
        where=schema.__name__,
        outputs=tuple(target.output for target in targets),
        names=tuple(_path(target)[0] for target in targets),
        key=spot.selection.column(f"{spot.prefix}pk"),
        model=spot.model,
        needs=tuple(needs),
    )
    found.queryset()
    return found


def _path(target: Target) -> list[str]:
    return (target.options.source or target.name).split(".")


def _add(shape: Shape, target: Target, spot: Spot, properties: list[Target]) -> None:
    source = target.options.source
    if is_function(source):
        shape.parts.append(
            Function(
                where=target.where,
                outputs=(target.output,),
                key=spot.selection.column(f"{spot.prefix}pk"),
                call=bound_function(source, shape.schema, target.where),
                related=_by_key(target, target.nested, spot, shown=True) if target.nested else None,
                model=target.nested.model_of() if target.nested else None,
                many=target.many,
            )
        )
    elif isinstance(source, QuerySet) or is_expression(source):
        _add_expression(shape, target, spot)
    else:
        path = _path(target)
        if (
            len(path) == 1
            and find_field(spot.model, path[0]) is None
            and is_property(spot.model, path[0])
        ):
            properties.append(target)
        else:
            _follow(shape, target, path, spot)


def _add_expression(shape: Shape, target: Target, spot: Spot) -> None:
    """Add a value of an expression; for a nested schema it is the key of its row."""
    source = target.options.source
    if isinstance(source, QuerySet):
        if target.many:
            raise ConfigError(
                f"{target.where}: a queryset with OuterRef gives one value; for a list of related "
                "rows write orm.Field('relation', queryset=...), or a function (cls, *keys)"
            )
        if target.nested is None and source.query.default_cols:
            raise ConfigError(f"{target.where}: the queryset needs .values('...') of one column")
        source = first_of(source, "pk" if target.nested is not None else None)
    is_row = isinstance(target.options.source, QuerySet)
    if (is_row or may_be_none(source)) and not (target.many or admits(target)):
        raise ConfigError(
            f"{target.where}: it is None where there are no rows; write "
            f"{spell(target.annotation)} | None, or give the expression a default"
        )
    path = leads_to_many(source, spot.model)
    if path is not None:
        raise ConfigError(
            f"{target.where}: {path!r} leads to many rows, each of which would repeat the row; "
            "aggregate it, or ask with Exists"
        )
    expression = for_row(source, spot.model, spot.prefix, target.where)
    index = spot.selection.expression(f"{spot.prefix}{target.name}", expression)
    if target.nested is None:
        convert = None if target.many else plain_converter(target.element)
        shape.columns.append(Column(target.output, index, convert))
        return
    if target.many:
        raise ConfigError(f"{target.where}: an expression gives one value, no list")
    related = _by_key(target, target.nested, spot, shown=False)
    shape.parts.append(Many((target.output,), index, related, single=True))


def _by_key(target: Target, nested: AnySchema, spot: Spot, *, shown: bool) -> Related:
    """Return what reads the rows of a schema by their primary keys; hidden ones unless `shown`."""
    model = nested.model_of()
    known = (nested, "pk", int(shown))
    loops = nested in spot.outer and spot.scope is None
    related = spot.loops.related.get(known) if loops else None
    if related is None:
        manager = model._default_manager if shown else model._base_manager
        related = _related_by_key(model, manager, target)
        if loops:
            spot.loops.related[known] = related
        related.shape = _shape(nested, _apart(model, "", related.selection, spot))
    return related


def _related_by_key(model: type[Model], manager: "Manager[Any]", target: Target) -> Related:
    def rows(keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
        return manager.using(using).filter(pk__in=keys).order_by()

    selection = Selection()
    label = selection.column("pk")
    return Related(
        where=target.where,
        queryset=rows,
        label=label,
        key=model._meta.pk,
        selection=selection,
    )


def _apart(model: type[Model], prefix: str, selection: Selection, spot: Spot) -> Spot:
    """Return the spot of a statement of its own."""
    return replace(spot, model=model, prefix=prefix, selection=selection, nullable=False)


def _follow(shape: Shape, target: Target, path: Sequence[str], spot: Spot) -> None:
    """Add what a path through relations leads to."""
    relation = need_field(spot.model, path[0], target.where)
    if relation.is_relation and relation.related_model is None:
        raise ConfigError(
            f"{target.where}: {path[0]!r} is a generic relation, which is not supported"
        )
    if is_many(relation):
        if not target.many:
            raise ConfigError(
                f"{target.where}: {path[0]!r} leads to many rows, so the type must be a list of "
                "something"
            )
        shape.parts.append(_many(target, relation, path[1:], spot))
        return
    if target.options.queryset is not None:
        raise ConfigError(f"{target.where}: queryset= belongs to a relation that leads to many")
    if len(path) > 1:
        if not relation.is_relation:
            raise ConfigError(f"{target.where}: {path[0]!r} is a column, so nothing can follow it")
        nullable = spot.nullable or may_be_null(relation)
        prefix = f"{spot.prefix}{path[0]}__"
        inner = replace(spot, model=relation.related_model, prefix=prefix, nullable=nullable)
        _follow(shape, target, path[1:], inner)
        return
    if target.nested is None:
        _column(shape, target, path[0], relation, spot)
    else:
        _single(shape, target, path[0], relation, spot)


def _column(shape: Shape, target: Target, name: str, column: Relation, spot: Spot) -> None:
    check_null(target, column, spot)
    check_type(column, target.annotation, target.where)
    index = spot.selection.column(f"{spot.prefix}{name}")
    shape.columns.append(Column(target.output, index, converter(column, target.annotation)))


def _single(shape: Shape, target: Target, name: str, relation: Relation, spot: Spot) -> None:
    nested = target.nested
    assert nested is not None  # noqa: S101 - the caller has looked
    if not relation.is_relation:
        raise ConfigError(f"{target.where}: {name!r} is a column, which has no {nested.__name__}")
    if target.many:
        raise ConfigError(
            f"{target.where}: {name!r} leads to one row, so the type must not be a list"
        )
    check_null(target, relation, spot)
    _check_model(nested, relation.related_model, target.where)
    if nested in spot.outer and spot.scope is None:
        shape.parts.append(_loop(target, nested, relation, spot))
        return
    inner = replace(
        spot, model=relation.related_model, prefix=f"{spot.prefix}{name}__", nullable=False
    )
    key = spot.selection.column(f"{spot.prefix}{name}__pk")
    shape.parts.append(Single((target.output,), key, _shape(nested, inner)))


def _many(target: Target, relation: Relation, rest: Sequence[str], spot: Spot) -> Many:
    nested = target.nested
    if nested is None:
        return _plain_many(target, relation, rest, spot)
    if rest:
        raise ConfigError(
            f"{target.where}: a list of schemas takes a relation, not a path beyond it"
        )
    _check_model(nested, relation.related_model, target.where)
    if nested in spot.outer and spot.scope is None:
        return _loop(target, nested, relation, spot)
    link = link_of(relation, target.options.queryset, target.where)
    related, inner = _linked(target, link, spot)
    related.shape = _shape(nested, inner)
    return Many((target.output,), spot.selection.column(f"{spot.prefix}{link.key}"), related)


def _linked(target: Target, link: Any, spot: Spot) -> tuple[Related, Spot]:
    selection = Selection()
    label = selection.column(link.label)
    key = need_field(spot.model, link.key, target.where)
    related = Related(
        where=target.where,
        queryset=link.rows,
        label=label,
        key=key,
        selection=selection,
        static=_is_static(target, link, key, spot),
    )
    return related, _apart(link.model, link.prefix, selection, spot)


def _is_static(target: Target, link: Any, key: Relation, spot: Spot) -> bool:
    """Return whether the rows of a relation are the same each time, but for the keys."""
    base = target.options.queryset
    if base is not None and not is_plain_queryset(type(base)):
        return False
    # The table between, of a many-to-many relation.
    table = link.rows(KeyList(key), None).model
    return all(map(is_static, (link.model, spot.model, table)))


def _loop(target: Target, nested: AnySchema, relation: Relation, spot: Spot) -> Many:
    """Return what reads the rows of a schema inside of itself, level by level."""
    if not (target.many or admits(target)):
        raise ConfigError(
            f"{target.where}: it is None where the row would be inside of itself; write "
            f"{nested.__name__} | None"
        )
    link = link_of(relation, target.options.queryset, target.where)
    known = (nested, relation, id(target.options.queryset))
    related = spot.loops.related.get(known)
    if related is None:
        related, inner = _linked(target, link, spot)
        spot.loops.related[known] = related
        related.shape = _shape(nested, inner)
    key = spot.selection.column(f"{spot.prefix}{link.key}")
    return Many((target.output,), key, related, single=not target.many)


def _plain_many(target: Target, relation: Relation, rest: Sequence[str], spot: Spot) -> Many:
    link = link_of(relation, target.options.queryset, target.where)
    related, inner = _linked(target, link, spot)
    path, column = _plain_path(inner, rest, target.where)
    check_items(target, column)
    related.value = related.selection.column(path)
    related.convert = converter(column, target.element)
    return Many((target.output,), spot.selection.column(f"{spot.prefix}{link.key}"), related)


def _plain_path(spot: Spot, rest: Sequence[str], where: str) -> tuple[str, Relation]:
    model: Any = spot.model
    column = model._meta.pk
    for index, part in enumerate(rest):
        column = need_field(model, part, where)
        if is_many(column):
            raise ConfigError(
                f"{where}: a second many relation, {part!r}, in one path; nest a schema"
            )
        if index < len(rest) - 1:
            if not column.is_relation:
                raise ConfigError(f"{where}: {part!r} is a column, so nothing can follow it")
            model = column.related_model
    return spot.prefix + ("__".join(rest) or "pk"), column


def as_schema(target: Any) -> AnySchema | None:
    """Return a type when it is a schema, else None."""
    return target if isinstance(target, type) and hasattr(target, "__utilmeta_schema__") else None


def _check_model(nested: AnySchema, model: type[Model], where: str) -> None:
    declared = nested.model_of()
    if not is_of(model, declared):
        raise ConfigError(
            f"{where}: {nested.__name__} is a schema of {declared.__name__}, but the relation "
            f"leads to {model.__name__}"
        )
