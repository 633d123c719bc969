"""Queries of a model: `class ArticleQuery(orm.Query[Article])`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

import pydantic
from asgiref.sync import sync_to_async
from django.db.models import Model, QuerySet

from utilmeta.core.orm.context import QueryContext
from utilmeta.core.orm.parametrize import parametrized
from utilmeta.core.orm.query.compiled import Compiled, compile_query
from utilmeta.core.orm.query.prepare import prepare_query
from utilmeta.core.orm.query.reading import read_page, scope_of, selected
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.read.rows import Rows
    from utilmeta.core.orm.schema import Schema

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    # What type checkers know: a query is of a model.
    class _Base(pydantic.BaseModel, Generic[M]):
        pass
else:

    class _Base(pydantic.BaseModel):
        # It is Query that keeps the model.
        def __class_getitem__(cls, _item):
            return cls


class Query(_Base[M]):
    """Base of the queries of a model: what clients may ask for, and nothing else.

    A field filters by the model's column of its name, or does what `orm.Filter`, `orm.Search`,
    `orm.OrderBy`, `orm.Limit`, `orm.Offset`, `orm.Page`, `orm.Cursor` or `orm.Scope` says. Nothing
    has to be sent unless it is `required`. As the bare annotation of an endpoint's argument
    (`query: ArticleQuery`) it is taken from the query string; names it does not have are a 400.
    """

    model_config = pydantic.ConfigDict(
        extra="forbid", populate_by_name=True, arbitrary_types_allowed=True
    )

    __utilmeta_query__: ClassVar[bool] = True
    # Where an argument with this type comes from when nothing else is said.
    __utilmeta_place__: ClassVar[str] = "query"
    __utilmeta_model__: ClassVar[type[Model] | None] = None
    _rows: Any = pydantic.PrivateAttr(None)

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> Any:
            """Return the query of a model; each is made once."""
            return parametrized(cls, item)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Make the fields ready, then let pydantic build the validator."""
        prepare_query(cls)
        return handler(source)

    @classmethod
    def model_of(cls) -> type[Model]:
        """Return the Django model.

        Raises:
            ConfigError: the class does not say which.
        """
        if cls.__utilmeta_model__ is None:
            raise ConfigError(f"{cls.__name__}: of which model? write orm.Query[Model]")
        return cls.__utilmeta_model__

    @classmethod
    def check(cls) -> Compiled:
        """Return what the query's fields do; worked out once, and at set-up for endpoints.

        Raises:
            ConfigError: a field does not fit the model.
        """
        found: Compiled | None = cls.__dict__.get("__utilmeta_compiled__")
        if found is None:
            found = compile_query(cls, cls.model_of())
            cls.__utilmeta_compiled__ = found  # type: ignore[attr-defined]
        return found

    def get_filtered(self, base: "QuerySet[M] | None" = None) -> "QuerySet[M]":
        """Return all rows that are asked for, whatever the page.

        Args:
            base: rows to choose from; None takes all.
        """
        return cast("QuerySet[M]", self.check().filtered(self, base))

    def get_queryset(self, base: "QuerySet[M] | None" = None) -> "QuerySet[M]":
        """Return the rows that are asked for: filtered, in order, and of the page.

        Args:
            base: rows to choose from; None takes all.

        Raises:
            BadRequest: parts of the query do not go together.
        """
        return cast("QuerySet[M]", selected(self, base).rows)

    def get_context(self) -> QueryContext:
        """Return which fields are asked for, to hand to `serialize(..., context=)`.

        Raises:
            BadRequest: it is told in two ways at once.
        """
        return self.context_of(QueryContext())

    def count(self, base: "QuerySet[M] | None" = None) -> int:
        """Return how many rows are asked for on all pages.

        Args:
            base: rows to choose from; None takes all.
        """
        return self.get_filtered(base).order_by().count()

    async def acount(self, base: "QuerySet[M] | None" = None) -> int:
        """Return how many rows are asked for on all pages; the async twin of `count`."""
        number: int = await sync_to_async(self.count)(base)
        return number

    def over(self, base: "QuerySet[M]") -> Self:
        """Return this query over some rows only, to hand to `serialize`.

        Args:
            base: the rows, such as those a user may see.
        """
        copied = self.model_copy()
        copied._rows = base
        return copied

    def read(self, schema: "type[Schema[Any]]", context: QueryContext) -> "Rows[Any]":
        """Return the rows of a schema that are asked for; what `serialize(query)` does."""
        return read_page(self, schema, context)

    def context_of(self, context: QueryContext) -> QueryContext:
        """Return a context with the fields that this query asks for."""
        scope, place = scope_of(self)
        return context if scope is None else replace(context, scope=scope, place=f"query.{place}")
