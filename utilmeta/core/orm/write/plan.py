"""Write plans: which column or relation each field of a schema is written to, worked out once."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import (
    AutoField,
    DurationField,
    Field,
    ForeignObjectRel,
    IntegerField,
    JSONField,
    ManyToManyField,
    ManyToManyRel,
    Model,
    UUIDField,
)
from pydantic.fields import FieldInfo

from utilmeta.core.orm.fields import OnWrite, is_computed, options_of
from utilmeta.core.orm.prepare import letters_of
from utilmeta.core.orm.read.compile import as_schema
from utilmeta.core.orm.read.spots import complete, output_name
from utilmeta.core.orm.relations import find_field, is_many, table_of
from utilmeta.utils.annotations import element_of
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

AnySchema = type["Schema[Any]"]


@dataclass(frozen=True, slots=True)
class WriteColumn:
    """A field that is written to a column of the row.

    Attributes:
        name: the schema's field.
        wire: its name in JSON.
        column: the model's field.
        required: whether a new row must be given a value.
        plain: classes of values that are written as they are; texts if every database holds them.
    """

    name: str
    wire: str
    column: Any
    required: bool
    plain: frozenset[type] = frozenset()


@dataclass(frozen=True, slots=True)
class WriteLinks:
    """A field that holds the keys of a many-to-many relation.

    Attributes:
        name: the schema's field.
        wire: its name in JSON.
        relation: the model's field or relation.
    """

    name: str
    wire: str
    relation: Any


@dataclass(frozen=True, slots=True)
class WriteNested:
    """A field that holds related rows.

    Attributes:
        name: the schema's field.
        wire: its name in JSON.
        relation: the model's field or relation.
        schema: schema of the related rows.
        policy: what is done with them.
        many: whether it is a list.
    """

    name: str
    wire: str
    relation: Any
    schema: AnySchema
    policy: OnWrite
    many: bool

    @property
    def is_forward(self) -> bool:
        """Whether the row itself points at the related row, which is then written first."""
        return not self.many and isinstance(self.relation, Field)

    @property
    def is_linked(self) -> bool:
        """Whether a table between holds the pairs."""
        return isinstance(self.relation, ManyToManyField | ManyToManyRel)


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePlan:
    """How a schema is written.

    Attributes:
        schema: the schema.
        model: the Django model.
        columns: fields that are columns, without the primary key.
        keys: fields that are the primary key.
        links: fields that are keys of many-to-many relations.
        nested: fields that are related rows.
        version: the column that counts updates; None without one.
        kept: what is worked out when it is first needed, such as texts of statements.
    """

    schema: AnySchema
    model: type[Model]
    columns: list[WriteColumn] = field(default_factory=list)
    keys: list[WriteColumn] = field(default_factory=list)
    links: list[WriteLinks] = field(default_factory=list)
    nested: list[WriteNested] = field(default_factory=list)
    version: WriteColumn | None = None
    kept: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_single(self) -> bool:
        """Whether a row is written in one statement, which needs no transaction."""
        return not (self.links or self.nested or self.version or self.model._meta.parents)

    @property
    def makes_keys(self) -> bool:
        """Whether the database makes the keys of new rows."""
        return isinstance(self.model._meta.pk, AutoField)

    def sends(self, column: Any) -> bool:
        """Return whether a model's field is among those of the schema."""
        return any(item.column is column for item in (*self.columns, *self.keys))

    def wire_of(self, column: Any) -> str:
        """Return the JSON name of a model's field; its own name where the schema has none."""
        for item in (*self.columns, *self.keys):
            if item.column is column:
                return item.wire
        name: str = column.name
        return name


def write_plan_of(schema: AnySchema) -> WritePlan:
    """Return how a schema is written; worked out once.

    Raises:
        ConfigError: a field is said to be written, but cannot be.
    """
    found: WritePlan | None = schema.__dict__.get("__utilmeta_write__")
    if found is None:
        complete(schema)
        found = _compile(schema, schema.model_of())
        schema.__utilmeta_write__ = found  # type: ignore[attr-defined]
    return found


