"""A middleware for each framework that none of its peers knows: it adds a header to each answer."""

import os
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction


def wanted() -> bool:
    """Return whether this process is to have the middleware."""
    return bool(os.environ.get("BENCHMARKS_IN_MIDDLEWARE"))


class DjangoStamp:
    """Django's, sync and async."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """Answer a request."""
        if self.is_async:
            return self._acall(request)
        response = self.get_response(request)
        response["X-Stamp"] = "1"
        return response

    async def _acall(self, request: Any) -> Any:
        response = await self.get_response(request)
        response["X-Stamp"] = "1"
        return response


class ASGIStamp:
    """Starlette's and FastAPI's: pure ASGI, which is their fastest form."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", b"1")]
            await send(message)

        await self.app(scope, receive, stamped)


def flask_stamp(response: Any) -> Any:
    """Flask's: a function after each request."""
    response.headers["X-Stamp"] = "1"
    return response


async def sanic_stamp(request: Any, response: Any) -> None:
    """Sanic's: a middleware of responses."""
    response.headers["X-Stamp"] = "1"
