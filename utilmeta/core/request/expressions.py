"""Context variables in Django's expressions, where they stand for the value of each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db.models import CharField, Value

from utilmeta.core.request.current import value_of

if TYPE_CHECKING:
    from utilmeta.core.request.context import RequestContextVar


class NotKeptError(Exception):
    """The text of a statement depends on the value of a context variable, as that of a list does.

    It is raised while a statement is made to be kept, and caught there.
    """


class LateValue:
    """A parameter of a kept statement that is the value of a context variable.

    Args:
        variable: the context variable.
    """

    __slots__ = ("variable",)

    def __init__(self, variable: "RequestContextVar[Any]") -> None:
        self.variable = variable

    def value(self, connection: Any) -> Any:
        """Return the value as the driver takes it; it is of the type that the text was made for."""
        return Value(value_of(self.variable)).as_sql(None, connection)[1][0]  # type: ignore[arg-type]


_kept: "ContextVar[list[RequestContextVar[Any]] | None]" = ContextVar("utilmeta_kept", default=None)


@contextmanager
def keeping() -> "Iterator[list[RequestContextVar[Any]]]":
    """Let context variables be parameters that are filled in later.

    Yields:
        The variables that the statements made in the block use; their types belong to the text.
    """
    found: list[RequestContextVar[Any]] = []
    token = _kept.set(found)
    try:
        yield found
    finally:
        _kept.reset(token)


class ContextValue(Value):
    """A value that is looked up when a statement is made, so that one expression serves all.

    Args:
        variable: the context variable.

    Source: django.db.models.expressions.Value, of Django 5.2 and 6.1.
    """

    def __init__(self, variable: "RequestContextVar[Any]") -> None:
        # What Value derives its type from stays open until the value is there.
        super().__init__(None)
        self.variable = variable

    def __repr__(self) -> str:
        return repr(self.variable)

    @property
    def output_field(self) -> Any:
        """Type of the value that it stands for now; text for None and for what has no column."""
        plain: Any = Value(value_of(self.variable))
        return plain._output_field_or_none or CharField()  # noqa: SLF001 - as Value itself does

    _output_field_or_none = output_field

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the value as a parameter, a list of them as `(%s, %s)`.

        Raises:
            EmptyResultSet: the value is an empty list, in which nothing is.
        """
        value = value_of(self.variable)
        kept = _kept.get()
        if kept is not None:
            return self._late(value, kept, compiler, connection)
        if isinstance(value, list | tuple | set | frozenset):
            if not value:
                raise EmptyResultSet
            parts = [Value(item).as_sql(compiler, connection) for item in value]
            texts = ", ".join(text for text, _ in parts)
            return f"({texts})", [item for _, items in parts for item in items]
        return Value(value).as_sql(compiler, connection)

    def _late(
        self, value: Any, kept: "list[RequestContextVar[Any]]", compiler: Any, connection: Any
    ) -> tuple[str, Any]:
        is_list = isinstance(value, list | tuple | set | frozenset)
        kept.append(self.variable)
        if is_list or hasattr(self.output_field, "get_placeholder"):
            raise NotKeptError
        text, params = Value(value).as_sql(compiler, connection)
        return text, [LateValue(self.variable) for _ in params]
