"""REST framework's authentication classes as ways to prove who one is."""

from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions as drf
from rest_framework.authentication import SessionAuthentication

from utilmeta.contrib.rest_framework.errors import to_http_error
from utilmeta.contrib.rest_framework.requests import make_request, may_hold_token
from utilmeta.contrib.rest_framework.schemes import header_of, scheme_of
from utilmeta.core.api.calling import Call
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request


class DRFAuthentication(BaseAuthentication):
    """One of REST framework's authentication classes, for `auth.User(authentication=...)`.

    The users are those that the class gives. `SessionAuthentication` asks for the token against
    CSRF itself; nobody logs in with any of them.

    Args:
        kind: the class, such as `TokenAuthentication`; an instance of it is made for each request.
    """

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind
        self._scheme = scheme_of(kind())
        self.name = kind.__name__.removesuffix("Authentication")
        self.challenge = _challenge_of(kind)
        self._is_session = issubclass(kind, SessionAuthentication)
        # What answers depend on; REST framework itself asks for the token that goes with a cookie.
        self.header = header_of(self._scheme)

    def authenticate(self, request: Request, _users: UserConfig) -> Identity | None:
        """Return who a request is from.

        Raises:
            InvalidCredentials: the class refuses what was sent.
            HttpError: it refuses the request otherwise, as for want of the token against CSRF.
        """
        authenticator = self.kind()
        made = make_request(request, [authenticator])
        try:
            found = authenticator.authenticate(made)
        except drf.AuthenticationFailed as exc:
            raise InvalidCredentials(str(exc.detail)) from exc
        except drf.APIException as exc:
            raise to_http_error(exc, self.challenge or None) from exc
        if found is None:
            return None
        user, made.auth = found
        made.user = user
        if not getattr(user, "is_authenticated", True):
            return None
        return Identity(user=user)

    def reading(self, request: Request) -> Call | None:
        """Return the call that reads a form that may hold the token; None for others."""
        if self._is_session and may_hold_token(request):
            return Call(request.read, blocking=False, twin=request.aread)
        return None

    def scheme(self) -> Mapping[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        if self._scheme is not None:
            return self._scheme
        return {"type": "apiKey", "in": "header", "name": "Authorization"}


def _challenge_of(kind: type[Any]) -> str:
    """Return the challenge of a class; none of one that has to see the request for it."""
    try:
        return str(kind().authenticate_header(None) or "")
    except (AttributeError, TypeError):
        return ""
