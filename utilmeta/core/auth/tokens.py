"""Tokens made, checked, exchanged and revoked."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from utilmeta.core.auth.base import InvalidCredentials
from utilmeta.core.auth.keyring import Keyring
from utilmeta.core.auth.models import as_scopes
from utilmeta.core.auth.passwords import fingerprint_of, is_fingerprint_of
from utilmeta.core.auth.revocation import Revocations
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.auth.user import UserConfig

ACCESS, REFRESH = "access", "refresh"

# The claim that names the users' model.
OF = "of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a client is handed over.

    Attributes:
        access_token: proves who one is.
        expires_in: seconds it does so; None for ever.
        refresh_token: buys a new pair; None without `JsonWebToken(refresh_age=...)`.
        token_type: the scheme it is sent with.
    """

    access_token: str = field(repr=False)
    expires_in: int | None
    refresh_token: str | None = field(default=None, repr=False)
    token_type: str = "Bearer"  # noqa: S105 - a scheme's name


class Tokenizer:
    """Makes and checks the tokens of one configuration; see `JsonWebToken`."""

    key: str | None
    keyring: Keyring
    audience: tuple[str, ...]
    issuer: str | None
    age: float | None
    refresh_age: float | None
    leeway: float
    scheme_word: str
    scopes_claim: str
    bind_to_password: bool
    revocations: Revocations | None

    def encode(self, claims: Mapping[str, Any]) -> str:
        """Return a signed token of claims, to which nothing is added.

        Raises:
            ConfigError: there is no key to sign with.
        """
        import jwt

        if not self.keyring.signing:
            raise ConfigError("JsonWebToken(public_key=...): without secret_key it signs nothing")
        kid, key = next(iter(self.keyring.signing.items()))
        headers = {"kid": kid} if kid else None
        return jwt.encode(dict(claims), key, algorithm=self.keyring.algorithm, headers=headers)

    def decode(self, token: str, *, kind: str = ACCESS) -> dict[str, Any]:
        """Return the claims of a token that is valid now.

        Args:
            token: the token.
            kind: `access` or `refresh`; the other kind is refused.

        Raises:
            InvalidCredentials: it is not valid: signature, time, audience, issuer or kind.
        """
        import jwt

        required = [] if self.age is None else ["exp"]
        required += ["aud"] if self.audience else []
        required += ["iss"] if self.issuer is not None else []
        options: Any = {"require": required, "verify_aud": bool(self.audience), "verify_sub": False}
        failure: Exception | None = None
        try:
            for key in self.keyring.keys_for(token):
                try:
                    claims = jwt.decode(
                        token,
                        key,
                        algorithms=[self.keyring.algorithm],
                        audience=list(self.audience) or None,
                        issuer=self.issuer,
                        leeway=self.leeway,
                        options=options,
                    )
                except jwt.InvalidSignatureError as exc:
                    failure = exc
                    continue
                return self._checked(claims, kind)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as exc:
            failure = exc
        raise InvalidCredentials(
            f"the token is not valid: {type(failure).__name__}", code="invalid_token"
        ) from failure

    def _checked(self, claims: dict[str, Any], kind: str) -> dict[str, Any]:
        if claims.get("kind", ACCESS) != kind:
            raise InvalidCredentials(f"it is no {kind} token", code="invalid_token")
        if self.revocations is not None:
            names = [str(claims[name]) for name in ("jti", "family") if name in claims]
            if self.revocations.has_any(names):
                raise InvalidCredentials("the token was revoked", code="invalid_token")
        return claims

    def issue(
        self,
        users: "UserConfig",
        user: Any,
        *,
        scopes: Sequence[str] | None = None,
        claims: Mapping[str, Any] | None = None,
        family: str | None = None,
    ) -> Tokens:
        """Return tokens for a user, without logging anybody in.

        Args:
            users: whose user it is.
            user: the model's instance.
            scopes: what they allow at most; None for all that the user may do.
            claims: further claims.
            family: of the refresh tokens that these follow; None begins one.
        """
        now = time.time()
        identifier = users.fields.id_of(user)
        base: dict[str, Any] = {**(claims or {}), "iat": int(now)}
        base[self.key or users.key] = identifier if isinstance(identifier, int) else str(identifier)
        base[OF] = _label(users)
        if self.issuer is not None:
            base["iss"] = self.issuer
        if self.audience:
            base["aud"] = self.audience[0]
        if scopes is not None:
            base[self.scopes_claim] = " ".join(scopes)
        if self.bind_to_password:
            base["pwh"] = fingerprint_of(user, users.password_field)
        if self.refresh_age is not None:
            base["family"] = family or secrets.token_urlsafe(12)
        access = self._timed(base, ACCESS, self.age, now)
        refresh = None
        if self.refresh_age is not None:
            refresh = self._timed(base, REFRESH, self.refresh_age, now)
        return Tokens(
            access_token=access,
            expires_in=None if self.age is None else int(self.age),
            refresh_token=refresh,
            token_type=self.scheme_word,
        )

    def _timed(self, base: Mapping[str, Any], kind: str, age: float | None, now: float) -> str:
        claims = {**base, "kind": kind, "jti": secrets.token_urlsafe(12)}
        if age is not None:
            claims["exp"] = int(now + age)
        return self.encode(claims)

    def refresh(self, users: "UserConfig", token: object) -> Tokens:
        """Return new tokens for a refresh token, which is then spent.

        One that comes a second time was stolen, or the first was: all tokens that came of the same
        login are revoked. Without `revocation` a refresh token can be used until it expires.

        Raises:
            InvalidCredentials: it is not valid, or its user is not there any more.
        """
        if not isinstance(token, str):
            raise InvalidCredentials("a refresh token is a text", code="invalid_token")
        claims = self.decode(token, kind=REFRESH)
        # Apart from what was revoked, which `decode` refuses without looking at the family.
        spent = f"spent {claims.get('jti')}"
        if self.revocations is not None and not self.revocations.spend(spent, self._end_of(claims)):
            self._revoke_family(claims)
            raise InvalidCredentials(
                "the refresh token was used before; its family is revoked", code="invalid_token"
            )
        self.check_kind(users, claims)
        user = users.fields.find(claims.get(self.key or users.key))
        if user is None or not users.fields.is_active(user):
            raise InvalidCredentials("there is no such user", code="invalid_token")
        if not self.fits(users, user, claims):
            raise InvalidCredentials("the password has changed since", code="invalid_token")
        scopes = claims.get(self.scopes_claim)
        return self.issue(
            users,
            user,
            scopes=None if scopes is None else as_scopes(scopes),
            family=claims.get("family"),
        )

    @staticmethod
    def check_kind(users: "UserConfig", claims: Mapping[str, Any]) -> None:
        """Refuse a token of another model's users, whose ids may be the same.

        Raises:
            InvalidCredentials: it is one.
        """
        if claims.get(OF, _label(users)) != _label(users):
            raise InvalidCredentials("the token is of other users", code="invalid_token")

    def fits(self, users: "UserConfig", user: Any, claims: Mapping[str, Any]) -> bool:
        """Return whether a token was made for the password that a user has now."""
        if not self.bind_to_password:
            return True
        return is_fingerprint_of(user, users.password_field, str(claims.get("pwh", "")))

    def revoke(self, token: str) -> None:
        """Make a token worthless, with the refresh tokens of the same login.

        Raises:
            ConfigError: `JsonWebToken(revocation=...)` names no cache.
            InvalidCredentials: it is none that is valid.
        """
        if self.revocations is None:
            raise ConfigError("JsonWebToken.revoke: name a cache with JsonWebToken(revocation=...)")
        claims = self.decode(token)
        self.revocations.add(str(claims.get("jti")), self._end_of(claims))
        self._revoke_family(claims)

    def _end_of(self, claims: Mapping[str, Any]) -> float | None:
        """Return when a token is worth nothing anyhow, in seconds since 1970; None for never."""
        end = claims.get("exp")
        return None if end is None else float(end) + self.leeway

    def _revoke_family(self, claims: Mapping[str, Any]) -> None:
        """Make all tokens worthless that came of one login, for as long as the last one lasts."""
        if self.revocations is None or "family" not in claims:
            return
        until = None
        if self.age is not None:
            # One may have been bought a moment ago.
            until = time.time() + max(self.age, self.refresh_age or 0) + self.leeway
        self.revocations.add(str(claims["family"]), until)


def _label(users: "UserConfig") -> str:
    return str(users.fields.model._meta.label_lower)
