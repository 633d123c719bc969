"""Keys for programs: told once, kept as a hash, with scopes and an end."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.base import (
    BaseAuthentication,
    Identity,
    InvalidCredentials,
    credentials_of,
)
from utilmeta.core.auth.models import as_scopes, find_model
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError

# Seconds after which the time of the last use is written again.
_USED_EVERY = 60
_MAX_LENGTH = 200


class APIKey(BaseAuthentication):
    """Keys of programs, kept as hashes in a model of the project's.

    A key is `<prefix>.<secret>`: the row is found by the prefix, the secret has 256 bits, so that
    one round of SHA-256 keeps it.

    Args:
        key_model: a subclass of `utilmeta.core.orm.backends.django.models.AbstractAPIKey`, or
            `'app.Model'`.
        user_field: its foreign key to the user.
        header: header that carries the key; `Authorization` takes it after the word `scheme`.
        scheme: that word.

    Raises:
        ConfigError: at set-up, when the model is none of keys.
    """

    def __init__(
        self,
        key_model: Any,
        *,
        user_field: str = "user",
        header: str = "X-API-Key",
        scheme: str = "Api-Key",
    ) -> None:
        self._given = key_model
        self._user_field = user_field
        self.header: str = header
        self._scheme = scheme
        self._is_authorization = header.lower() == "authorization"
        self.challenge = scheme

    @cached_property
    def key_model(self) -> Any:
        """The model.

        Raises:
            ConfigError: it is none of keys, or not installed.
        """
        model = find_model(self._given, f"APIKey({self._given!r})")
        names = (
            {field.name for field in model._meta.get_fields()} if hasattr(model, "_meta") else ()
        )
        missing = {"prefix", "digest", "scopes", self._user_field} - set(names)
        if missing:
            raise ConfigError(
                f"APIKey({self._given!r}): the model has no {', '.join(sorted(missing))}; make it "
                "a subclass of utilmeta.core.orm.backends.django.models.AbstractAPIKey with a "
                f"foreign key {self._user_field!r}"
            )
        return model

    def create(
        self,
        user: Any,
        *,
        name: str = "",
        scopes: Sequence[str] = (),
        expires: datetime | timedelta | None = None,
    ) -> tuple[Any, str]:
        """Make a key for a user; return its row and the key, which is told this once.

        Args:
            user: the model's instance.
            name: what it is for, for people.
            scopes: what it allows at most; empty for all that the user may do.
            expires: when, or after what time, it ends; None for never.
        """
        from django.utils import timezone

        prefix, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        until = timezone.now() + expires if isinstance(expires, timedelta) else expires
        row = self.key_model._default_manager.create(
            prefix=prefix,
            digest=_digest(secret),
            name=name,
            scopes=list(scopes),
            expires_at=until,
            **{self._user_field: user},
        )
        return row, f"{prefix}.{secret}"

    def _key_of(self, request: Request) -> str | None:
        if self._is_authorization:
            return credentials_of(request, self._scheme)
        return request.raw.header(self.header.lower())

    def sees(self, request: Request) -> bool:
        """Return whether a request carries a key."""
        return self._key_of(request) is not None

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return whose key it is.

        Raises:
            InvalidCredentials: there is no such key, or it has ended.
        """
        given = self._key_of(request)
        if given is None:
            return None
        prefix, _, secret = given.strip().partition(".")
        is_plausible = len(given) <= _MAX_LENGTH and prefix.isascii() and prefix.isalnum()
        manager = self.key_model._default_manager
        rows = manager.select_related(self._user_field).filter(prefix=prefix)
        row = rows.first() if is_plausible else None
        known = "" if row is None else row.digest
        if not hmac.compare_digest(_digest(secret), known) or row is None:
            raise InvalidCredentials("there is no such key")
        self._check_times(row)
        return Identity(
            user=getattr(row, self._user_field),
            scopes=tuple(as_scopes(row.scopes)) or None,
            claims={"api_key": row},
        )

    def _check_times(self, row: Any) -> None:
        from django.utils import timezone

        now = timezone.now()
        if row.revoked_at is not None:
            raise InvalidCredentials("the key was revoked")
        if row.expires_at is not None and row.expires_at <= now:
            raise InvalidCredentials("the key has expired")
        used = row.last_used_at
        if used is None or (now - used).total_seconds() >= _USED_EVERY:
            self.key_model._base_manager.filter(pk=row.pk).update(last_used_at=now)

    def prepare(self, rules: CompileRules, users: UserConfig) -> None:
        """Check the model."""
        _ = self.key_model

    def scheme(self) -> dict[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        return {"type": "apiKey", "in": "header", "name": self.header}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
