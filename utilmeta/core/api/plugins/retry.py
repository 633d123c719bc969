"""Limits of one endpoint's run: time, tries, bytes of its body."""

import random
from typing import Any

from utilmeta.core.api.declared import ENDPOINT, Declared
from utilmeta.core.api.plugins.base import Plugin
from utilmeta.utils.exceptions import BadGateway, ConfigError, GatewayTimeout, ServiceUnavailable

# Methods whose repetition does no more than one request (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class Retry(Plugin):
    """Run an endpoint again after exceptions that may pass, waiting longer each time.

    Only endpoints whose repetition is harmless are run again: GET, PUT, DELETE, and those declared
    with `idempotent=True`. A streamed result is not retried once it has begun.

    Args:
        max_retries: further tries after the first.
        on: exceptions that may pass.
        delay: seconds before the second try.
        factor: how much longer each wait is than the one before.
        max_delay: seconds a wait may have.

    Raises:
        ConfigError: a number is out of range, or the decorated endpoint is not idempotent.
    """

    def __init__(
        self,
        max_retries: int = 3,
        *,
        on: tuple[type[Exception], ...] = (
            ConnectionError,
            TimeoutError,
            BadGateway,
            ServiceUnavailable,
            GatewayTimeout,
        ),
        delay: float = 0.1,
        factor: float = 2.0,
        max_delay: float = 5.0,
    ) -> None:
        if max_retries < 1 or delay < 0 or factor < 1 or max_delay < delay:
            raise ConfigError(
                "api.Retry(...): expected max_retries from 1, delay from 0, factor from 1 and "
                "max_delay from delay"
            )
        self.max_retries = max_retries
        self.errors = tuple(on) if isinstance(on, list | tuple) else (on,)
        self._delay, self._factor, self._max = delay, factor, max_delay

    def __call__(self, target: Any) -> Any:
        """Put the plugin around an API class or an endpoint."""
        declared: Declared | None = getattr(target, ENDPOINT, None)
        if (
            declared is not None
            and declared.method not in IDEMPOTENT
            and not declared.about.idempotent
        ):
            raise ConfigError(
                f"@api.Retry on {target.__qualname__}: {declared.method} may do its work "
                "twice; declare the endpoint with idempotent=True when it may be repeated"
            )
        return super().__call__(target)

    def may_try(self, tried: int, _error: Exception) -> bool:
        """Return whether there is another try after so many."""
        return tried <= self.max_retries

    def delay(self, tried: int) -> float:
        """Return the seconds to wait, a quarter of them by chance so that clients spread."""
        seconds = min(self._max, self._delay * self._factor ** (tried - 1))
        return seconds * random.uniform(0.75, 1.0)  # noqa: S311 - no secret depends on it


class Timeout(Plugin):
    """Answer 504 when an endpoint takes longer.

    An async endpoint is cancelled. A sync one cannot be: it goes on, and its worker thread is free
    again when it ends; on sync services too it runs on such a thread.

    Args:
        seconds: how long it may take.

    Raises:
        ConfigError: the number is not positive.
    """

    def __init__(self, seconds: float) -> None:
        if seconds <= 0:
            raise ConfigError(f"api.Timeout({seconds}): expected seconds above 0")
        self.timeout = float(seconds)


class BodyLimit(Plugin):
    """Answer 413 to requests with a longer body.

    Args:
        max_bytes: bytes a body may have, in place of `Preference(max_body_size=...)`.

    Raises:
        ConfigError: the number is not positive.
    """

    def __init__(self, max_bytes: int) -> None:
        if max_bytes < 1:
            raise ConfigError(f"api.BodyLimit({max_bytes}): expected bytes from 1")
        self.max_bytes = max_bytes
