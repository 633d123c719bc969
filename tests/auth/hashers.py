"""Hashers that count, so that no test looks at the clock."""

from typing import Any, ClassVar

from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher


class CountingHasher(MD5PasswordHasher):
    """Counts what it hashes."""

    calls: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str, **kwargs: Any) -> str:
        """Hash a password, and remember that it was done."""
        self.calls.append(password)
        return super().encode(password, salt, **kwargs)


class StrongerHasher(PBKDF2PasswordHasher):
    """Takes twice as many rounds as `WeakerHasher`."""

    iterations = 4


class WeakerHasher(PBKDF2PasswordHasher):
    """Takes few rounds."""

    iterations = 2


COUNTING = f"{__name__}.CountingHasher"
STRONGER = f"{__name__}.StrongerHasher"
