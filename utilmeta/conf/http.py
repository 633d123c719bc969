"""How a cookie is kept by browsers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.fields import check_fields

# What signs the data of sessions, apart from Django's own.
SESSION_SALT = "utilmeta.core.auth.session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """How a cookie is kept by browsers.

    Args:
        name: letters, digits and other token characters.
        age: seconds it is kept, or a time; None until the browser closes.
        domain: hosts it is sent back to; None only the one that set it.
        path: where it is sent back.
        secure: over https only; None in production.
        http_only: hidden from scripts.
        same_site: `Lax`, `Strict` or `None`; which requests from other sites carry it.

    Raises:
        ConfigError: the name is none, the age is not positive, or browsers would refuse it.
    """

    name: str = "sessionid"
    age: int | timedelta | None = 14 * 24 * 60 * 60
    domain: str | None = None
    path: str = "/"
    secure: bool | None = None
    http_only: bool = True
    same_site: Literal["Lax", "Strict", "None"] = "Lax"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_fields(self)
        if not self.name or any(char in self.name for char in "=;, \t\r\n"):
            raise ConfigError(f"Cookie(name={self.name!r}): no cookie can have this name")
        if self.seconds is not None and self.seconds < 1:
            raise ConfigError(f"Cookie(age={self.age!r}): expected seconds from 1")
        if self.same_site == "None" and self.secure is False:
            raise ConfigError(
                "Cookie(same_site='None', secure=False): browsers refuse such a cookie; "
                "leave secure out"
            )
        # Prefixes that browsers hold cookies to (RFC 6265bis section 4.1.3).
        is_host = self.name.startswith("__Host-")
        if is_host and (self.domain is not None or self.path != "/"):
            raise ConfigError(
                f"Cookie(name={self.name!r}): such a cookie has path='/' and no domain"
            )

    @property
    def seconds(self) -> int | None:
        """Seconds it is kept; None until the browser closes."""
        return int(self.age.total_seconds()) if isinstance(self.age, timedelta) else self.age

    @property
    def is_secure(self) -> bool | None:
        """Whether it goes over https only; None when production decides."""
        must = self.same_site == "None" or self.name.startswith(("__Host-", "__Secure-"))
        return True if must else self.secure
