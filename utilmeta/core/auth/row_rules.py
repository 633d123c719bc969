"""Rules about rows: which ones a request may see, or change."""

from collections.abc import Callable
from typing import Any

from utilmeta.core.auth.rules import Rule
from utilmeta.core.request import Request, var
from utilmeta.utils.exceptions import ConfigError, NotFound


class HoldsForRow(Rule):
    """A function of the request says for which rows; see `row_rule`.

    Args:
        function: takes the request, and returns a `Q` or a bool.
    """

    is_about_rows = True

    def __init__(self, function: Callable[[Request], Any]) -> None:
        self._function = function
        self.name = getattr(function, "__name__", repr(function))

    def allows(self, request: Request) -> bool:
        """Refuse to answer without a row.

        Raises:
            ConfigError: always, unless it is the same for all rows.
        """
        condition = self.condition(request)
        if isinstance(condition, bool):
            return condition
        raise ConfigError(f"{self!r} is about rows; use it with scope, check or on")

    def condition(self, request: Request) -> Any:
        """Return what has to hold for a row."""
        return self._function(request)


class Owns(HoldsForRow):
    """A row's field is the user who asks.

    Args:
        field: path to the foreign key, such as `author` or `article__author`.
    """

    def __init__(self, field: str) -> None:
        super().__init__(self._condition)
        self._field = field
        self.name = f"Owns({field!r})"

    def _condition(self, request: Request) -> Any:
        from django.db.models import Q

        user = var.user.get(request)
        return user is not None and Q(**{self._field: user})


class OnRow(Rule):
    """A rule about the row that the request's path names; `Rule.on` makes one."""

    def __init__(self, part: Rule, rows: Any, lookups: dict[str, str], *, hidden: bool) -> None:
        self._part = part
        self._rows = rows
        self._lookups = lookups
        self._hidden = hidden
        self.name = part.name

    def allows(self, request: Request) -> bool:
        """Return whether the rule holds for the row.

        Raises:
            NotFound: there is no such row, or nobody shall learn that there is.
        """
        from django.core.exceptions import ValidationError

        rows = self._rows.all() if hasattr(self._rows, "query") else self._rows._default_manager
        given = {lookup: request.path_params[name] for lookup, name in self._lookups.items()}
        condition = self._part.condition(request)
        try:
            named = rows.filter(**given)
            if condition is True or condition is False:
                is_there, is_allowed = named.exists(), condition
            else:
                is_allowed = named.filter(condition).exists()
                is_there = is_allowed or named.exists()
        except (ValueError, OverflowError, ValidationError):
            is_there = is_allowed = False
        if not is_there or (self._hidden and not is_allowed):
            raise NotFound(f"{rows.model._meta.verbose_name} not found")
        return bool(is_allowed)

    def check_path(self, names: tuple[str, ...], where: str) -> None:
        """Refuse a path that does not name the row.

        Raises:
            ConfigError: it does not.
        """
        missing = [name for name in self._lookups.values() if name not in names]
        if missing:
            raise ConfigError(
                f"{where}: {self!r} is about a row that the path names by "
                f"{', '.join(map(repr, missing))}, which is not in it"
            )


def row_rule(function: Callable[[Request], Any]) -> Rule:
    """Make a rule about rows of a function that returns a `Q`, or a bool for all rows alike."""
    return HoldsForRow(function)
