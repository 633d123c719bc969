"""A request and a service made by hand, for tests that need no server."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from utilmeta.conf import Preference
from utilmeta.core.api import API
from utilmeta.core.api.compile import compile_api
from utilmeta.core.api.errors import answer_error
from utilmeta.core.request import RawRequest, Request, RequestRules
from utilmeta.core.response import RawResponse
from utilmeta.core.server.engine.router import Router


class PlainRequest(RawRequest):
    """A raw request from plain values; counts the body bytes that were taken from it."""

    def __init__(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] = b"",
        prefix: str = "",
        segments: tuple[str, ...] | None = None,
        scheme: str = "http",
        server: tuple[str, int | None] | None = ("testserver", 80),
        client: tuple[str, int] | None = ("192.0.2.1", 4711),
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.prefix = prefix
        self.segments = segments
        self.fault = None
        self.scheme = scheme
        self.server = server
        self.client = client
        self.native = self
        self.taken = 0
        self._headers = list(headers)
        self._body = [body] if isinstance(body, bytes) else body

    def headers(self) -> list[tuple[str, str]]:
        return self._headers

    def stream(self) -> Iterator[bytes]:
        for chunk in self._body:
            self.taken += len(chunk)
            yield chunk


def rules(**preference: object) -> RequestRules:
    """Return what a service with this preference reads requests by."""
    return RequestRules.of(Preference(**preference))


def make_request(raw: PlainRequest | None = None, /, **preference: object) -> Request:
    """Return the request an endpoint would see."""
    return Request(PlainRequest() if raw is None else raw, rules(**preference))


JSON_HEADERS = (("content-type", "application/json"),)


def answer(api: type[API], raw: PlainRequest) -> RawResponse:
    """Return a sync API's answer, made by the same steps as the engine's, without a service."""
    operations = compile_api(api)
    request = Request(raw, rules())
    target, values = Router(operations).resolve(raw.path, raw.segments)
    operation = target.find(raw.method)
    request.path_params = dict(zip(operation.template.names, values, strict=True))
    try:
        arguments = operation.parse(request)
    except Exception as exc:
        return answer_error(exc, request, debug=False)
    return operation.invoke(request, arguments)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a configuration may know of a service."""

    name: str = "shop"
    module_name: str = "shop.service"
    production: bool = False
    asynchronous: bool = False
    project_dir: Path = field(default=Path("/srv/shop"))
