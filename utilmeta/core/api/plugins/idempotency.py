"""Requests that may be sent twice and are carried out once."""

import hashlib
import logging
from typing import Any

from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.api.plugins.stores import check_store
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.request import Request, var
from utilmeta.core.response import RawResponse, Response
from utilmeta.utils.exceptions import (
    BadRequest,
    ConfigError,
    Conflict,
    ServiceUnavailable,
    UnprocessableEntity,
)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# What belongs to one answer only, or is made anew.
_DROPPED = frozenset({"set-cookie", "content-length", "date", "ratelimit", "ratelimit-policy"})
_MAX_KEY = 255
# Refusals that another try may not meet.
_PASSING = frozenset({401, 403, 408, 409, 425, 429})

logger = logging.getLogger("utilmeta.idempotency")


class Idempotency(Plugin):
    """Answer a repeated request with the first one's answer, by the `Idempotency-Key` it carries.

    A key belongs to one client (its `Authorization`, `Cookie` and user), method and path. While
    the first request runs, or has run into a `Timeout`, a second is 409; the same key with another
    body is 422. Answers from 500 on, and streams, are not kept: the request may be tried again.

    Args:
        cache: alias of the cache that keeps answers, one that all processes share in production.
        ttl: seconds an answer is kept.
        running: seconds after which a request that never ended is given up.
        required: whether requests without a key are 400.

    Raises:
        ConfigError: a time is not positive.

    Source: draft-ietf-httpapi-idempotency-key-header.
    """

    request_headers = ("idempotency-key",)
    # A kept answer is for those only who could have had it made.
    after_authentication = True
    after_rules = True
    is_late = True

    def __init__(
        self,
        *,
        cache: str = "default",
        ttl: int = 86_400,
        running: int = 60,
        required: bool = False,
    ) -> None:
        if ttl < 1 or running < 1:
            raise ConfigError("api.Idempotency(...): expected ttl and running from 1 second")
        self._alias = cache
        self._ttl = ttl
        self._running = running
        self._required = required

    def prepare(self, rules: CompileRules) -> None:
        """Refuse a store that is not shared by all processes."""
        check_store(self._alias, rules, f"api.Idempotency on {self.scope}")

    @property
    def _cache(self) -> Any:
        from django.core.cache import caches

        return caches[self._alias]

    @property
    def _state(self) -> str:
        return f"idempotency {id(self)}"

    def on_request(self, request: Request, _api: Any) -> Steps:
        """Read what the key is for, before anything else takes the body apart."""
        key = request.raw.header("idempotency-key")
        if request.method in _SAFE:
            return None
        if not key:
            if self._required:
                raise BadRequest("The header Idempotency-Key is required")
            return None
        if len(key) > _MAX_KEY:
            raise BadRequest(f"Idempotency-Key has more than {_MAX_KEY} characters")
        body = yield Call(request.read, blocking=False, twin=request.aread)
        mark = hashlib.sha256(body + request.raw.query.encode()).hexdigest()
        request.context[self._asked] = (key, mark)
        return None

    def on_ready(self, request: Request, _api: Any) -> Steps:
        """Take the key, or return the answer that is kept for it, once hooks and rules agree."""
        asked = request.context.get(self._asked)
        if asked is None:
            return None
        key, mark = asked
        return (yield Call(self._take, (request, self._name(request, key), mark)))

    @property
    def _asked(self) -> str:
        return f"idempotency asked {id(self)}"

    def _name(self, request: Request, key: str) -> str:
        who = [request.raw.header(name) or "" for name in ("authorization", "cookie")]
        who.append(str(var.user_id.get(request)))
        parts = "\n".join([request.method, request.raw.prefix + request.path, key, *who])
        return f"utilmeta:idempotency:{hashlib.sha256(parts.encode()).hexdigest()}"

    def _take(self, request: Request, name: str, mark: str) -> Response[Any] | None:
        try:
            is_first = self._cache.add(name, {"mark": mark}, self._running)
            kept = None if is_first else self._cache.get(name)
        except Exception as exc:
            logger.exception("the cache %r of Idempotency failed", self._alias)
            raise ServiceUnavailable(headers={"Retry-After": "1"}) from exc
        if is_first:
            request.context[self._state] = (name, mark)
            return None
        kept = kept or {"mark": mark}
        if kept["mark"] != mark:
            raise UnprocessableEntity("Idempotency-Key was used for another request")
        if "status" not in kept:
            raise Conflict(
                "A request with this Idempotency-Key is being answered",
                headers={"Retry-After": "1"},
            )
        headers = {**kept["headers"], "Idempotency-Replayed": "true"}
        return Response(kept["body"] or None, kept["status"], headers)

    def on_finish(self, response: RawResponse, request: Request) -> Steps:
        """Keep the answer, or let the key go when it is worth another try."""
        taken = request.context.get(self._state)
        if taken is not None:
            try:
                yield Call(self._keep, (*taken, response))
            except Exception:
                # The work is done: its answer must not be lost with the record of it.
                logger.exception("the cache %r of Idempotency failed", self._alias)

    def _keep(self, name: str, mark: str, response: RawResponse) -> None:
        if response.status == 504:
            # What took too long may still run: its key stays taken for as long as that may last.
            return
        if response.status >= 500 or response.status in _PASSING or response.streaming:
            self._cache.delete(name)
            return
        headers = {key: value for key, value in response.headers if key not in _DROPPED}
        kept = {
            "mark": mark,
            "status": response.status,
            "headers": headers,
            "body": response.body,
        }
        self._cache.set(name, kept, self._ttl)
