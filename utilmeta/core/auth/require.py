"""What a request has to be allowed before an endpoint runs."""

from typing import TYPE_CHECKING, Any

from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.api.plugins.base import Plugin, Security
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.refusal import USERS, refuse
from utilmeta.core.auth.row_rules import OnRow
from utilmeta.core.auth.rules import HasScope, as_rule, parts_of
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.api.operation import Operation


class Require(Plugin):
    """Lets requests in for which all of some rules hold; the others are 401 or 403.

    It decorates an API class or an endpoint. Rules are looked at before the body is read, once it
    is known who sent the request; where no endpoint's argument asks for the user, after the hooks.

    Args:
        *rules: scopes (`'article.write'`), rules, or functions of the request.
        user: the `auth.User(...)` that finds out who it is, where no argument does.
        message: for clients that are refused.

    Raises:
        ConfigError: there is no rule; at set-up, when one is about a row that the path does not
            name.
    """

    after_authentication = True
    # Hooks may say who it is.
    is_late = True

    def __init__(self, *rules: Any, user: Any = None, message: str | None = None) -> None:
        if not rules:
            raise ConfigError("auth.Require(): give a scope or a rule")
        if user is not None and not isinstance(user, UserConfig):
            raise ConfigError(f"auth.Require(user={user!r}): expected an auth.User(...)")
        self.rules = tuple(as_rule(given) for given in rules)
        for item in self.rules:
            if item.is_about_rows:
                raise ConfigError(
                    f"auth.Require({item!r}): it is about rows; say which with "
                    "rule.on(Model, slug='slug')"
                )
        self._user = user
        self._message = message
        self._is_quick = all(item.is_quick for item in self.rules)
        parts = [part for item in self.rules for part in parts_of(item)]
        self._scopes = tuple(part.scope_name for part in parts if isinstance(part, HasScope))
        self._rows = [part for part in parts if isinstance(part, OnRow)]

    def prepare(self, rules: CompileRules) -> None:
        """Check the users against the service."""
        if self._user is not None:
            self._user.prepare(rules)

    def see(self, operation: "Operation") -> None:
        """Refuse a path that does not name the row that a rule is about."""
        for item in self._rows:
            item.check_path(operation.names, operation.where)

    def security(self) -> Security:
        """Return the scopes it asks for, and what proves who one is."""
        schemes = {} if self._user is None else self._user.schemes()
        return Security(schemes=schemes, scopes=self._scopes)

    def on_request(self, request: Request, _api: Any) -> Steps:
        """Look at the rules once it is known who it is."""
        if self._user is not None:
            yield from self._user.steps(request)
        if USERS in request.context:
            yield Call(self.check, (request,), blocking=not self._is_quick)

    def on_ready(self, request: Request, _api: Any) -> Steps:
        """Look at the rules where only hooks have said who it is."""
        if USERS not in request.context:
            yield Call(self.check, (request,), blocking=not self._is_quick)

    def check(self, request: Request) -> None:
        """Refuse a request for which a rule does not hold.

        Raises:
            Unauthorized: nobody has sent it.
            PermissionDenied: somebody has.
            NotFound: the row that a rule is about is not there.
        """
        for item in self.rules:
            name = item.refusing(request)
            if name is not None:
                refuse(request, name, message=self._message, scopes=self._scopes)