def _compile(schema: AnySchema, model: type[Model]) -> WritePlan:
    plan = WritePlan(schema=schema, model=model, version=_version_of(schema, model))
    for name, info in schema.model_fields.items():
        letters = letters_of(name, info, model)
        if set(letters) & {"a", "w"} and not options_of(info).version:
            _add(plan, name, info, f"{schema.__name__}.{name}")
    return plan


def _version_of(schema: AnySchema, model: type[Model]) -> WriteColumn | None:
    """Return the field that counts updates, also of the schema that this one is a use of.

    Raises:
        ConfigError: it is no whole number.
    """
    fields = {
        name: info
        for owner in reversed(schema.__mro__)
        for name, info in getattr(owner, "__pydantic_fields__", {}).items()
    }
    for name, info in fields.items():
        if options_of(info).version:
            column = find_field(model, options_of(info).source or name)
            if column is None or column.get_internal_type() not in _COUNTERS:
                raise ConfigError(f"{schema.__name__}.{name}: a version is a whole number")
            return WriteColumn(name, output_name(name, info), column, required=False)
    return None


_COUNTERS = frozenset(
    {
        "IntegerField",
        "BigIntegerField",
        "PositiveIntegerField",
        "PositiveBigIntegerField",
        "SmallIntegerField",
        "PositiveSmallIntegerField",
    }
)


def _add(plan: WritePlan, name: str, info: FieldInfo, where: str) -> WriteColumn | None:
    options = options_of(info)
    wire = output_name(name, info)
    source = options.source or name
    if is_computed(source) or "." in source:
        raise ConfigError(f"{where}: {source!r} is computed, so it cannot be written; drop mode=")
    relation = find_field(plan.model, source)
    element, many = element_of(info.annotation)
    nested = as_schema(element)
    if nested is not None:
        if options.on_write is not None:
            _check_nested(relation, many, options.on_write, where)
            plan.nested.append(WriteNested(name, wire, relation, nested, options.on_write, many))
        return None
    if isinstance(relation, ManyToManyField | ManyToManyRel):
        _check_table(relation, where)
        plan.links.append(WriteLinks(name, wire, relation))
        return None
    if not isinstance(relation, Field) or not relation.concrete:
        raise ConfigError(f"{where}: {source!r} is no column or many-to-many relation to write to")
    column = WriteColumn(name, wire, relation, _is_required(relation), _plain_of(relation))
    (plan.keys if relation.primary_key else plan.columns).append(column)
    return column


def _check_table(relation: Any, where: str) -> None:
    """Refuse a table between that points at other columns than the keys.

    Raises:
        ConfigError: it does.
    """
    through, *names = table_of(relation)
    for name in names:
        if not through._meta.get_field(name).target_field.primary_key:
            raise ConfigError(
                f"{where}: {through.__name__}.{name} points at another column than the key, which "
                "is read but not written; write rows of the table between"
            )


def _is_required(column: Any) -> bool:
    return (
        not (column.has_default() or column.has_db_default() or column.null or column.blank)
        and not getattr(column, "auto_now", False)
        and not getattr(column, "auto_now_add", False)
    )


# Columns that read texts, which are sent where something else is meant.
READ = (DurationField, IntegerField, UUIDField)


def _plain_of(column: Any) -> frozenset[type]:
    if isinstance(column, JSONField) or hasattr(column, "utilmeta_from_client"):
        return frozenset()
    numbers: frozenset[type] = frozenset({int, bool, type(None)})
    return numbers if isinstance(column, READ) else numbers | {str}


def _check_nested(relation: Any, many: bool, policy: OnWrite, where: str) -> None:
    if relation is None or not relation.is_relation:
        raise ConfigError(f"{where}: a nested schema is written to a relation of the model")
    if many != is_many(relation):
        raise ConfigError(f"{where}: {relation.name!r} leads to {'one row' if many else 'many'}")
    if isinstance(relation, Field) and not many and policy == "replace":
        raise ConfigError(
            f"{where}: on_write='replace' would delete a row that others may point at; use "
            "'update' or 'create'"
        )
    if isinstance(relation, ManyToManyField | ManyToManyRel):
        _check_table(relation, where)
    elif not isinstance(relation, Field | ForeignObjectRel):
        raise ConfigError(f"{where}: {relation.name!r} is a generic relation, which is not written")
