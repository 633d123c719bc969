"""A request, derived from what an adapter handed in."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from utilmeta.conf.preference import Preference
from utilmeta.core.file import File
from utilmeta.core.request.headers import Headers, QueryValues
from utilmeta.core.request.proxies import TrustedProxies
from utilmeta.core.request.query import decode, parse_cookies, parse_query
from utilmeta.core.request.raw import RawRequest, check_length
from utilmeta.utils.exceptions import BadRequest
from utilmeta.utils.logs import current_labels

# Media types of an HTML form's body, without and with files.
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRules:
    """What every request of a service is read by; made once at set-up.

    Args:
        proxies: peers whose forwarding headers are believed.
        max_body_size: bytes; None means no limit.
        max_fields: query fields.
        secure_cookies: whether cookies go over https only unless they say otherwise.
        explains: whether refusals tell clients which rule it was.
    """

    proxies: TrustedProxies
    max_body_size: int | None
    max_fields: int
    secure_cookies: bool = False
    explains: bool = False

    @classmethod
    def of(cls, preference: Preference, *, production: bool = False) -> "RequestRules":
        """Return the rules that a preference stands for."""
        return cls(
            proxies=TrustedProxies(preference.trusted_proxies),
            max_body_size=preference.max_body_size,
            max_fields=preference.max_fields,
            secure_cookies=production,
            explains=preference.explain_refusals and not production,
        )


class Request:
    """A request as an endpoint sees it; each part is worked out when it is first asked for.

    Args:
        raw: what the adapter handed in.
        rules: limits and trusted proxies of the service.

    Attributes:
        path_params: texts of the path's variables by name.
        context: values set on the way, such as those of `request.var`.
        files: what was uploaded; closed with the response.
        outgoing: what is done to the finished response; see `on_response`.
    """

    outgoing: "list[Callable[[Any], None]] | None" = None

    def __init__(self, raw: RawRequest, rules: RequestRules) -> None:
        self.raw = raw
        self.rules = rules
        self.method = raw.method
        self.path_params: dict[str, str] = {}
        self.context: dict[str, Any] = {}
        self.files: list[File] = []
        self._body: bytes | None = None
        self._query: dict[str, list[str]] | None = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.raw.prefix}{self.raw.path}>"

    @property
    def id(self) -> str | None:
        """What log lines and the answer name the request by; None without `Logging()`."""
        labels = current_labels.get()
        return None if labels is None else labels.id

    @property
    def path(self) -> str:
        """The decoded path below the service's route, starting with `/`."""
        return self.raw.path or "/"

    @property
    def adaptor(self) -> Any:
        """The framework's own request."""
        return self.raw.native

    @cached_property
    def time(self) -> datetime:
        """When the request was first looked at, in UTC."""
        return datetime.now(UTC)

    @cached_property
    def headers(self) -> Headers:
        """The header fields."""
        return Headers(self.raw.headers())

    @property
    def encoded_query(self) -> dict[str, list[str]]:
        """Each query name's values, still encoded."""
        # Kept by hand, as cached_property of Python 3.11 takes a lock.
        if self._query is None:
            self._query = parse_query(self.raw.query, max_fields=self.rules.max_fields)
        return self._query

    @cached_property
    def query(self) -> QueryValues:
        """The query fields."""
        return QueryValues(
            {
                name: [decode(value) for value in values]
                for name, values in self.encoded_query.items()
            }
        )

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return parse_cookies("; ".join(Headers(self.raw.headers()).getlist("cookie")))

    @property
    def content_type(self) -> str | None:
        """Media type of the body in lower case, without parameters."""
        value = self.raw.header("content-type")
        return value.partition(";")[0].strip().lower() if value else None

    @property
    def content_length(self) -> int | None:
        """Announced length of the body in bytes."""
        return self.raw.content_length()

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header."""
        return self.raw.header("authorization")

    @property
    def is_from_proxy(self) -> bool:
        """Whether the socket's peer is a declared proxy."""
        return self.rules.proxies.trusts(self.raw.client[0] if self.raw.client else None)

    @cached_property
    def ip_address(self) -> str | None:
        """The client's address: the socket's peer, or what a trusted proxy says.

        None for a unix socket whose proxy says nothing.
        """
        peer = self.raw.client[0] if self.raw.client else None
        return self.rules.proxies.client(peer, self.raw.header("x-forwarded-for"))

    @cached_property
    def scheme(self) -> str:
        """`http` or `https`, as the client used it."""
        if self.is_from_proxy:
            forwarded = (
                (self.raw.header("x-forwarded-proto") or "").rpartition(",")[2].strip().lower()
            )
            if forwarded in {"http", "https"}:
                return forwarded
        return self.raw.scheme

    @cached_property
    def host(self) -> str:
        """Host, and port when it is not the scheme's own, as the client used it."""
        if self.is_from_proxy:
            forwarded = (self.raw.header("x-forwarded-host") or "").rpartition(",")[2].strip()
            if forwarded:
                return forwarded
        named = self.raw.header("host")
        if named:
            return named
        if self.raw.server is None:
            return "localhost"
        host, port = self.raw.server
        if ":" in host:
            host = f"[{host}]"
        own = {"http": 80, "https": 443}.get(self.scheme)
        return host if port in (None, own) else f"{host}:{port}"

    @property
    def origin(self) -> str:
        """Scheme and host, as in `https://example.com`."""
        return f"{self.scheme}://{self.host}"

    @property
    def url(self) -> str:
        """The whole URL, percent-encoded."""
        path = quote(self.raw.prefix)
        if self.raw.segments is not None:
            path += "".join("/" + quote(segment, safe="") for segment in self.raw.segments)
        else:
            path += quote(self.raw.path or ("" if path else "/"))
        return f"{self.origin}{path}{'?' + self.raw.query if self.raw.query else ''}"

    def read(self, limit: int | None = None) -> bytes:
        """Return the whole body; read once, then kept.

        Args:
            limit: bytes it may have; None takes `Preference(max_body_size=...)`.

        Raises:
            RequestEntityTooLarge: it is longer.
            BadRequest: the client sent less than it announced.
        """
        allowed = self.rules.max_body_size if limit is None else limit
        if self._body is None:
            self._body = self.raw.read(allowed)
        # Another may have read it, with a limit of its own.
        check_length(len(self._body), allowed)
        return self._body

    async def aread(self, limit: int | None = None) -> bytes:
        """Return the whole body; the async twin of `read`."""
        allowed = self.rules.max_body_size if limit is None else limit
        if self._body is None:
            self._body = await self.raw.aread(allowed)
        check_length(len(self._body), allowed)
        return self._body

    def stream(self) -> Iterator[bytes]:
        """Yield the body as it arrives; it is not kept and the size limit does not apply."""
        return iter((self._body,)) if self._body is not None else self.raw.stream()

    def astream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; the async twin of `stream`."""
        return _once(self._body) if self._body is not None else self.raw.astream()

    def on_response(self, act: Callable[[Any], None]) -> None:
        """Have something done to the finished response, a `RawResponse`, before it is written.

        It must neither raise nor wait. A response for the server's fault (5xx) is left alone.
        """
        if self.outgoing is None:
            self.outgoing = []
        self.outgoing.append(act)

    def close(self) -> None:
        """Close the files that came with the request."""
        for file in self.files:
            file.close()

    @property
    def body(self) -> bytes:
        """The whole body. On an async service it must have been read with `aread` before.

        Raises:
            RuntimeError: an async service, and the body has not been read.
        """
        if self._body is None and self.raw.asynchronous:
            raise RuntimeError("request.body: call 'await request.aread()' first")
        return self.read()

    @property
    def data(self) -> Any:
        """What the body stands for: a form's fields, else its JSON.

        Raises:
            BadRequest: the body is neither.
        """
        if self.content_type == URLENCODED:
            fields = parse_query(
                self.body.decode("latin-1"), max_fields=self.rules.max_fields, what="form"
            )
            return QueryValues({name: [decode(v) for v in found] for name, found in fields.items()})
        try:
            return json.loads(self.body)
        except RecursionError as exc:
            raise BadRequest("The body is not JSON: it is nested too deep") from exc
        except ValueError as exc:
            raise BadRequest(f"The body is not JSON: {exc}") from exc


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
