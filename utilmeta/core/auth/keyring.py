"""The keys that sign and check tokens, and what they must be."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from utilmeta.core.auth.base import InvalidCredentials
from utilmeta.utils.exceptions import ConfigError

# Bytes that a secret must have: as many as the hash gives (RFC 7518 section 3.2).
MIN_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)

Keys = str | bytes | Mapping[str, str | bytes]


class Keyring:
    """The keys of one algorithm, by id; the first signs.

    Args:
        secret: a secret, a private key, or a mapping of them; None takes Django's `SECRET_KEY`
            where the algorithm has one secret for both sides.
        public: a public key, or a mapping of them; None where the algorithm has one secret.
        algorithm: how tokens are signed.

    Raises:
        ConfigError: algorithm and keys do not go together, or a secret is too short.
    """

    def __init__(self, secret: Keys | None, public: Keys | None, algorithm: str) -> None:
        if algorithm not in MIN_BYTES and algorithm not in ASYMMETRIC:
            raise ConfigError(
                f"JsonWebToken(algorithm={algorithm!r}): expected one of "
                f"{', '.join(sorted([*MIN_BYTES, *ASYMMETRIC]))}"
            )
        self._given = secret
        self._public = public
        self.algorithm = algorithm
        self._is_shared = algorithm in MIN_BYTES
        if self._is_shared and public is not None:
            raise ConfigError(
                f"JsonWebToken({algorithm}, public_key=...): this algorithm has one secret for "
                "both sides; choose RS256, ES256 or EdDSA, or leave public_key out"
            )
        if not self._is_shared and public is None:
            raise ConfigError(f"JsonWebToken({algorithm}): give public_key, which checks")
        if self._is_shared and secret is not None:
            for item in _keyring(secret).values():
                _check_secret(item, algorithm)

    @property
    def can_sign(self) -> bool:
        """Whether there is a key to sign with."""
        return self._given is not None or self._is_shared

    @cached_property
    def signing(self) -> dict[str, Any]:
        """Keys that sign, by id; none where only others do."""
        if self._given is not None:
            return _keyring(self._given)
        if not self._is_shared:
            return {}
        from django.conf import settings
        from django.utils.crypto import salted_hmac

        # Of its own, so that a token signed by something else of Django's is none of ours.
        older = getattr(settings, "SECRET_KEY_FALLBACKS", ())
        secrets_ = [settings.SECRET_KEY, *older]
        made = [
            salted_hmac("utilmeta.core.auth.jwt", self.algorithm, item, algorithm="sha512").digest()
            for item in secrets_
        ]
        return {str(index): item for index, item in enumerate(made)} if older else {"": made[0]}

    @cached_property
    def checking(self) -> dict[str, Any]:
        """Keys that check, by id."""
        return self.signing if self._public is None else _keyring(self._public)

    def keys_for(self, token: str) -> list[Any]:
        """Return the keys that may have signed a token, by the id it tells.

        Raises:
            InvalidCredentials: it tells one that is not known.
            jwt.PyJWTError: it is no token.
        """
        if len(self.checking) == 1:
            return list(self.checking.values())
        import jwt

        kid = jwt.get_unverified_header(token).get("kid")
        if kid is None:
            return list(self.checking.values())
        if kid not in self.checking:
            raise InvalidCredentials("the token's key is not known", code="invalid_token")
        return [self.checking[kid]]


def _keyring(given: Any) -> dict[str, Any]:
    keys = dict(given) if isinstance(given, Mapping) else {"": given}
    if not keys or not all(keys.values()):
        raise ConfigError("JsonWebToken(secret_key=...): a key is empty")
    return keys


def _check_secret(secret: Any, algorithm: str) -> None:
    raw = secret.encode() if isinstance(secret, str) else secret
    least = MIN_BYTES[algorithm]
    if len(raw) < least:
        raise ConfigError(
            f"JsonWebToken(secret_key=..., algorithm={algorithm!r}): the secret has {len(raw)} "
            f"bytes, expected at least {least} (RFC 7518 section 3.2); make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    if b"-----BEGIN" in raw:
        raise ConfigError(
            f"JsonWebToken(secret_key=..., algorithm={algorithm!r}): the secret is a PEM key, "
            "which others may know; choose RS256, ES256 or EdDSA with it"
        )
