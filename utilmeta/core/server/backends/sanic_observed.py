"""Requests of a Sanic application's own routes, and of none, that are watched."""

import asyncio
import contextlib
from collections.abc import Collection
from typing import Any

from sanic import Request, Sanic

from utilmeta.core.server.backends.sanic_requests import SanicRequest
from utilmeta.core.server.observe import Observer

# Middleware that `observe` registers: one before the handlers, one after them.
OWN = 1


def observe(app: Sanic[Any, Any], observer: Observer, views: Collection[Any]) -> None:
    """Watch the requests that no handler of ours answers.

    Args:
        app: the application.
        observer: tells of requests.
        views: Sanic's handlers that lead to ours, which are watched themselves.
    """

    async def begin(request: Request[Any, Any]) -> None:
        route = request.route
        if route is not None and route.handler in views:
            return
        seen = observer.begin(SanicRequest(request, ""))
        seen.route = None if route is None else f"/{route.path}"
        task = asyncio.current_task()

        def gone(_task: object) -> None:
            observer.end(seen, asyncio.CancelledError())

        if task is not None:
            # Of a client that is gone Sanic ends the connection's task, and nothing else is told.
            task.add_done_callback(gone)
        request.ctx.utilmeta_seen = (seen, observer.enter(seen), task, gone)

    async def end(request: Request[Any, Any], response: Any) -> None:
        found = getattr(request.ctx, "utilmeta_seen", None)
        if found is None:
            return
        del request.ctx.utilmeta_seen
        seen, entered, task, gone = found
        if task is not None:
            task.remove_done_callback(gone)
        seen.status = response.status
        body = getattr(response, "body", None)
        seen.size = len(body) if isinstance(body, bytes) else None
        if observer.header is not None and seen.id is not None:
            response.headers[observer.header] = seen.id
        # An answer that was begun in a task of its own has another context.
        with contextlib.suppress(ValueError):
            observer.leave(entered)
        observer.end(seen)

    app.register_middleware(begin, "request")
    app.register_middleware(end, "response")
