"""What was read: records that encode as they are, and schema instances on demand."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

from utilmeta.core.orm.read.records import Record

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

S = TypeVar("S", bound="Schema[Any]")


class Rows(Sequence[S]):
    """What `serialize` read: records that encode as they are, and schema instances on demand.

    Args:
        schema: the schema that read them.
        records: plain dictionaries by JSON name.
        keys: their primary keys.
        next_cursor: what the query string holds to get the rows that follow; None when there are
            none, or pages are not asked for by cursor.
    """

    def __init__(
        self,
        schema: type[S],
        records: list[Record],
        keys: Sequence[Any] = (),
        next_cursor: str | None = None,
    ) -> None:
        self._schema = schema
        self._records = records
        self._keys = keys
        self.next_cursor = next_cursor

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Describe `Rows[ArticleSchema]` as a list."""
        plain: Any = list
        arguments = get_args(source)
        return handler.generate_schema(plain[arguments[0]] if arguments else plain)

    @property
    def keys(self) -> list[Any]:
        """The primary keys, in order."""
        return list(self._keys)

    @overload
    def __getitem__(self, index: int) -> S: ...

    @overload
    def __getitem__(self, index: slice) -> "Rows[S]": ...

    def __getitem__(self, index: int | slice) -> "S | Rows[S]":
        if isinstance(index, slice):
            return Rows(self._schema, self._records[index], self._keys[index])
        return self._schema.from_record(self._records[index], self._keys[index])

    def __iter__(self) -> Iterator[S]:
        return map(self._schema.from_record, self._records, self._keys)

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
