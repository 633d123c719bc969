"""Values a request carries besides what was sent: who asks, from where, and a project's own."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from utilmeta.core.request.params import Param
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.request.request import Request

T = TypeVar("T")
_ABSENT: Any = object()


class RequestContextVar(Generic[T]):
    """A value kept on the request, as `request.var.user_id` is.

    As the default of an argument (`user_id: int = request.var.user_id`) it is what the argument
    is filled with; nothing of it can be sent by the client. In a Django expression or filter it
    stands for the value of the request that is being answered.

    Args:
        name: letters, digits and `_`; two of one name share their value.
        default: value as long as none is set.
        factory: makes the value from the request when it is first asked for, in place of a default;
            an async one needs an async service and `aget`.
        is_quick: whether the factory neither waits nor computes, so that it may run anywhere.
    """

    def __init__(
        self,
        name: str,
        *,
        default: Any = None,
        factory: "Callable[[Request], Any] | None" = None,
        is_quick: bool = False,
    ) -> None:
        if not name.isidentifier():
            raise ConfigError(f"RequestContextVar({name!r}): expected an identifier")
        self.name = name
        self._default = default
        self._factory = factory
        self.is_quick = is_quick or factory is None
        self.is_async = inspect.iscoroutinefunction(factory)

    def __repr__(self) -> str:
        return f"request.var.{self.name}"

    def get(self, request: "Request") -> T:
        """Return the request's value."""
        found: Any = request.context.get(self.name, _ABSENT)
        if found is not _ABSENT:
            return found  # type: ignore[no-any-return]
        if self._factory is None:
            return self._default  # type: ignore[no-any-return]
        made: T = self._factory(request)
        request.context[self.name] = made
        return made

    async def aget(self, request: "Request") -> T:
        """Return the request's value, awaited when its factory is async; the twin of `get`."""
        found: Any = self.get(request)
        if inspect.isawaitable(found):
            found = request.context[self.name] = await found
        return found  # type: ignore[no-any-return]

    def set(self, request: "Request", value: T) -> None:
        """Give the request a value."""
        request.context[self.name] = value

    def is_set(self, request: "Request") -> bool:
        """Return whether the request was given a value, or one was made."""
        return self.name in request.context

    def guards(self, *, required: bool) -> tuple[Any, ...]:
        """Return the plugins that stand before an endpoint with an argument of this value.

        Args:
            required: whether the argument's type does not admit None.
        """
        return ()

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """Return what stands for the value in a statement; Django calls it."""
        from utilmeta.core.request.expressions import ContextValue

        return ContextValue(self).resolve_expression(*args, **kwargs)

    def as_param(self) -> Param:
        """Return the declaration that an argument with this default stands for."""
        return Param(kind=f"var.{self.name}", place="context", default=None, variable=self)


class var:  # noqa: N801 - read as `request.var.user_id`
    """The framework's context values: `request.var.user_id` and its neighbours."""

    RequestContextVar = RequestContextVar

    user: Any = RequestContextVar("user")
    user_id: Any = RequestContextVar("user_id")
    scopes: Any = RequestContextVar("scopes", factory=lambda _: [], is_quick=True)
    ip: Any = RequestContextVar("ip", factory=lambda request: request.ip_address, is_quick=True)
    time: Any = RequestContextVar("time", factory=lambda request: request.time, is_quick=True)
