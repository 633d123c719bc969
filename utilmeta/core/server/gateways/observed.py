"""Whole applications that are watched: what no handler of ours answers, too."""

from collections.abc import Callable, Iterator
from typing import Any

from utilmeta.core.response.raw import close_source
from utilmeta.core.server.gateways.asgi import ASGIRequest, Message, Receive, Scope, Send
from utilmeta.core.server.gateways.wsgi import Environ, WSGIRequest, path_of, script_of
from utilmeta.core.server.observe import GONE, Observer, Seen


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
        pairs = _labelled(observer, seen, headers)
        return (
            start_response(status, pairs)
            if exc_info is None
            else start_response(status, pairs, exc_info)
        )

    entered = observer.enter(seen)
    try:
        body = app(environ, start)
    except BaseException as exc:
        observer.end(seen, exc)
        raise
    finally:
        observer.leave(entered)
    if isinstance(body, tuple | list):
        seen.size = sum(map(len, body))
        observer.end(seen)
        return body
    return _Body(body, seen, observer)


def _labelled(
    observer: Observer, seen: Seen, headers: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return header fields with the request's id."""
    if observer.header is None or seen.id is None:
        return headers
    name = observer.header.lower()
    kept = [pair for pair in headers if pair[0].lower() != name]
    return [*kept, (observer.header, seen.id)]


class _Body:
    """A WSGI body, which ends the request when it is closed."""

    def __init__(self, source: Any, seen: Seen, observer: Observer) -> None:
        self._source = source
        self._chunks: Iterator[bytes] | None = None
        self._seen = seen
        self._observer = observer
        seen.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        seen, observer = self._seen, self._observer
        entered = observer.enter(seen)
        try:
            if self._chunks is None:
                self._chunks = iter(self._source)
            chunk = next(self._chunks)
        except Exception as exc:
            if not isinstance(exc, StopIteration):
                seen.broke(exc)
            raise
        finally:
            observer.leave(entered)
        seen.size = (seen.size or 0) + len(chunk)
        return chunk

    def close(self) -> None:
        """End the body, and with it the request."""
        entered = self._observer.enter(self._seen)
        try:
            close_source(self._source)
        finally:
            self._observer.leave(entered)
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
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != header]
                message = {**message, "headers": [*kept, (header, seen.id.encode("latin-1"))]}
        elif message["type"] == "http.response.body":
            seen.size = (seen.size or 0) + len(message.get("body", b""))
        await send(message)

    error: BaseException | None = None
    entered = observer.enter(seen)
    try:
        await app(scope, receive, send_on)
    except BaseException as exc:
        error = exc
        raise
    finally:
        observer.leave(entered)
        if error is None and not seen.status:
            # The client was gone before there was an answer.
            seen.status = GONE
        observer.end(seen, error)


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
