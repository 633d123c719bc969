"""What every way to prove who one is has in common."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError, Unauthorized

if TYPE_CHECKING:
    from utilmeta.core.api.calling import Call
    from utilmeta.core.api.plugins.base import Plugin
    from utilmeta.core.api.rules import CompileRules
    from utilmeta.core.auth.user import UserConfig

# Characters of a bearer token (RFC 6750 section 2.1).
_TOKEN = re.compile(r"[-A-Za-z0-9._~+/]+=*")


class InvalidCredentials(Unauthorized):
    """401: what was sent to prove who one is does not do so.

    Args:
        reason: why, for the log; clients are not told.
        code: `error` of a bearer challenge, such as `invalid_token` (RFC 6750 section 3.1).
    """

    def __init__(self, reason: str, *, code: str | None = None) -> None:
        super().__init__("The credentials are not valid", code=code)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a request is from, as its credentials say.

    Attributes:
        user_id: value of the user model's field that `auth.User(field=...)` names.
        user: the model's instance, where it is known already; `user_id` is then not looked at.
        scopes: what these credentials allow at most; None for all that the user may do.
        by_cookie: whether a browser sends them by itself, so that CSRF has to be ruled out.
        fingerprint: of the user's password when they were made; another one now ends them.
        claims: what else the credentials say.
    """

    user_id: Any = None
    user: Any = None
    scopes: tuple[str, ...] | None = None
    by_cookie: bool = False
    fingerprint: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


class BaseAuthentication:
    """A way to prove who one is; a subclass of your own has `authenticate`, and `sees` if it can.

    Attributes:
        name: its name among the security schemes of the API's description.
        challenge: its part of the `WWW-Authenticate` header; empty where there is none.
        key: what its credentials call the user's id; None takes what `auth.User(key=...)` says.
        header: header that carries its credentials; None for none.
        cookie_name: cookie that carries its credentials; None for none.
    """

    name: str = ""
    challenge: str = ""
    key: str | None = None
    header: str | None = "Authorization"
    cookie_name: str | None = None
    is_async: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Find out once whether it waits on an event loop."""
        super().__init_subclass__(**kwargs)
        cls.is_async = inspect.iscoroutinefunction(cls.authenticate)

    def sees(self, request: Request) -> bool:
        """Return whether a request may carry credentials of this kind; must not wait."""
        return True

    def authenticate(self, request: Request, users: "UserConfig") -> Identity | None:
        """Return who a request is from, None when it carries no credentials of this kind.

        It may be `async def` on an async service; a plain one runs on the request's worker thread.

        Args:
            request: the request, whose body has not been read.
            users: the `auth.User(...)` that asks.

        Raises:
            InvalidCredentials: there are some, and they are wrong.
        """
        raise NotImplementedError(f"{type(self).__name__}.authenticate")

    def login(self, request: Request, users: "UserConfig", user: Any) -> Any:
        """Give the client credentials, and return what there is to be handed over.

        Raises:
            ConfigError: clients bring their own.
        """
        raise ConfigError(
            f"{type(self).__name__}: nobody logs in with it, as clients bring their credentials; "
            "add a session or auth.jwt.JsonWebToken to auth.User(authentication=...)"
        )

    @property
    def can_login(self) -> bool:
        """Whether `login` gives credentials."""
        return type(self).login is not BaseAuthentication.login

    def logout(self, request: Request, users: "UserConfig") -> None:
        """Make the request's credentials worthless, as far as they can be."""

    def scheme(self) -> Mapping[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        return {"type": "http", "scheme": "bearer"}

    def reading(self, request: Request) -> "Call | None":
        """Return the call that reads what `authenticate` needs of the body; None for nothing."""
        return None

    def session_of(self, request: Request) -> Any:
        """Return the session that its credentials name; None where it has none."""
        return None

    def plugins(self) -> tuple["Plugin", ...]:
        """Return the plugins that its endpoints need."""
        return ()

    def prepare(self, rules: "CompileRules", users: "UserConfig") -> None:
        """Check it against the service, once for each endpoint at set-up.

        Raises:
            ConfigError: it cannot work there.
        """

    @property
    def scheme_name(self) -> str:
        """Its name among the security schemes of the API's description."""
        return self.name or type(self).__name__


def credentials_of(request: Request, scheme: str) -> str | None:
    """Return what the `Authorization` header holds for a scheme, None for another or none.

    Source: RFC 9110 section 11.4; schemes are compared whatever their case.
    """
    value = request.raw.header("authorization")
    if value is None:
        return None
    given, _, rest = value.partition(" ")
    return rest.strip() if given.lower() == scheme.lower() else None


def bearer_of(request: Request, scheme: str = "Bearer") -> str | None:
    """Return the token of the `Authorization` header, None without one.

    Raises:
        InvalidCredentials: what stands there is no token.
    """
    token = credentials_of(request, scheme)
    if token is not None and _TOKEN.fullmatch(token) is None:
        raise InvalidCredentials("the Authorization header holds no token", code="invalid_request")
    return token


def quoted(text: str) -> str:
    """Return a text as it stands in a challenge's parameter (RFC 9110 section 5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
