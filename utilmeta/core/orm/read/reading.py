"""What schemas do to read: plans kept, sources told apart, instances made."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import QuerySet
from pydantic_core import MISSING

from utilmeta.core.orm.context import QueryContext
from utilmeta.core.orm.errors import EmptyQueryset, MissingPrimaryKey
from utilmeta.core.orm.keys import key_of
from utilmeta.core.orm.permits import visible
from utilmeta.core.orm.prepare import key_names
from utilmeta.core.orm.read.compile import as_schema, compile_plan
from utilmeta.core.orm.read.plan import Plan, in_batches
from utilmeta.core.orm.read.records import HidingRecord, Record
from utilmeta.core.orm.read.rows import Rows
from utilmeta.core.orm.read.spots import complete, output_name
from utilmeta.core.orm.relations import is_of
from utilmeta.core.orm.scopes import Scope, ScopeError
from utilmeta.utils.annotations import collection_of, element_of
from utilmeta.utils.exceptions import BadRequest, OrmError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

S = TypeVar("S", bound="Schema[Any]")
AnySchema = type["Schema[Any]"]

# What a schema keeps of an instance that was read, beside its fields.
_PRIVATE: dict[str, Any] = {"_key": None, "_was_read": True, "_coded": frozenset()}

# Scopes whose plans are kept.
_MAX_SCOPES = 1024


def plan_of(schema: AnySchema, scope: Scope | None) -> Plan:
    """Return how a schema reads its model; each plan is worked out once."""
    if scope is not None:
        return _scoped_plan(schema, scope)
    found: Plan | None = schema.__dict__.get("__utilmeta_plan__")
    if found is None:
        complete(schema)
        found = compile_plan(schema, schema.model_of())
        schema.__utilmeta_plan__ = found  # type: ignore[attr-defined]
    return found


@lru_cache(_MAX_SCOPES)
def _scoped_plan(schema: AnySchema, scope: Scope) -> Plan:
    complete(schema)
    check_scope(schema, scope, "")
    return compile_plan(schema, schema.model_of(), scope)


def check_scope(schema: AnySchema, scope: Scope, path: str) -> None:
    """Refuse names that a schema has not.

    Raises:
        ScopeError: there is one.
    """
    complete(schema)
    known = {
        alias: info
        for name, info in schema.model_fields.items()
        if not info.exclude
        for alias in (name, output_name(name, info))
    }
    computed = {
        alias for name, info in schema.model_computed_fields.items() for alias in (name, info.alias)
    }
    for name, inside in scope.fields:
        if name not in known and name not in computed:
            raise ScopeError(f"There is no field {path + name!r}")
        if inside is None:
            continue
        nested = as_schema(element_of(known[name].annotation)[0]) if name in known else None
        if nested is None:
            raise ScopeError(f"{path + name!r} has no fields of its own")
        check_scope(nested, inside, f"{path}{name}.")


def serialize(schema: type[S], source: Any, context: QueryContext) -> Rows[S]:
    """Return the rows of a queryset, a query, or of keys and instances; see `Schema.serialize`."""
    if hasattr(source, "__utilmeta_query__"):
        rows: Rows[S] = source.read(schema, context)
        return rows
    plan = scoped(schema, context)
    with context.entered():
        if isinstance(source, QuerySet):
            check_queryset(schema, source)
            records, keys = plan.read(source)
            return Rows(schema, records, keys)
        if isinstance(source, str | bytes) or not isinstance(source, Iterable):
            raise OrmError(
                f"{schema.__name__}.serialize({source!r}): expected a queryset, a query, or "
                "several keys or instances; init reads one row"
            )
        found = _by_keys(schema, plan, source, None)
    there = [(key, record) for key, record in found if record is not None]
    return Rows(schema, [record for _, record in there], [key for key, _ in there])


def scoped(schema: AnySchema, context: QueryContext) -> Plan:
    """Return the plan of what a context asks for.

    Raises:
        BadRequest: it asks for a field that is not there.
    """
    try:
        shown = visible(schema, context.scope, context.request)
        if shown is not context.scope and context.scope is not None:
            # What is asked for may be wrong beside what is hidden.
            check_scope(schema, context.scope, "")
        return plan_of(schema, shown)
    except ScopeError as exc:
        fault = {"place": context.place, "code": "scope", "expected": str(exc)}
        raise BadRequest("The request is invalid", errors=[fault]) from exc


def read_one(schema: type[S], source: Any, context: QueryContext) -> S:
    """Return the instance of one row; see `Schema.init`."""
    if hasattr(source, "__utilmeta_query__"):
        context = source.context_of(context)
        source = source.get_queryset()
    plan = scoped(schema, context)
    with context.entered():
        if isinstance(source, QuerySet):
            check_queryset(schema, source)
            whole = source if source.query.is_sliced else source[:1]
            records, keys = plan.read(whole)
        else:
            named = key_of(schema.__name__, plan.model, source)
            records, keys = ([], []) if named is None else plan.read_keys([named[1]], named[0])
    if not records:
        raise EmptyQueryset(f"{schema.model_of()._meta.verbose_name} not found")
    return schema.from_record(records[0], keys[0])


def _by_keys(
    schema: AnySchema, plan: Plan, source: Iterable[Any], using: str | None
) -> list[tuple[Any, Record | None]]:
    """Return key and record of each key or instance, each instance's from its own database."""
    model: Any = plan.model
    wanted = [key_of(schema.__name__, model, item) for item in source]
    found: dict[tuple[str | None, Any], Record] = {}
    for alias in dict.fromkeys(item[0] for item in wanted if item is not None):
        keys = {item[1] for item in wanted if item is not None and item[0] == alias}
        for some in in_batches(keys):
            records, found_keys = plan.read_keys(some, alias or using)
            for key, record in zip(found_keys, records, strict=True):
                found[alias, key] = record
    return [(None, None) if item is None else (item[1], found.get(item)) for item in wanted]


