"""When, and how, requests are answered before Django's handlers look at them."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.core.handlers.asgi import ASGIRequest as NativeASGIRequest
from django.core.handlers.wsgi import WSGIRequest as NativeWSGIRequest
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse
from django.urls import (
    URLPattern,
    URLResolver,
    get_resolver,
    set_script_prefix,
    set_urlconf,
)
from django.urls.resolvers import RoutePattern
from django.utils.module_loading import import_string

from utilmeta.core.request.raw import check_length
from utilmeta.core.response import RawResponse
from utilmeta.core.server.gateways.asgi import ASGIRequest, Receive, Scope, Send, send_response
from utilmeta.core.server.gateways.django import DjangoWSGIRequest
from utilmeta.core.server.gateways.entrance import Reason, Routes, Watch, literal_of
from utilmeta.core.server.gateways.wsgi import Environ, WSGIRequest, written

# Middleware that adds headers to each response alike, and does nothing else unless it is told to.
_SECURITY = "django.middleware.security.SecurityMiddleware"
_FRAMES = "django.middleware.clickjacking.XFrameOptionsMiddleware"

# Settings by which Django would look at a request otherwise than the engine does.
_TOLD = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "FORCE_SCRIPT_NAME")

# Bytes of a body that are received before the endpoint runs; longer ones Django keeps on disk.
MAX_BODY = 2_621_440
# Seconds after which a request that is not answered begins to look whether the client is there.
PATIENCE = 0.1

Pairs = list[tuple[str, str]]


class DjangoEntrance:
    """Whether requests need Django's handlers, and what known middleware adds to their answers.

    Args:
        routes: the handlers.
        patterns: URL patterns that lead to them.
    """

    def __init__(self, routes: Routes, patterns: list[URLPattern]) -> None:
        self.routes = routes
        self._patterns = patterns
        self._middleware = tuple(settings.MIDDLEWARE)
        self._lists: list[list[Any]] = []
        self._added: dict[bool, Pairs] = {}
        self._probes: frozenset[str] = frozenset()
        self.watch = Watch(self._facts, self._judge)

    def _facts(self) -> Any:
        return (
            settings.ROOT_URLCONF,
            [*map(len, self._lists)],
            tuple(request_started.receivers),
            tuple(request_finished.receivers),
        )

    def way_of(self, path: str) -> tuple[Any, bool]:
        """Return route and handler of a path that is answered here, and whether it is a probe's.

        Who asks for health and metrics comes from within, past the proxy: what middleware does
        to clients, such as sending them to https, would keep those from what they ask for.

        Args:
            path: the whole path, decoded.

        Returns:
            None in place of the first when the request is for Django.
        """
        if self.watch.reason() is None:
            return self.routes.find(path), False
        return (self.routes.find(path), True) if path in self._probes else (None, False)

    def _judge(self) -> Reason:
        """Return why requests go through Django's handler; None when they need not."""
        self._lists.clear()
        patterns = list(_literals(get_resolver().url_patterns, "", self._lists))
        self._probes = self._judge_probes(patterns)
        return self._judge_settings() or _judge_databases() or self._judge_patterns(patterns)

    def _judge_probes(self, patterns: list[tuple[Any, str]]) -> frozenset[str]:
        """Return the paths of probes, unless a URL pattern of the project's may be in the way."""
        probes = self.routes.probes()
        is_here = any(pattern in self._patterns and not text for pattern, text in patterns)
        is_crossed = any(
            probes.crossed_by(f"/{text}")
            for pattern, text in patterns
            if pattern not in self._patterns
        )
        return frozenset(probes) if is_here and not is_crossed else frozenset()

    def _judge_settings(self) -> Reason:
        for name in self._middleware:
            if name not in (_SECURITY, _FRAMES):
                return f"middleware {name}"
        told = [name for name in _TOLD if getattr(settings, name, None)]
        if _SECURITY in self._middleware and settings.SECURE_SSL_REDIRECT:
            told.append("SECURE_SSL_REDIRECT")
        if told:
            return f"setting {told[0]}"
        receivers = [*request_started.receivers, *request_finished.receivers]
        if not all(_is_djangos(receiver[1]) for receiver in receivers):
            return "a receiver of request_started or request_finished"
        return None

    def _judge_patterns(self, patterns: list[tuple[Any, str]]) -> Reason:
        has_own = False
        for pattern, literal in patterns:
            if pattern in self._patterns:
                has_own = True
                if literal:
                    return f"it is included below {literal!r}"
            elif self.routes.crossed_by(f"/{literal}"):
                return f"the project's own URL pattern {str(pattern.pattern)!r}"
        return None if has_own else "its URL patterns are not in the project's"

    def finish(self, response: RawResponse, *, secure: bool) -> None:
        """Add the headers that known middleware adds, unless the response has them."""
        if not self._middleware:
            return
        if secure not in self._added:
            self._added[secure] = _headers_of(self._middleware, secure=secure)
        given = {name for name, _ in response.headers}
        response.headers += [pair for pair in self._added[secure] if pair[0] not in given]


