"""Schemas: typed views of a Django model, read in a constant number of statements."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, overload

import pydantic
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet

from utilmeta.core.orm.compile import as_schema, compile_plan
from utilmeta.core.orm.errors import EmptyQueryset
from utilmeta.core.orm.plan import Plan, Record
from utilmeta.utils.annotations import element_of
from utilmeta.utils.exceptions import ConfigError, OrmError

M = TypeVar("M", bound=Model)
S = TypeVar("S", bound="Schema[Any]")


class Rows(Sequence[S]):
    """What `serialize` read: records that encode as they are, and schema instances on demand.

    Args:
        schema: the schema that read them.
        records: plain dictionaries by JSON name.
    """

    def __init__(self, schema: type[S], records: list[Record]) -> None:
        self._schema = schema
        self._records = records

    @overload
    def __getitem__(self, index: int) -> S: ...

    @overload
    def __getitem__(self, index: slice) -> "Rows[S]": ...

    def __getitem__(self, index: int | slice) -> "S | Rows[S]":
        if isinstance(index, slice):
            return Rows(self._schema, self._records[index])
        return self._schema.from_record(self._records[index])

    def __iter__(self) -> Iterator[S]:
        return (self._schema.from_record(record) for record in self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return self._schema is other._schema and self._records == other._records
        return list(self) == other if isinstance(other, list) else NotImplemented

    # A sequence that compares by content has no hash.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} of {self._schema.__name__}>"

    def __json_rows__(self) -> list[Record]:
        """Return the records, which are what JSON is made of."""
        return self._records


class Schema(pydantic.BaseModel, Generic[M]):
    """Base of the schemas of a model: `class ArticleSchema(orm.Schema[Article])`.

    A field reads the model's field of the same name, or what `orm.Field` names. A field whose type
    is another schema reads a relation, one whose type is a list of them a many relation.
    """

    model_config = pydantic.ConfigDict(populate_by_name=True, arbitrary_types_allowed=True)

    __utilmeta_schema__: ClassVar[bool] = True
    _plan: ClassVar[Plan | None] = None

    @classmethod
    def model_of(cls) -> type[Model]:
        """Return the Django model.

        Raises:
            ConfigError: the class does not say which.
        """
        for base in cls.__mro__:
            metadata = getattr(base, "__pydantic_generic_metadata__", None)
            for argument in (metadata or {}).get("args", ()):
                if isinstance(argument, type) and issubclass(argument, Model):
                    return argument
        raise ConfigError(f"{cls.__name__}: of which model? write orm.Schema[Model]")

    @classmethod
    def plan(cls) -> Plan:
        """Return how the schema reads its model; worked out once.

        Raises:
            ConfigError: a field has no source in the model; see `compile_plan`.
        """
        found = cls.__dict__.get("_plan")
        if found is None:
            found = compile_plan(cls, cls.model_of())
            cls._plan = found
        return found

    @classmethod
    def serialize(cls, source: "QuerySet[Any] | Iterable[Any]") -> Rows[Self]:
        """Read rows in `plan().queries` statements.

        Args:
            source: a queryset, or primary keys (or instances), whose order is kept; keys without a
                row are left out.

        Returns:
            A sequence of schema instances; as the answer of an endpoint it is encoded from the
            rows, without any being made.
        """
        if isinstance(source, QuerySet):
            _check_queryset(cls, source)
            return Rows(cls, cls.plan().read(source)[0])
        return Rows(cls, cls._read_keys(list(source)))

    @classmethod
    def _read_keys(cls, sources: list[Any]) -> list[Record]:
        """Return the records of keys and instances, each instance's from its own database."""
        model = cls.model_of()
        wanted = [key for item in sources if (key := _key_of(cls, model, item)) is not None]
        found: dict[tuple[str | None, Any], Record] = {}
        for alias in dict.fromkeys(alias for alias, _ in wanted):
            manager: Any = model._default_manager
            keys = {key for home, key in wanted if home == alias}
            rows = manager.using(alias) if alias is not None else manager.all()
            records, found_keys = cls.plan().read(rows.filter(pk__in=keys).order_by())
            found.update(
                {(alias, key): record for key, record in zip(found_keys, records, strict=True)}
            )
        return [found[key] for key in wanted if key in found]

    @classmethod
    async def aserialize(cls, source: "QuerySet[Any] | Iterable[Any]") -> Rows[Self]:
        """Read rows; the async twin of `serialize`, in one hop to the request's worker thread."""
        rows: Rows[Self] = await sync_to_async(cls.serialize)(source)
        return rows

    @classmethod
    def init(cls, source: Any) -> Self:
        """Read one row as an instance.

        Args:
            source: a primary key, an instance, or a queryset, whose first row is read.

        Raises:
            EmptyQueryset: there is no such row (404).
        """
        if isinstance(source, QuerySet):
            _check_queryset(cls, source)
            records = cls.plan().read(source[:1])[0]
        else:
            records = cls._read_keys([source])
        if not records:
            raise EmptyQueryset(f"{cls.model_of()._meta.verbose_name} not found")
        return cls.from_record(records[0])

    @classmethod
    async def ainit(cls, source: Any) -> Self:
        """Read one row as an instance; the async twin of `init`."""
        instance: Self = await sync_to_async(cls.init)(source)
        return instance

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Return an instance for a record that the plan read; nothing is validated again."""
        return _instance(cls, record)


def _instance(schema: type[S], record: Record) -> S:
    values: dict[str, Any] = {}
    for name, info in schema.model_fields.items():
        value = record[info.serialization_alias or info.alias or name]
        nested = as_schema(element_of(info.annotation)[0])
        if nested is not None and value is not None:
            value = (
                [_instance(nested, item) for item in value]
                if isinstance(value, list)
                else _instance(nested, value)
            )
        # Rows that share a related row share its list, which an instance must not.
        values[name] = list(value) if isinstance(value, list) else value
    made: Any = schema.model_construct(**values)
    return cast("S", made)


def _key_of(
    schema: type[Schema[Any]], model: type[Model], source: Any
) -> tuple[str | None, Any] | None:
    """Return database and key of a row, None when no row can have such a key."""
    alias = None
    if isinstance(source, Model):
        if not isinstance(source, model):
            raise OrmError(
                f"{schema.__name__} reads {model.__name__}, got an instance of "
                f"{type(source).__name__}"
            )
        alias, source = source._state.db, source.pk
    field: Any = model._meta.pk
    try:
        key = field.to_python(source)
    except ValidationError:
        return None
    if isinstance(key, int) and not isinstance(key, bool):
        while field.is_relation:
            field = field.target_field
        ranges = connections[alias or DEFAULT_DB_ALIAS].ops.integer_field_ranges
        # What a backend names no range for is a 64-bit number.
        low, high = ranges.get(field.get_internal_type(), ranges["BigIntegerField"])
        if not low <= key <= high:
            return None
    return alias, key


def _check_queryset(schema: type[Schema[Any]], queryset: "QuerySet[Any]") -> None:
    if not issubclass(queryset.model, schema.model_of()):
        raise OrmError(
            f"{schema.__name__} reads {schema.model_of().__name__}, got a queryset of "
            f"{queryset.model.__name__}"
        )