def records_of(schema: AnySchema, sources: Iterable[Any], using: str | None) -> list[Record | None]:
    """Return the record of each key or instance, None where there is no row."""
    return [record for _, record in _by_keys(schema, plan_of(schema, None), sources, using)]


@dataclass(frozen=True, slots=True)
class _Member:
    """A field of an instance.

    Attributes:
        name: its name.
        output: its name in records.
        nested: the schema that its type is, or is a collection of.
        kind: the type of the collection, when it is none of JSON's.
    """

    name: str
    output: str
    nested: Any
    kind: type | None


def _members(schema: AnySchema) -> tuple[_Member, ...]:
    """Return the fields of a schema's instances; looked at once."""
    found: tuple[_Member, ...] | None = schema.__dict__.get("__utilmeta_members__")
    if found is None:
        found = tuple(
            _Member(name, output_name(name, info), as_schema(element_of(info.annotation)[0]), kind)
            for name, info in schema.model_fields.items()
            for kind in [collection_of(info.annotation)]
        )
        schema.__utilmeta_members__ = found  # type: ignore[attr-defined]
    return found


def make_instance(schema: type[S], record: Record, key: Any) -> S:
    """Return a schema's instance of a record."""
    values: dict[str, Any] = {}
    hidden = record.hidden if isinstance(record, HidingRecord) else {}
    for member in _members(schema):
        if member.output in hidden:
            value = hidden[member.output]
        elif member.output in record:
            value = record[member.output]
        else:
            # Not read: in no scope, or only for writing.
            continue
        if value.__class__ in _SHARED or member.nested is not None:
            value = _own(member, value)
        values[member.name] = value
    made: Any = schema.__new__(schema)
    object.__setattr__(made, "__dict__", values)
    # What is set from here on is what `save` writes.
    object.__setattr__(made, "__pydantic_fields_set__", set())
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", _PRIVATE | {"_key": key})
    if len(schema.__private_attributes__) > len(_PRIVATE):
        # The project's own private attributes; pydantic makes them where there are none at all.
        object.__setattr__(made, "__pydantic_private__", None)
        made.model_post_init(None)
        made.__pydantic_private__.update(_PRIVATE, _key=key)
    instance: S = made
    return instance


# Values that rows may share, which instances must not.
_SHARED = (list, dict, HidingRecord)
_ATOMS = frozenset({str, int, float, bool, type(None)})


def _own(member: _Member, value: Any) -> Any:
    """Return a value for one instance alone."""
    nested = member.nested
    if nested is None or value is None:
        is_flat = value.__class__ is list and all(item.__class__ in _ATOMS for item in value)
        made = list(value) if is_flat else copy.deepcopy(value)
    elif isinstance(value, list):
        made = [make_instance(nested, item, None) for item in value]
    else:
        return make_instance(nested, value, None)
    return made if member.kind is None or made is None else member.kind(made)


def key_value(instance: Any) -> Any:
    """Return the primary key of a schema's instance, None when it is not known."""
    private = instance.__pydantic_private__
    if private is not None and private["_key"] is not None:
        return private["_key"]
    for name in key_names(type(instance)):
        value = instance.__dict__.get(name)
        if value is not None and value is not MISSING:
            return value
    return None


def set_key(instance: Any, value: Any) -> None:
    """Give a schema's instance the primary key of its row."""
    instance._key = value
    for name in key_names(type(instance)):
        instance.__dict__[name] = value


def read_instance(instance: Any, using: str | None) -> Any:
    """Return the model's instance of a schema's; see `Schema.get_instance`."""
    model: Any = type(instance).model_of()
    key = instance.pk
    if key is None:
        raise MissingPrimaryKey(f"{type(instance).__name__}: of which row? its key is not known")
    manager = model._default_manager
    rows = manager.all() if using is None else manager.using(using)
    found = rows.filter(pk=key).first()
    if found is None:
        raise EmptyQueryset(f"{model._meta.verbose_name} not found")
    return found


def check_queryset(schema: AnySchema, queryset: "QuerySet[Any]") -> None:
    """Refuse a queryset of another model.

    Raises:
        OrmError: it is one.
    """
    if not is_of(queryset.model, schema.model_of()):
        raise OrmError(
            f"{schema.__name__} reads {schema.model_of().__name__}, got a queryset of "
            f"{queryset.model.__name__}"
        )
    if getattr(queryset, "_fields", None) is not None:
        raise OrmError(
            f"{schema.__name__} reads whole rows, got a queryset with values(), whose groups would "
            "come apart; return such a queryset as a list of dictionaries"
        )