def _judge_databases() -> Reason:
    for alias, entry in settings.DATABASES.items():
        if entry.get("ATOMIC_REQUESTS"):
            return f"ATOMIC_REQUESTS of database {alias!r}"
    for alias, entry in settings.CACHES.items():
        if import_string(entry["BACKEND"]).close is not BaseCache.close:
            return f"cache {alias!r}, which is closed after each request"
    return None


def _literals(patterns: list[Any], before: str, seen: list[list[Any]]) -> Iterator[tuple[Any, str]]:
    """Yield URL patterns, those that are included too, with what their paths begin with.

    Args:
        patterns: the patterns.
        before: what the path begins with that includes them.
        seen: takes in the lists, which a project may add to.
    """
    seen.append(patterns)
    for pattern in patterns:
        inner: Any = pattern.pattern
        text = before
        if type(inner) is RoutePattern:
            route = str(inner)
            text += literal_of(route, "<")
            if isinstance(pattern, URLResolver) and "<" not in route:
                yield from _literals(pattern.url_patterns, text, seen)
                continue
        yield pattern, text


def _is_djangos(receiver: Any) -> bool:
    """Return whether a signal's receiver is one of Django's own; they are kept weakly."""
    found = receiver() if hasattr(receiver, "__callback__") else receiver
    module = getattr(found, "__module__", "") if found is not None else "django."
    return str(module).startswith("django.")


def _headers_of(middleware: tuple[str, ...], *, secure: bool) -> Pairs:
    """Return what middleware adds to a plain response, asked of itself."""
    request = HttpRequest()
    request.META["SERVER_NAME"] = "localhost"
    request._get_scheme = lambda: "https" if secure else "http"  # type: ignore[attr-defined]  # noqa: SLF001
    found = HttpResponse()
    own = set(found.headers)
    for name in reversed(middleware):
        found = import_string(name)(lambda _request: HttpResponse()).process_response(
            request, found
        )
    return [(name.lower(), value) for name, value in found.items() if name not in own]


def _resolved(request: Any) -> Any:
    """Return Django's request with what Django would have told of its URL."""
    request.resolver_match = get_resolver().resolve(request.path_info)
    return request


class EntryWSGIRequest(DjangoWSGIRequest):
    """A raw request at the entrance of a WSGI service; Django's is made when it is asked for.

    Args:
        environ: the environment.
        prefix: where the handler answers.
    """

    __slots__ = ("_body", "_is_native")

    def __init__(self, environ: Environ, prefix: str) -> None:
        super().__init__(environ, prefix, environ.get("PATH_INFO", ""), None)
        self._body: bytes | None = None
        # Whether Django's own request was asked for, which then has the body.
        self._is_native = False

    def _late_native(self) -> Any:
        self._is_native = True
        environ = self.environ
        if self._body is not None:
            environ = {**environ, "wsgi.input": io.BytesIO(self._body)}
        return _resolved(NativeWSGIRequest(environ))

    def read(self, limit: int | None) -> bytes:
        """Return the whole body."""
        if self._is_native:
            return super().read(limit)
        self._body = WSGIRequest.read(self, limit)
        return self._body

    def stream(self) -> Iterator[bytes]:
        """Yield the body as it arrives, or as Django has kept it."""
        return super().stream() if self._is_native else WSGIRequest.stream(self)


