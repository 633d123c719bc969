"""How often a client may call."""

import logging
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.api.plugins.stores import CacheCounters, Counters, MemoryCounters, check_store
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.request import Request, var
from utilmeta.core.response import RawResponse
from utilmeta.utils.exceptions import ConfigError, ServiceUnavailable, TooManyRequests

logger = logging.getLogger("utilmeta.rate_limit")

_RATE = re.compile(r"(\d+)\s*/\s*(\d*)\s*(s|sec|second|m|min|minute|h|hour|d|day)s?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Key = Callable[[Request], Any]


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of requests in a time.

    Attributes:
        limit: requests.
        window: seconds.
    """

    limit: int
    window: int


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Return the rates of a text such as `'100/minute'` or `'5/second, 1000/day'`.

    Raises:
        ConfigError: it is none.
    """
    rates = []
    for part in text.split(","):
        found = _RATE.fullmatch(part.strip())
        if found is None or int(found[1]) < 1 or found[2] == "0":
            raise ConfigError(
                f"api.RateLimit({text!r}): expected a rate such as '100/minute', '10/30s' or "
                "'5/second, 1000/day'"
            )
        rates.append(Rate(int(found[1]), int(found[2] or 1) * _SECONDS[found[3][0]]))
    return tuple(rates)


class RateLimit(Plugin):
    """Answer 429 to clients that call more often.

    Each window slides: what was counted in the window before counts less the longer it is past.
    Answers carry `RateLimit-Policy` and `RateLimit`, refusals `Retry-After` too. One decorator
    counts for all endpoints it is around together.

    Args:
        rate: such as `'100/minute'`, or several: `'5/second, 1000/day'`.
        key: who is counted: `'ip'` (default), `'user'` (`request.var.user_id`, else the address),
            `'header:x-api-key'`, or a function of the request; None from it is not counted. Users
            are counted right before the endpoint, all else before anything is read.
        cache: alias of one of Django's caches, such as `'default'` on Redis, whose counting is
            atomic for all processes; None counts in this process, which production refuses.
        name: name of the policy, and of the counters; None takes what is decorated.
        on_failure: `'refuse'` answers 503 while the cache is down, `'allow'` lets requests pass.

    Raises:
        ConfigError: an argument is wrong.

    Source: draft-ietf-httpapi-ratelimit-headers, RFC 6585 section 4.
    """

    def __init__(
        self,
        rate: str,
        *,
        key: str | Key = "ip",
        cache: str | None = None,
        name: str | None = None,
        on_failure: Literal["refuse", "allow"] = "refuse",
    ) -> None:
        self.rates = parse_rates(rate)
        self._key = _key_of(key)
        # Hooks and arguments say who the user is, so it is counted once they have.
        self.is_late = key == "user"
        if isinstance(key, str) and key.startswith("header:"):
            self.request_headers = (key.removeprefix("header:").lower(),)
        self._alias = cache
        self._name = name
        if on_failure not in {"refuse", "allow"}:
            raise ConfigError(
                f"api.RateLimit(on_failure={on_failure!r}): expected 'refuse' or 'allow'"
            )
        self._allows_failure = on_failure == "allow"
        self._counters: Counters = MemoryCounters() if cache is None else CacheCounters(cache)
        self._policy = ", ".join(
            f'"{index}";q={rate.limit};w={rate.window}' for index, rate in enumerate(self.rates)
        )

    def prepare(self, rules: CompileRules) -> None:
        """Refuse a store that would not count for all processes."""
        check_store(self._alias, rules, f"api.RateLimit on {self.scope}")

    def on_request(self, request: Request, _api: Any) -> Steps:
        """Count the request; in a cache on the request's worker thread."""
        if not self.is_late:
            yield Call(self.count, (request,), blocking=self._alias is not None)

    def on_ready(self, request: Request, _api: Any) -> Steps:
        """Count the request of a user, who is known only now."""
        if self.is_late:
            yield Call(self.count, (request,), blocking=self._alias is not None)

    def count(self, request: Request) -> None:
        """Count a request.

        Raises:
            TooManyRequests: it is one too many.
            ServiceUnavailable: the cache is down, and requests are refused then.
        """
        who = self._key(request)
        if who is None:
            return
        states = []
        now = time.time()
        for rate in self.rates:
            try:
                left, wait = self._use(rate, str(who), now)
            except Exception as exc:
                logger.exception("the rate limit's cache %r failed", self._alias)
                if self._allows_failure:
                    return
                raise ServiceUnavailable(headers={"Retry-After": "1"}) from exc
            states.append((max(0, left), wait))
            request.context[self._state] = states
            if left < 0:
                raise TooManyRequests(headers={"Retry-After": str(wait)})

    @property
    def _state(self) -> str:
        return f"rate limit {id(self)}"

    def _use(self, rate: Rate, who: str, now: float) -> tuple[int, int]:
        """Return the requests that are left, -1 for one too many, and seconds to wait.

        A refused request is not counted, so that a client which waits as long as it was told is
        let in.
        """
        window = int(now // rate.window)
        past = now / rate.window - window
        prefix = f"utilmeta:rate:{self._name or self.scope}:{rate.limit}/{rate.window}:{who}"
        current = self._counters.add(f"{prefix}:{window}", 2 * rate.window)
        before = self._counters.get(f"{prefix}:{window - 1}")
        left = rate.limit - current - math.floor(before * (1 - past))
        rest = rate.window * (1 - past)
        if left >= 0:
            return left, max(1, math.ceil(rest))
        self._counters.take_back(f"{prefix}:{window}")
        # What the window before still weighs has to fall below what is free in this one.
        free = rate.limit - (current - 1)
        if 0 < free <= before:
            rest = rate.window * (1 - past - free / before)
        return -1, max(1, math.floor(rest) + 1)

    def finish(self, response: RawResponse, request: Request) -> None:
        """Tell the client what is left."""
        states = request.context.get(self._state)
        if states and response.header("ratelimit") is None:
            response.set_header("ratelimit-policy", self._policy)
            told = [f'"{index}";r={left};t={wait}' for index, (left, wait) in enumerate(states)]
            response.set_header("ratelimit", ", ".join(told))


def _key_of(key: str | Key) -> Key:
    if callable(key):
        return key
    if key == "ip":
        return lambda request: request.ip_address or "unix"
    if key == "user":
        return lambda request: (
            f"user {user}" if (user := var.user_id.get(request)) is not None else request.ip_address
        )
    kind, _, name = key.partition(":")
    if kind == "header" and name:
        return lambda request: request.raw.header(name.lower())
    raise ConfigError(
        f"api.RateLimit(key={key!r}): expected 'ip', 'user', 'header:name' or a function"
    )
