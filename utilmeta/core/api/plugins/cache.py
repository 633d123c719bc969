"""What clients and proxies may keep, and how they ask whether it is still good."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.api.plugins.cors import add_vary
from utilmeta.core.request import Request
from utilmeta.core.request.conditions import is_unmodified, matches, parse_date
from utilmeta.core.response import RawResponse
from utilmeta.utils.exceptions import ConfigError

# What a 304 may not hold of the answer it stands for (RFC 9110 section 15.4.5).
_DROPPED = frozenset({"content-type", "content-length", "content-range", "content-encoding"})


class Cache(Plugin):
    """Give answers validators and a `Cache-Control`, and answer 304 to who has them already.

    It concerns GET and HEAD answered with 200. Headers that an endpoint sets itself stay as they
    are: its `ETag` and `Last-Modified` are what conditions are compared with.

    Args:
        cache_control: the whole header, such as `'no-cache'` or `'private, max-age=60'`.
        max_age: seconds, in place of `cache_control`, or added to it.
        etag: whether answers without an entity tag get one, made of their bytes.
        last_modified: whether `If-Modified-Since` is compared with the `Last-Modified` that an
            endpoint sets.
        vary: request headers that the answer depends on.

    Raises:
        ConfigError: `max_age` is negative.
    """

    blocking: ClassVar[bool] = False

    def __init__(
        self,
        cache_control: str | None = None,
        *,
        max_age: int | None = None,
        etag: bool = True,
        last_modified: bool = True,
        vary: str | Sequence[str] = (),
    ) -> None:
        if max_age is not None and max_age < 0:
            raise ConfigError(f"api.Cache(max_age={max_age}): expected seconds from 0")
        parts = [cache_control] if cache_control else []
        if max_age is not None:
            parts.append(f"max-age={max_age}")
        self._control = ", ".join(parts) or "no-cache"
        self._etag = etag
        self._last_modified = last_modified
        self._vary = [vary] if isinstance(vary, str) else list(vary)

    def finish(self, response: RawResponse, request: Request) -> None:
        """Add the headers, and leave the body out when the client has it."""
        for name in self._vary:
            add_vary(response, name)
        if request.method not in {"GET", "HEAD"} or response.status not in {200, 206, 304}:
            return
        if response.header("cache-control") is None:
            response.set_header("cache-control", self._control)
        if response.status != 200:
            return
        etag = response.header("etag")
        if etag is None and self._etag and isinstance(response.body, bytes):
            digest = hashlib.blake2b(response.body, digest_size=16)
            digest.update((response.header("content-type") or "").encode())
            etag = f'"{digest.hexdigest()}"'
            response.set_header("etag", etag)
        told = response.header("last-modified") if self._last_modified else None
        modified = parse_date(told) if told is not None else None
        wanted = request.raw.header("if-match")
        if wanted is not None and not matches(wanted, etag, weak=False):
            _replace(response, 412)
        elif is_unmodified(request, etag, modified):
            _replace(response, 304)


def _replace(response: RawResponse, status: int) -> None:
    """Leave the body out; a stream that is not sent is closed with the response."""
    response.headers = [pair for pair in response.headers if pair[0] not in _DROPPED]
    if status != 304:
        response.headers.append(("content-length", "0"))
    if response.streaming:
        response.on_close.append(getattr(response.body, "close", lambda: None))
    response.status = status
    response.body = b""
