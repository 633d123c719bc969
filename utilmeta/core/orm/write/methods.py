"""What schemas can do to write rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from asgiref.sync import sync_to_async

from utilmeta.core.orm.write.plan import WritePlan, write_plan_of
from utilmeta.core.orm.write.save import commit, save_many, save_one

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Writing:
    """The methods of a schema that write rows."""

    @classmethod
    def write_plan(cls) -> WritePlan:
        """Return which columns and relations the schema is written to; worked out once.

        Raises:
            ConfigError: a field is said to be written, but cannot be.
        """
        return write_plan_of(cast("Any", cls))

    def save(
        self,
        *,
        must_create: bool = False,
        must_update: bool = False,
        transaction: bool = False,
        using: str | None = None,
        if_match: str | None = None,
    ) -> Self:
        """Write the row, and what is nested in it, and return this instance, which knows its `pk`.

        A schema for creating (`orm.A`) makes a new row, one for updating (`orm.W`, `orm.WP`)
        changes the row of its `pk`; without a mode it changes the row of its `pk` where there is
        one, and makes a row otherwise. What is more than one statement is done in a transaction.
        The model's `save` is called and its signals are sent; nested rows are written many at once,
        without.

        Args:
            must_create: whether the row has to be new.
            must_update: whether the row has to be there.
            transaction: whether what is looked up before is part of a transaction as well.
            using: alias of the database; None asks the routers.
            if_match: the request's `If-Match`, for schemas with a version; None takes the version
                that the instance holds.

        Raises:
            BadRequest: the database, or what the rows refer to, refuses values; tells each field.
            MissingPrimaryKey: an update does not say of which row (400).
            EmptyQueryset: there is no row to update (404).
            UpdateFailed: the row has another version (409).
            PreconditionFailed: the header names no version (412).
        """
        save_one(
            cast("Any", self),
            must_create=must_create,
            must_update=must_update,
            in_transaction=transaction,
            using=using,
            if_match=if_match,
        )
        return self

    async def asave(
        self,
        *,
        must_create: bool = False,
        must_update: bool = False,
        transaction: bool = False,
        using: str | None = None,
        if_match: str | None = None,
    ) -> Self:
        """Write the row; the async twin of `save`, in one hop to the request's worker thread."""
        saved: Self = await sync_to_async(self.save)(
            must_create=must_create,
            must_update=must_update,
            transaction=transaction,
            using=using,
            if_match=if_match,
        )
        return saved

    @classmethod
    def bulk_save(
        cls,
        data: Iterable[Self | Mapping[str, Any]],
        *,
        must_create: bool = False,
        must_update: bool = False,
        upsert_on: Sequence[str] = (),
        using: str | None = None,
    ) -> list[Self]:
        """Write many rows, all or none, in a constant number of statements.

        Rows with a key that exists are updated, all others are new. Signals are not sent, nor is
        the model's `save` called.

        Args:
            data: instances, or dictionaries, which are validated.
            must_create: whether all rows have to be new.
            must_update: whether all rows have to be there.
            upsert_on: fields that are unique together; a row without a key updates the row that
                has the same values of them.
            using: alias of the database; None asks the routers.

        Returns:
            The instances, in order, which know their `pk`.

        Raises:
            BadRequest: something is wrong with some rows; the place of each fault begins with the
                row's number, from 0.
        """
        found: Any = cls
        saved: list[Self] = save_many(
            found,
            data,
            must_create=must_create,
            must_update=must_update,
            upsert_on=upsert_on,
            using=using,
        )
        return saved

    @classmethod
    async def abulk_save(
        cls,
        data: Iterable[Self | Mapping[str, Any]],
        *,
        must_create: bool = False,
        must_update: bool = False,
        upsert_on: Sequence[str] = (),
        using: str | None = None,
    ) -> list[Self]:
        """Write many rows; the async twin of `bulk_save`."""
        saved: list[Self] = await sync_to_async(cls.bulk_save)(
            data,
            must_create=must_create,
            must_update=must_update,
            upsert_on=upsert_on,
            using=using,
        )
        return saved

    def commit(self, queryset: "QuerySet[Any]", using: str | None = None) -> int:
        """Write what was set to all rows of a queryset, in one statement.

        Args:
            queryset: the rows.
            using: alias of the database; None takes the queryset's own, else asks the routers.

        Returns:
            How many rows there were.

        Raises:
            BadRequest: the database refuses a value.
            OrmError: a relation was set, which belongs to a row.
        """
        return commit(cast("Any", self), queryset, using)

    async def acommit(self, queryset: "QuerySet[Any]", using: str | None = None) -> int:
        """Write to all rows of a queryset; the async twin of `commit`."""
        number: int = await sync_to_async(self.commit)(queryset, using)
        return number
