"""WebSockets: from an opening request to the end of the conversation."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from utilmeta.core.api.calling import adrive
from utilmeta.core.api.operation import Operation
from utilmeta.core.api.pipeline import Run
from utilmeta.core.api.plugins import CORS
from utilmeta.core.api.sockets import WebSocket
from utilmeta.core.request import RawRequest, Request
from utilmeta.core.request.current import current_request
from utilmeta.core.request.socket import (
    FAILED,
    INVALID,
    NORMAL,
    POLICY,
    RESTART,
    RawSocket,
    WebSocketDisconnect,
    short_reason,
)
from utilmeta.core.response import RawResponse
from utilmeta.core.server.engine.calls import make_call
from utilmeta.core.server.engine.lanes import Hold
from utilmeta.utils.exceptions import BadRequest, HttpError, PermissionDenied

if TYPE_CHECKING:
    from utilmeta.core.server.engine.engine import Engine

logger = logging.getLogger("utilmeta.errors")

# Seconds that an endpoint has left once its client is gone.
GRACE = 10.0

_PORTS = {"http": 80, "https": 443}


async def converse(engine: "Engine", raw: RawRequest, socket: RawSocket) -> None:
    """Carry on a WebSocket to its end.

    What goes wrong before the handshake is answered as for HTTP; afterwards the connection is
    closed: 1007 for a message of the wrong form, 1008 for other errors of the client, 1011 for
    those of the server, 1012 when the process ends.
    """
    await engine.rules.hooks.astart()
    request = Request(raw, engine.rules.request)
    hold = Hold(engine.rules.lanes)
    token = hold.enter()
    current = current_request.set(request)
    operation: Operation | None = None
    try:
        operation = engine.socket_operation(request)
        check_origin(request, operation)
        await _run(operation, request, socket, hold)
    except WebSocketDisconnect:
        pass
    except asyncio.CancelledError:
        await _end(socket, RESTART, "")
        raise
    except Exception as exc:
        await _fail(engine, operation, request, socket, exc)
    finally:
        current_request.reset(current)
        hold.leave(token)
        hold.close()


async def _run(operation: Operation, request: Request, socket: RawSocket, hold: Hold) -> None:
    ready: Any = await adrive(Run(operation, request).connecting(), partial(make_call, hold))
    if isinstance(ready, RawResponse):
        await _refuse(socket, ready)
        return
    instance, values = ready
    wrapped: WebSocket[Any, Any] = WebSocket(
        socket, request, operation.finisher.encode, operation.read_message
    )
    # From here on each piece of sync work takes a lane for itself, as it may go on for days.
    hold.close()
    await _while_connected(operation.function(instance, wrapped, **values), socket)
    if socket.state == "connecting":
        raise RuntimeError(f"{operation.where}: the WebSocket was neither used nor closed")
    await _end(socket, NORMAL, "")


async def _while_connected(endpoint: Coroutine[Any, Any, Any], socket: RawSocket) -> None:
    """Run an endpoint, and cancel it when it goes on long after its client has gone."""
    running = asyncio.ensure_future(endpoint)
    gone = asyncio.ensure_future(socket.wait_gone())
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            # Messages that came before the end may still be worked on.
            await asyncio.wait({running}, timeout=GRACE)
        if running.done():
            running.result()
    finally:
        for task in (running, gone):
            task.cancel()
        await asyncio.gather(running, gone, return_exceptions=True)


async def _fail(
    engine: "Engine",
    operation: Operation | None,
    request: Request,
    socket: RawSocket,
    error: Exception,
) -> None:
    answer = engine.failed(error, request, operation)
    if socket.state == "connecting":
        await _refuse(socket, answer)
        return
    if isinstance(error, HttpError) and error.status_code < 500:
        code = INVALID if isinstance(error, BadRequest) else POLICY
        await _end(socket, code, _reason(error))
    else:
        await _end(socket, FAILED, "")


def _reason(error: HttpError) -> str:
    """Return what a client is told of its error, the first fault of a message included."""
    if not error.errors:
        return error.message
    first = error.errors[0]
    return f"{error.message}: {first.get('place')}: {first.get('expected')}"


async def _refuse(socket: RawSocket, answer: RawResponse) -> None:
    body = answer.body if isinstance(answer.body, bytes) else b""
    await socket.reject(answer.status, answer.headers, body)
    await answer.aclose()


async def _end(socket: RawSocket, code: int, reason: str) -> None:
    if socket.state != "open":
        return
    try:
        await socket.close(code, short_reason(reason))
    except WebSocketDisconnect:
        logger.debug("the client was gone before its WebSocket was closed")


def check_origin(request: Request, operation: Operation) -> None:
    """Refuse a WebSocket that a page of another site opens, unless CORS lets it.

    Browsers send cookies with it and let every page open one; only its `Origin` tells.

    Raises:
        PermissionDenied: the origin is another host.
    """
    origin = request.raw.header("origin")
    if origin is None:
        return
    nearest = next((item for item in reversed(operation.plugins) if isinstance(item, CORS)), None)
    if nearest is not None and nearest.allows(origin):
        return
    asking, asked = urlsplit(origin), urlsplit(request.origin)
    # What is seen as http may be https in front of a proxy that is not declared; never the reverse.
    is_downgrade = asked.scheme == "https" and asking.scheme != "https"
    if is_downgrade or _host(asking) != _host(asked, asking.scheme):
        raise PermissionDenied(f"WebSockets are not open to {origin[:100]}")


def _host(url: SplitResult, scheme: str | None = None) -> tuple[str | None, int | None]:
    """Return name and port; a port that is the scheme's own is the same as none."""
    try:
        port = url.port
    except ValueError:
        return None, None
    return url.hostname, port or _PORTS.get(scheme or url.scheme)
