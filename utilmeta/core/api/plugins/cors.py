"""Cross-origin requests: which other sites' scripts may read answers."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse
from utilmeta.utils.annotations import member_names
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.api.operation import Operation

# Headers that scripts commonly send and that browsers ask about.
_COMMON = ("accept", "accept-language", "authorization", "content-language", "content-type")


class CORS(Plugin):
    """Let scripts of other origins call endpoints, and answer their preflight requests.

    The nearest one counts: on an endpoint, its class, then the classes above. On the root class it
    also holds for answers to unknown paths and methods.

    Args:
        allow_origin: `'*'`, or origins such as `'https://app.example.com'`; a `*` in place of the
            first labels takes every name below: `'https://*.example.com'`.
        allow_headers: request headers beside the usual ones and those that endpoints declare;
            `'*'` takes any.
        expose_headers: response headers that scripts may read.
        allow_credentials: whether browsers send cookies; needs named origins.
        max_age: seconds a browser may remember the answer to a preflight.

    Raises:
        ConfigError: an origin is malformed, or credentials are to be sent to every origin.

    Source: the Fetch standard, section 3.3.
    """

    blocking: ClassVar[bool] = False

    def __init__(
        self,
        allow_origin: str | Sequence[str] = "*",
        *,
        allow_headers: str | Sequence[str] = (),
        expose_headers: Sequence[str] = (),
        allow_credentials: bool = False,
        max_age: int = 600,
    ) -> None:
        origins = [allow_origin] if isinstance(allow_origin, str) else list(allow_origin)
        self._any = "*" in origins
        if self._any and allow_credentials:
            raise ConfigError(
                "api.CORS(allow_credentials=True): browsers refuse cookies where every origin is "
                "allowed; name the origins"
            )
        self._exact = {_origin(item) for item in origins if "*" not in item}
        self._below = [_pattern(item) for item in origins if "*" in item and item != "*"]
        self._any_header = allow_headers == "*"
        given = [] if isinstance(allow_headers, str) else allow_headers
        self._headers = dict.fromkeys([*_COMMON, *(name.lower() for name in given)])
        self._expose = ", ".join(expose_headers)
        self._credentials = allow_credentials
        self._max_age = str(max_age)

    def see(self, operation: "Operation") -> None:
        """Take in the headers an endpoint declares."""
        from utilmeta.core.api.arguments import wire_name

        for argument in operation.arguments:
            param = argument.param
            if param is None or param.place != "header":
                continue
            if param.whole:
                members = member_names(argument.annotation) or {}
                names = [name.replace("_", "-").lower() for name in members]
            else:
                names = [wire_name(argument)]
            self._headers.update(dict.fromkeys(names))
        for plugin in operation.plugins:
            self._headers.update(dict.fromkeys(plugin.request_headers))

    def allows(self, origin: str) -> bool:
        """Return whether an origin's scripts may read answers."""
        if self._any or origin in self._exact:
            return True
        return any(
            origin.startswith(start) and origin.endswith(end) and len(origin) > len(start + end)
            for start, end in self._below
        )

    def finish(self, response: RawResponse, request: Request) -> None:
        """Say which origin may read the response, unless an inner one has decided."""
        if request.context.setdefault("cors", self) is not self:
            return
        if not self._any:
            add_vary(response, "Origin")
        origin = request.raw.header("origin")
        if origin is None or not self.allows(origin):
            return
        response.set_header("access-control-allow-origin", "*" if self._any else origin)
        if self._credentials:
            response.set_header("access-control-allow-credentials", "true")
        asked = request.raw.header("access-control-request-method")
        if request.method == "OPTIONS" and asked is not None:
            self._preflight(response, request)
        elif self._expose:
            response.set_header("access-control-expose-headers", self._expose)

    def _preflight(self, response: RawResponse, request: Request) -> None:
        allow = response.header("allow")
        if allow is not None:
            response.set_header("access-control-allow-methods", allow)
        wanted = request.raw.header("access-control-request-headers")
        if self._any_header:
            add_vary(response, "Access-Control-Request-Headers")
        names = wanted if self._any_header and wanted else ", ".join(self._headers)
        response.set_header("access-control-allow-headers", names)
        response.set_header("access-control-max-age", self._max_age)


def _pattern(text: str) -> tuple[str, str]:
    """Return what stands before and behind the `*` of `https://*.example.com`."""
    start, _, end = text.partition("*")
    if not start.endswith("://") or not re.fullmatch(r"\.[\w-]+(\.[\w-]+)+(:\d+)?", end):
        raise ConfigError(
            f"api.CORS(allow_origin={text!r}): '*' stands for the first labels of a name, as in "
            "'https://*.example.com'"
        )
    return start.lower(), end.lower()


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if text == "null" or (
        parts.scheme and parts.netloc and not (parts.path or parts.query or parts.fragment)
    ):
        return text.lower()
    raise ConfigError(
        f"api.CORS(allow_origin={text!r}): expected an origin, such as 'https://app.example.com', "
        "without a path"
    )


def add_vary(response: RawResponse, name: str) -> None:
    """Add a name to the `Vary` header, once."""
    known = response.header("vary")
    names = [item.strip() for item in (known or "").split(",") if item.strip()]
    if name.lower() not in {item.lower() for item in names} and "*" not in names:
        response.set_header("vary", ", ".join([*names, name]))