class EntryASGIRequest(ASGIRequest):
    """A raw request at the entrance of an async service, its body received.

    Args:
        scope: the connection's scope.
        receive: gives what follows the body.
        prefix: the route below which the handler answers.
        body: the body.
    """

    __slots__ = ("_body",)

    def __init__(self, scope: Scope, receive: Receive, prefix: str, body: bytes) -> None:
        super().__init__(scope, receive, prefix)
        self._body = body

    def _late_native(self) -> Any:
        return _resolved(NativeASGIRequest(self.scope, io.BytesIO(self._body)))

    async def aread(self, limit: int | None) -> bytes:
        """Return the whole body."""
        check_length(len(self._body), limit)
        return self._body

    async def astream(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        if self._body:
            yield self._body


def answer_wsgi(entrance: DjangoEntrance, environ: Environ, start_response: Any) -> Any:
    """Answer a request of a WSGI server; returns the body's iterable.

    Returns:
        None when nothing was done: the request is for the project.
    """
    if environ.get("SCRIPT_NAME"):
        return None
    found, is_probe = entrance.way_of(environ.get("PATH_INFO", ""))
    if found is None:
        return None
    route, handler = found
    # What a request before this one may have left on the thread.
    set_script_prefix("/")
    set_urlconf(None)
    response = handler.handle(EntryWSGIRequest(environ, route))
    if not is_probe:
        entrance.finish(response, secure=environ.get("wsgi.url_scheme") == "https")
    return written(response, start_response)


async def answer_asgi(
    entrance: DjangoEntrance,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> bool:
    """Answer a request of an ASGI server; as under Django's handler, a client that goes ends it.

    Returns:
        False when nothing was done: the request is for the project, or has a body that Django
        keeps on disk.
    """
    if scope.get("root_path"):
        return False
    found, is_probe = entrance.way_of(scope["path"])
    if found is None:
        return False
    route, handler = found
    length = _length_of(scope)
    if length is None or length > MAX_BODY:
        return False
    body = await _received(receive) if length else b""
    if body is None:
        return True
    raw = EntryASGIRequest(scope, receive, route, body)
    watcher = _Watcher(receive)
    timer = asyncio.get_running_loop().call_later(PATIENCE, watcher.begin)
    try:
        response = await handler.ahandle(raw)
    except asyncio.CancelledError:
        if watcher.has_cancelled():
            return True
        raise
    finally:
        timer.cancel()
        if watcher.listening is not None:
            await watcher.end()
    if watcher.is_gone:
        await response.aclose()
        return True
    if not is_probe:
        entrance.finish(response, secure=scope.get("scheme") == "https")
    await send_response(response, raw, send)
    return True


class _Watcher:
    """Cancels the request of this task when its client goes away before it is answered."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self.listening: asyncio.Task[None] | None = None
        self.is_gone = False

    def begin(self) -> None:
        """Begin to listen."""
        self.listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        if self._task is not None:
            self._task.cancel()

    def has_cancelled(self) -> bool:
        """Return whether it was this that cancelled the task, which then goes on."""
        if self.is_gone and self._task is not None:
            self._task.uncancel()
        return self.is_gone

    async def end(self) -> None:
        """Stop to listen."""
        if self.listening is not None:
            self.listening.cancel()
            await asyncio.gather(self.listening, return_exceptions=True)


def _length_of(scope: Scope) -> int | None:
    """Return the announced length of a body; None for one of unknown length."""
    # HTTP/1 says in either way that there is a body (RFC 9112 section 6.3), its successors do not.
    is_told = scope.get("http_version", "1.1").startswith("1")
    length = 0 if is_told or scope["method"] in ("GET", "HEAD") else None
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                return None
            length = int(value)
        elif name == b"transfer-encoding":
            return None
    return length


async def _received(receive: Receive) -> bytes | None:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)
