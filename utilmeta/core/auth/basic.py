"""Name and password with each request (RFC 7617)."""

import base64
import binascii
from typing import Any

from utilmeta.core.auth.base import (
    BaseAuthentication,
    Identity,
    InvalidCredentials,
    credentials_of,
    quoted,
)
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request


class BasicAuth(BaseAuthentication):
    """Name and password in the `Authorization` header, checked for each request.

    Checking a password takes as long as its hash is meant to take, for each request; failures are
    counted as for a login. It is for scripts over https, not for browsers.

    Args:
        realm: what browsers tell people they log in to.

    Source: RFC 7617.
    """

    def __init__(self, realm: str = "api") -> None:
        self.challenge = f'Basic realm={quoted(realm)}, charset="UTF-8"'

    def sees(self, request: Request) -> bool:
        """Return whether a request carries a name and a password."""
        return credentials_of(request, "Basic") is not None

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return who a request is from.

        Raises:
            InvalidCredentials: name or password is wrong, or what was sent is neither.
            TooManyRequests: there were too many attempts that failed.
        """
        given = credentials_of(request, "Basic")
        if given is None:
            return None
        try:
            text = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError) as exc:
            raise InvalidCredentials("the Basic credentials cannot be read") from exc
        name, colon, password = text.partition(":")
        if not colon:
            raise InvalidCredentials("the Basic credentials have no colon")
        user = users.authenticate(request, name, password, in_bulk=True)
        if user is None:
            raise InvalidCredentials("the name or the password is wrong")
        return Identity(user=user)

    def scheme(self) -> dict[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        return {"type": "http", "scheme": "basic"}
