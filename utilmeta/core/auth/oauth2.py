"""Access tokens of an OAuth 2 authorization server, described as such in OpenAPI."""

from collections.abc import Callable, Mapping
from typing import Any

from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials, bearer_of
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.models import as_scopes
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError

Claims = Mapping[str, Any]

# What each flow has to name (OpenAPI 3.1.1, section 4.8.30.1).
_NEEDED = {
    "implicit": ("authorizationUrl",),
    "password": ("tokenUrl",),
    "clientCredentials": ("tokenUrl",),
    "authorizationCode": ("authorizationUrl", "tokenUrl"),
}


class OAuth2(BaseAuthentication):
    """Bearer tokens of an OAuth 2 authorization server.

    Args:
        token: `JsonWebToken(public_key=..., issuer=..., audience=...)` for tokens that are JWTs;
            for others a function that returns the claims of a token, None for one that is not
            active (RFC 7662), which runs on the request's worker thread.
        flows: how clients come by a token, as OpenAPI names it: `{'authorizationCode':
            {'authorizationUrl': ..., 'tokenUrl': ..., 'scopes': {...}}}`.
        key: claim that holds the user's id.
        scopes_claim: claim that says what the token allows.

    Raises:
        ConfigError: a flow is unknown or lacks a URL.

    Source: RFC 6749, RFC 6750, RFC 7662.
    """

    challenge = "Bearer"

    def __init__(
        self,
        token: JsonWebToken | Callable[[str], Claims | None],
        *,
        flows: Mapping[str, Mapping[str, Any]],
        key: str = "sub",
        scopes_claim: str = "scope",
    ) -> None:
        for name, flow in flows.items():
            missing = [item for item in _NEEDED.get(name, ("a known name",)) if item not in flow]
            if name not in _NEEDED or missing:
                raise ConfigError(
                    f"OAuth2(flows={{{name!r}: ...}}): expected {', '.join(_NEEDED)}, each with "
                    f"its URLs; this one lacks {', '.join(missing)}"
                )
        self._claims_of: Callable[[str], Claims | None]
        self._claims_of = token.decode if isinstance(token, JsonWebToken) else token
        self._flows = {name: {"scopes": {}, **flow} for name, flow in flows.items()}
        self.key = key
        self._scopes_claim = scopes_claim

    def sees(self, request: Request) -> bool:
        """Return whether a request has an `Authorization` header."""
        return request.raw.header("authorization") is not None

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return who a request is from.

        Raises:
            InvalidCredentials: the token is not valid.
        """
        token = bearer_of(request)
        if token is None:
            return None
        claims = self._claims_of(token)
        if claims is None:
            raise InvalidCredentials("the token is not active", code="invalid_token")
        return Identity(
            user_id=claims.get(self.key or users.key),
            # A token without scopes allows nothing that asks for one.
            scopes=tuple(as_scopes(claims.get(self._scopes_claim))),
            claims=claims,
        )

    def scheme(self) -> dict[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        return {"type": "oauth2", "flows": self._flows}
