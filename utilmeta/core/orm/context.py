"""What a read is done for: whose request it is, and which fields are asked for."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from utilmeta.core.orm.scopes import Scope
from utilmeta.core.request import Request
from utilmeta.core.request.current import using_values
from utilmeta.utils.exceptions import OrmError


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContext:
    """What a read is done for.

    Attributes:
        request: whose `request.var` values expressions take; None for the one being answered.
        values: values of context variables by name, before those of the request.
        scope: which fields are read; None for all.
        place: where the scope came from, for messages.
    """

    request: Request | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    scope: Scope | None = None
    place: str = "scope"

    def entered(self) -> AbstractContextManager[None]:
        """Return a block in which expressions take their values from here."""
        return using_values(self.request, dict(self.values))


_EMPTY = QueryContext()


def as_context(given: "QueryContext | Request | Mapping[str, Any] | None") -> QueryContext:
    """Return what was given for a read: a context, a request, or values by name.

    Raises:
        OrmError: it is none of these.
    """
    if given is None:
        return _EMPTY
    if isinstance(given, QueryContext):
        return given
    if isinstance(given, Request):
        return QueryContext(request=given)
    if isinstance(given, Mapping):
        return QueryContext(values=given)
    raise OrmError(f"context={given!r}: expected an orm.QueryContext, a request, or values by name")
