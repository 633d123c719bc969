"""Whole applications that are watched: what no handler of ours answers, too."""

from collections.abc import Callable
from typing import Any

from utilmeta.core.server.gateways.asgi import ASGIRequest, Message, Receive, Scope, Send
from utilmeta.core.server.gateways.wsgi import Environ, WSGIRequest, path_of, script_of
from utilmeta.core.server.observe import GONE, Observer
from utilmeta.core.server.observe.handler import Tap
from utilmeta.core.server.observe.observer import labelled


def observe_wsgi(
    observer: Observer, app: Callable[..., Any], environ: Environ, start_response: Any
) -> Any:
    """Return the answer of a WSGI application, watched.

    Args:
        observer: tells of the request.
        app: the application.
        environ: the request's environment.
        start_response: the server's.
    """
    seen = observer.begin(WSGIRequest(environ, script_of(environ), path_of(environ), None))

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen.status = int(status[:3])
        if observer.header is not None and seen.id is not None:
            headers = labelled(headers, observer.header, seen.id)
        return (
            start_response(status, headers)
            if exc_info is None
            else start_response(status, headers, exc_info)
        )

    with observer.watch(seen):
        body = app(environ, start)
    if isinstance(body, tuple | list):
        seen.size = sum(map(len, body))
        observer.end(seen)
        return body
    seen.size = 0
    return _Body(body, seen, observer)


class _Body(Tap):
    """A WSGI body, which ends the request when it is closed."""

    def close(self) -> None:
        """End the body, and with it the request."""
        try:
            super().close()
        finally:
            self._observer.end(self._seen)


async def observe_asgi(
    observer: Observer, app: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer an HTTP request with an ASGI application, watched.

    Args:
        observer: tells of the request.
        app: the application.
        scope: the connection's scope.
        receive: gives its messages.
        send: takes the answer's.
    """
    seen = observer.begin(ASGIRequest(scope, receive, scope.get("root_path") or ""))
    header = None if observer.header is None else observer.header.lower().encode("latin-1")

    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            seen.size = 0
            if header is not None and seen.id is not None:
                value = seen.id.encode("latin-1")
                headers = labelled(message.get("headers", ()), header, value)
                message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            seen.size = (seen.size or 0) + len(message.get("body", b""))
        await send(message)

    with observer.watch(seen):
        await app(scope, receive, send_on)
    if not seen.status:
        # The client was gone before there was an answer.
        seen.status = GONE
    observer.end(seen)


class ObservedWSGI:
    """A WSGI application that is watched.

    Args:
        app: the application.
        observer: tells of its requests.
    """

    def __init__(self, app: Callable[..., Any], observer: Observer) -> None:
        self._app = app
        self._observer = observer

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """Answer one request."""
        return observe_wsgi(self._observer, self._app, environ, start_response)


class ObservedASGI:
    """An ASGI application whose HTTP requests are watched; WebSockets are where they end.

    Args:
        app: the application.
        observer: tells of its requests.
    """

    def __init__(self, app: Any, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http":
            await observe_asgi(self._observer, self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)
