"""Schemas: typed views of a Django model, read in a constant number of statements."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import pydantic
from asgiref.sync import sync_to_async
from django.db.models import Model

from utilmeta.core.orm.context import QueryContext, as_context
from utilmeta.core.orm.modes import Mode
from utilmeta.core.orm.parametrize import parametrized
from utilmeta.core.orm.prepare import describe_fields, ignored_names, prepare
from utilmeta.core.orm.read.dumping import members_of
from utilmeta.core.orm.read.plan import Plan
from utilmeta.core.orm.read.reading import (
    key_value,
    make_instance,
    plan_of,
    read_instance,
    read_one,
    records_of,
    serialize,
    set_key,
)
from utilmeta.core.orm.read.records import Record
from utilmeta.core.orm.read.rows import Rows
from utilmeta.core.orm.scopes import Scope
from utilmeta.core.orm.write.methods import Writing
from utilmeta.core.request import Request
from utilmeta.core.request.current import in_code
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from utilmeta.core.orm.query import Query

M = TypeVar("M", bound=Model)

Context = QueryContext | Request | Mapping[str, Any] | None
Source: TypeAlias = "QuerySet[Any] | Query[Any] | Iterable[Any]"

if TYPE_CHECKING:
    # What type checkers know: a schema is of a model.
    class _Base(pydantic.BaseModel, Generic[M]):
        pass
else:

    class _Base(pydantic.BaseModel):
        # It is Schema that keeps the model.
        def __class_getitem__(cls, _item):
            return cls


class _Key:
    """The primary key of an instance's row; on the class there is none, so it may be a field."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            raise AttributeError("pk")
        return key_value(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        set_key(instance, value)


class Schema(Writing, _Base[M]):
    """Base of the schemas of a model: `class ArticleSchema(orm.Schema[Article])`.

    A field reads the model's field of the same name, or what `orm.Field` names. A field whose type
    is another schema reads a relation, one whose type is a list of them a many relation.

    `ArticleSchema[orm.A]` is the schema for creating (`W` updating, `WP` updating in part, `R`
    reading); a schema without a model is given one later: `Base[Article]`.
    """

    model_config = pydantic.ConfigDict(
        populate_by_name=True,
        arbitrary_types_allowed=True,
        # As answers hold them.
        val_json_bytes="base64",
        ser_json_bytes="base64",
    )

    __utilmeta_schema__: ClassVar[bool] = True
    __utilmeta_model__: ClassVar[type[Model] | None] = None
    __utilmeta_mode__: ClassVar[Mode | None] = None
    __utilmeta_projected__: ClassVar[bool] = False
    _key: Any = pydantic.PrivateAttr(None)
    _was_read: bool = pydantic.PrivateAttr(default=False)
    # What clients cannot set, and code has.
    _coded: frozenset[str] = pydantic.PrivateAttr(default=frozenset())

    if TYPE_CHECKING:

        @property
        def pk(self) -> Any:
            """Primary key of the row, None when unknown; it may be set before `save`."""

        @pk.setter
        def pk(self, value: Any) -> None: ...

    else:

        def __setattr__(self, name, value):
            """Set a field; the key of the row wherever it is kept."""
            if name == "pk":
                set_key(self, value)
            else:
                super().__setattr__(name, value)
                if name in ignored_names(type(self)):
                    self._coded |= {name}

        def __init__(self, /, **data: Any) -> None:
            """Make an instance; code may give what clients cannot set."""
            token = in_code.set(True)
            try:
                pydantic.BaseModel.__init__(self, **data)
            finally:
                in_code.reset(token)
            for name in ignored_names(type(self)):
                if name in data:
                    setattr(self, name, data[name])
            if "pk" in data:
                set_key(self, data["pk"])

        # Validation must not call it, as what clients send is another thing.
        __init__.__pydantic_base_init__ = True

        def __class_getitem__(cls, item: Any) -> Any:
            """Return the schema of a model, or in a mode; each is made once."""
            return parametrized(cls, item)

    def __eq__(self, other: object) -> bool:
        """Return whether all fields are equal."""
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Make the fields ready, then let pydantic build the validator."""
        prepare(cls, cls.__utilmeta_model__, cls.__utilmeta_mode__)
        return handler(source)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        """Describe what clients may send, or what answers hold."""
        return describe_fields(cls, core_schema, handler)

    @classmethod
    def model_of(cls) -> type[Model]:
        """Return the Django model.

        Raises:
            ConfigError: the class does not say which.
        """
        if cls.__utilmeta_model__ is None:
            raise ConfigError(f"{cls.__name__}: of which model? write orm.Schema[Model]")
        return cls.__utilmeta_model__

    @classmethod
    def plan(cls, scope: Scope | None = None) -> Plan:
        """Return how the schema reads its model; worked out once. `print` shows its statements.

        Args:
            scope: which fields are wanted; None for all.

        Raises:
            ConfigError: a field has no source in the model; see `compile_plan`.
        """
        return plan_of(cls, scope)

    @classmethod
    def serialize(cls, source: Source, context: Context = None) -> Rows[Self]:
        """Read rows in `plan().queries` statements.

        Args:
            source: a queryset, a query, or primary keys (or instances), whose order is kept; keys
                without a row are left out.
            context: whose request it is for, values of context variables by name, or an
                `orm.QueryContext`; None takes the request that is being answered.

        Returns:
            A sequence of schema instances; as the answer of an endpoint it is encoded from the
            rows, without any being made.

        Raises:
            OrmError: the source is of another model.
            BadRequest: a query asks for what is not there.
        """
        return serialize(cls, source, as_context(context))

    @classmethod
    async def aserialize(cls, source: Source, context: Context = None) -> Rows[Self]:
        """Read rows; the async twin of `serialize`, in one hop to the request's worker thread."""
        rows: Rows[Self] = await sync_to_async(cls.serialize)(source, context)
        return rows

    @classmethod
    def init(cls, source: Any, context: Context = None) -> Self:
        """Read one row as an instance.

        Args:
            source: a primary key, an instance, or a queryset or query, whose first row is read.
            context: see `serialize`.

        Raises:
            EmptyQueryset: there is no such row (404).
        """
        return read_one(cls, source, as_context(context))

    @classmethod
    async def ainit(cls, source: Any, context: Context = None) -> Self:
        """Read one row as an instance; the async twin of `init`."""
        instance: Self = await sync_to_async(cls.init)(source, context)
        return instance

    @classmethod
    def records_of(cls, sources: Iterable[Any], using: str | None = None) -> list[Record | None]:
        """Return the record of each key or instance, None where there is no row.

        Args:
            sources: keys or instances.
            using: alias of the database of keys; None asks the routers.
        """
        return records_of(cls, sources, using)

    @classmethod
    def from_record(cls, record: Record, key: Any = None) -> Self:
        """Return an instance for a record that the plan read; nothing is validated again.

        Args:
            record: the record.
            key: its primary key.
        """
        return make_instance(cls, record, key)

    def __json_members__(self) -> dict[str, Any] | None:
        """Return what answers hold; None where pydantic has to write it."""
        return members_of(self)

    def get_instance(self, using: str | None = None) -> Any:
        """Return the model's instance of the row, read anew.

        Args:
            using: alias of the database; None asks the routers.

        Raises:
            MissingPrimaryKey: the key is not known.
            EmptyQueryset: there is no such row (404).
        """
        return read_instance(self, using)

    async def aget_instance(self, using: str | None = None) -> Any:
        """Return the model's instance of the row; the async twin of `get_instance`."""
        return await sync_to_async(self.get_instance)(using)


# Set here, as in the class body pydantic would take it for a field.
setattr(Schema, "pk", _Key())  # noqa: B010 - declared above as what it is to users
