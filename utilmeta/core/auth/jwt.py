"""JSON Web Tokens (RFC 7519) as credentials, made and checked by PyJWT."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from utilmeta.conf.http import Cookie
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials, bearer_of
from utilmeta.core.auth.cookies import delete_cookie, send_cookie
from utilmeta.core.auth.csrf import check_csrf, give_token
from utilmeta.core.auth.keyring import Keyring
from utilmeta.core.auth.models import as_scopes
from utilmeta.core.auth.revocation import Revocations
from utilmeta.core.auth.tokens import Tokenizer, Tokens
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled


class JsonWebToken(Tokenizer, BaseAuthentication):
    """JSON Web Tokens, in the `Authorization` header or in a cookie.

    The algorithm is this one and no other, whatever a token says of itself.

    Args:
        secret_key: signs tokens and checks them: a secret, or the private key as PEM for RS, PS, ES
            and EdDSA; a mapping from key ids to keys, of which the first signs and all check, so
            that keys can be changed; None takes Django's `SECRET_KEY`.
        algorithm: how tokens are signed.
        public_key: checks what a private key has signed; PEM, or a mapping as for `secret_key`.
            Without `secret_key` tokens of another's are checked and none are made.
        audience: whom tokens are for; others' are refused. Of several any will do, the first is
            put into tokens.
        issuer: who makes them; others' are refused.
        age: seconds, or a time, that a token is worth something; None for ever.
        refresh_age: the same for refresh tokens; None for none.
        leeway: seconds that clocks may differ.
        scheme: word before the token in the header.
        cookie: carries the token in place of the header; it then takes a CSRF token as well.
        key: claim that holds the user's id; None takes `auth.User(key=...)`.
        scopes_claim: claim that says what the token allows at most.
        user_token_field: attribute of the user that the token is put into at login.
        revocation: alias of the cache that keeps what was revoked, for logout and refresh; None
            for no revocation: tokens are worth something until they expire.
        bind_to_password: whether a new password ends the tokens made before.

    Raises:
        ConfigError: the arguments do not go together, or a key is too short.
        DependencyNotInstalled: PyJWT is missing.

    Source: RFC 7519, RFC 8725, RFC 6750.
    """

    def __init__(
        self,
        secret_key: str | bytes | Mapping[str, str | bytes] | None = None,
        algorithm: str = "HS256",
        *,
        public_key: str | bytes | Mapping[str, str | bytes] | None = None,
        audience: str | Sequence[str] | None = None,
        issuer: str | None = None,
        age: float | timedelta | None = 3600,
        refresh_age: float | timedelta | None = None,
        leeway: float = 0,
        scheme: str = "Bearer",
        cookie: Cookie | None = None,
        key: str | None = None,
        scopes_claim: str = "scope",
        user_token_field: str | None = None,
        revocation: str | None = None,
        bind_to_password: bool = False,
    ) -> None:
        _require_pyjwt()
        self.keyring = Keyring(secret_key, public_key, algorithm)
        self.audience = (audience,) if isinstance(audience, str) else tuple(audience or ())
        self.issuer = issuer
        self.age = _seconds(age, "age")
        self.refresh_age = _seconds(refresh_age, "refresh_age")
        self.leeway = leeway
        self.scheme_word = scheme
        self.cookie = cookie
        self.header = None if cookie is not None else "Authorization"
        self.cookie_name = None if cookie is None else cookie.name
        self.challenge = "" if cookie is not None else scheme
        self.key = key
        self.scopes_claim = scopes_claim
        self.user_token_field = user_token_field
        self.bind_to_password = bind_to_password
        self.revocations = None if revocation is None else Revocations(revocation)
        if bind_to_password and not self.keyring.can_sign:
            raise ConfigError("JsonWebToken(bind_to_password=True): it signs no tokens")

    def sees(self, request: Request) -> bool:
        """Return whether a request carries a token."""
        if self.cookie_name is not None:
            return self.cookie_name in request.cookies
        return request.raw.header("authorization") is not None

    def token_of(self, request: Request) -> str | None:
        """Return the token of a request, None without one.

        Raises:
            InvalidCredentials: what stands in its place is none.
        """
        if self.cookie_name is not None:
            return request.cookies.get(self.cookie_name)
        return bearer_of(request, self.scheme_word)

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return who a request is from.

        Raises:
            InvalidCredentials: the token is not valid.
        """
        token = self.token_of(request)
        if token is None:
            return None
        claims = self.decode(token)
        self.check_kind(users, claims)
        scopes = claims.get(self.scopes_claim)
        fingerprint = str(claims.get("pwh", "")) if self.bind_to_password else None
        return Identity(
            user_id=claims.get(self.key or users.key),
            scopes=None if scopes is None else tuple(as_scopes(scopes)),
            by_cookie=self.cookie is not None,
            fingerprint=fingerprint,
            claims=claims,
        )

    def login(self, request: Request, users: UserConfig, user: Any) -> Tokens:
        """Return tokens for a user; one is put into `user_token_field`, or into the cookie."""
        tokens = self.issue(users, user)
        if self.user_token_field is not None:
            setattr(user, self.user_token_field, tokens.access_token)
        if self.cookie is not None:
            send_cookie(request, self.cookie, tokens.access_token, max_age=self.cookie.seconds)
            give_token(request)
        return tokens

    @property
    def can_login(self) -> bool:
        """Whether it can sign tokens."""
        return self.keyring.can_sign

    def logout(self, request: Request, users: UserConfig) -> None:
        """Revoke the request's token where there is a place for it, and drop the cookie."""
        if self.sees(request):
            if self.cookie is not None and users.name not in request.context:
                check_csrf(request)
            # One that is not valid is worth nothing already.
            with suppress(InvalidCredentials):
                token = self.token_of(request)
                if token is not None and self.revocations is not None:
                    self.revoke(token)
            if self.cookie is not None:
                delete_cookie(request, self.cookie)

    def prepare(self, rules: CompileRules, users: UserConfig) -> None:
        """Check it against the service.

        Raises:
            ConfigError: the cache for what is revoked cannot do.
        """
        if self.revocations is not None:
            self.revocations.check(rules)

    def scheme(self) -> dict[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        if self.cookie_name is not None:
            return {"type": "apiKey", "in": "cookie", "name": self.cookie_name}
        if self.scheme_word.lower() == "bearer":
            return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"`{self.scheme_word} ` and the token",
        }


def _require_pyjwt() -> None:
    try:
        import jwt
    except ModuleNotFoundError as exc:
        raise DependencyNotInstalled(
            "PyJWT", requirement="utilmeta[jwt]", purpose="auth.jwt.JsonWebToken"
        ) from exc
    _ = jwt


def _seconds(given: float | timedelta | None, name: str) -> float | None:
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if seconds is not None and seconds <= 0:
        raise ConfigError(f"JsonWebToken({name}={given!r}): expected seconds above 0")
    return seconds
