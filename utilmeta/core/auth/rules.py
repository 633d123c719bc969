"""Rules: what has to hold for a request, or for a row, composed with `&`, `|` and `~`."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from asgiref.sync import sync_to_async

from utilmeta.core.auth.refusal import refuse
from utilmeta.core.request import Request, var
from utilmeta.core.request.current import current_request
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    M = TypeVar("M", bound=Model)


class Rule:
    """What has to hold for a request; a subclass of your own has `allows`, or `condition`.

    Rules are composed: `staff | owner & ~frozen`. One that is about rows (`condition` gives a `Q`)
    narrows lists with `scope`, guards single rows with `check`, and endpoints with `on`.

    Attributes:
        name: what the log calls it.
        is_quick: whether it neither waits nor asks the database.
        is_about_rows: whether it needs a row.
    """

    name: str = ""
    is_quick: bool = False
    is_about_rows: bool = False

    def __repr__(self) -> str:
        return self.name or type(self).__name__

    def allows(self, request: Request) -> bool:
        """Return whether it holds for a request."""
        raise NotImplementedError(f"{type(self).__name__}.allows")

    def condition(self, request: Request) -> Any:
        """Return what has to hold for a row: a `Q`, or a bool for all rows alike."""
        return self.allows(request)

    def refusing(self, request: Request) -> str | None:
        """Return the name of the rule that does not hold for a request; None when all do."""
        return None if self.allows(request) else repr(self)

    def __and__(self, other: "Rule") -> "Rule":
        return All(self, as_rule(other))

    def __or__(self, other: "Rule") -> "Rule":
        return Any_(self, as_rule(other))

    def __invert__(self) -> "Rule":
        return Not(self)

    # -- rows -----------------------------------------------------------------------------------

    def scope(self, queryset: "QuerySet[M]", request: Request | None = None) -> "QuerySet[M]":
        """Return the rows of a queryset for which it holds.

        Args:
            queryset: the rows.
            request: whose; None takes the request that is being answered.
        """
        condition = self.condition(_request(request))
        if isinstance(condition, bool):
            return queryset if condition else queryset.none()
        return queryset.filter(condition)

    def check(self, row: Any, request: Request | None = None) -> None:
        """Refuse a request for a row for which it does not hold; one statement.

        Args:
            row: the model's instance.
            request: whose; None takes the request that is being answered.

        Raises:
            PermissionDenied: it does not hold.
            Unauthorized: it does not hold for nobody.
        """
        asked = _request(request)
        condition = self.condition(asked)
        if not isinstance(condition, bool):
            rows = type(row)._base_manager.filter(pk=row.pk)
            condition = rows.filter(condition).exists()
        if not condition:
            refuse(asked, repr(self))

    async def acheck(self, row: Any, request: Request | None = None) -> None:
        """Refuse a request for a row; the async twin of `check`."""
        await sync_to_async(self.check)(row, request)

    def on(self, rows: Any, *, hidden: bool = False, **lookups: str) -> "Rule":
        """Return the rule for `Require` about the row that a path names.

        Args:
            rows: a model, or a queryset.
            hidden: whether the answer is 404 where it does not hold, so that nobody learns what
                there is.
            **lookups: from a lookup of the rows to the path's variable: `slug='slug'`.

        Raises:
            ConfigError: no lookup is given.
        """
        if not lookups:
            raise ConfigError(f"{self!r}.on({rows!r}): give a lookup, such as slug='slug'")
        from utilmeta.core.auth.row_rules import OnRow

        return OnRow(self, rows, lookups, hidden=hidden)


class All(Rule):
    """Rules that all have to hold.

    Args:
        *parts: the rules.
    """

    def __init__(self, *parts: Rule) -> None:
        self._parts = parts
        self.name = " & ".join(_wrapped(part) for part in parts)
        self.is_quick = all(part.is_quick for part in parts)
        self.is_about_rows = any(part.is_about_rows for part in parts)

    def allows(self, request: Request) -> bool:
        """Return whether all hold."""
        return all(part.allows(request) for part in self._parts)

    def refusing(self, request: Request) -> str | None:
        """Return the first that does not hold."""
        found = (part.refusing(request) for part in self._parts)
        return next((name for name in found if name is not None), None)

    def condition(self, request: Request) -> Any:
        """Return what has to hold for a row."""
        joined: Any = True
        for part in self._parts:
            condition = part.condition(request)
            if condition is False:
                return False
            if condition is not True:
                joined = condition if joined is True else joined & condition
        return joined


class Any_(Rule):  # noqa: N801 - the builtin's name is taken
    """Rules of which one has to hold.

    Args:
        *parts: the rules.
    """

    def __init__(self, *parts: Rule) -> None:
        self._parts = parts
        self.name = " | ".join(_wrapped(part) for part in parts)
        self.is_quick = all(part.is_quick for part in parts)
        self.is_about_rows = any(part.is_about_rows for part in parts)

    def allows(self, request: Request) -> bool:
        """Return whether one holds."""
        return any(part.allows(request) for part in self._parts)

    def condition(self, request: Request) -> Any:
        """Return what has to hold for a row."""
        joined: Any = False
        for part in self._parts:
            condition = part.condition(request)
            if condition is True:
                return True
            if condition is not False:
                joined = condition if joined is False else joined | condition
        return joined


class Not(Rule):
    """A rule that must not hold.

    Args:
        part: the rule.
    """

    def __init__(self, part: Rule) -> None:
        self._part = part
        self.name = f"~{_wrapped(part)}"
        self.is_quick = part.is_quick
        self.is_about_rows = part.is_about_rows

    def allows(self, request: Request) -> bool:
        """Return whether it does not hold."""
        return not self._part.allows(request)

    def condition(self, request: Request) -> Any:
        """Return what has to hold for a row."""
        condition = self._part.condition(request)
        return not condition if isinstance(condition, bool) else ~condition


class HasScope(Rule):
    """The user may do something, and so do the credentials.

    Args:
        scope: such as `article.write`.
    """

    is_quick = True

    def __init__(self, scope: str) -> None:
        if not scope or any(char.isspace() for char in scope):
            raise ConfigError(f"auth.Require({scope!r}): a scope is a word without spaces")
        self.name = self.scope_name = scope

    def allows(self, request: Request) -> bool:
        """Return whether the scope is among those of the request."""
        return self.scope_name in var.scopes.get(request)


class Holds(Rule):
    """A function of the request says so; see `rule`.

    Args:
        function: takes the request.
        is_quick: whether it neither waits nor asks the database.
    """

    def __init__(self, function: Callable[[Request], Any], *, is_quick: bool = False) -> None:
        self._function = function
        self.name = getattr(function, "__name__", repr(function))
        self.is_quick = is_quick

    def allows(self, request: Request) -> bool:
        """Return what the function says."""
        return bool(self._function(request))


@overload
def rule(function: Callable[[Request], Any], /) -> Rule: ...


@overload
def rule(*, is_quick: bool) -> Callable[[Callable[[Request], Any]], Rule]: ...


def rule(function: Any = None, /, *, is_quick: bool = False) -> Any:
    """Make a rule of a function of the request: `@auth.rule def is_staff(request): ...`.

    It runs on the request's worker thread, so it may ask the database.

    Args:
        function: takes the request.
        is_quick: whether it neither waits nor asks the database, so that it may run anywhere; the
            rules of schemas' fields have to be so.
    """
    if function is None:
        return partial(Holds, is_quick=is_quick)
    return Holds(function)


def as_rule(given: Any) -> Rule:
    """Return what was given as a rule: a scope, a function, or a rule.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(given, Rule):
        return given
    if isinstance(given, str):
        return HasScope(given)
    if callable(given) and not isinstance(given, type):
        return Holds(given)
    raise ConfigError(f"auth.Require({given!r}): expected a scope, a rule, or a function")


def parts_of(rule: Rule) -> list[Rule]:
    """Return a rule and everything it is composed of."""
    found = [rule]
    for part in (*getattr(rule, "_parts", ()), *filter(None, [getattr(rule, "_part", None)])):
        found += parts_of(part)
    return found


def _wrapped(part: Rule) -> str:
    return f"({part!r})" if isinstance(part, All | Any_) else repr(part)


def _request(given: Request | None) -> Request:
    request = given or current_request.get()
    if request is None:
        raise LookupError("a rule is asked outside of a request; give the request")
    return request


# Somebody sent the request.
is_authenticated: Rule = Holds(lambda request: var.user.get(request) is not None, is_quick=True)
is_authenticated.name = "is_authenticated"
