"""The floor of ASGI: a function that compares paths, raw SQL on the loop's own thread, msgspec.

Queries keep the loop waiting, which costs least as long as they take microseconds; the slow one
goes to a thread.
"""

import asyncio
from typing import Any

from benchmarks.implementations import raw, raw_sql
from benchmarks.implementations.raw_wsgi import got, posted


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        return
    path = scope["path"]
    if path == "/api/stream":
        await _stream(send)
        return
    status, body = 200, None
    try:
        if scope["method"] == "POST":
            message = await receive()
            sent = message["body"]
            while message.get("more_body"):
                message = await receive()
                sent += message["body"]
            body = posted(path, sent)
        elif path == "/api/slow":
            body = await asyncio.to_thread(raw_sql.slow)
        else:
            body = got(path, scope["query_string"].decode("latin-1"))
    except ValueError as error:
        status, body = 400, raw.fault(error)
    if body is None:
        status, body = 404, b"{}"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Any) -> None:
    headers = [(b"content-type", b"application/jsonl")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for line in raw_sql.lines():
        await send({"type": "http.response.body", "body": line, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
