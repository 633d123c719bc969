"""The lifespan of an ASGI application, as a server drives it."""

import asyncio
import logging
from typing import Any

# Seconds that an application is given to return, once it has said that it has shut down.
SETTLE = 0.2
_log = logging.getLogger("utilmeta.lifespan")


class Lifespan:
    """Sends an ASGI application the messages of its lifespan.

    Args:
        application: the application.

    Attributes:
        message: why it may not serve; empty where it does not say.

    Source: the ASGI specification, Lifespan Protocol 2.0.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._events: asyncio.Queue[dict[str, Any]]
        self._told: asyncio.Queue[dict[str, Any]]
        self._task: asyncio.Task[None] | None = None
        self.message = ""

    async def start(self) -> bool:
        """Have the application start; returns whether it may serve.

        An application that knows no lifespan raises, and may serve all the same.
        """
        # Of the event loop that runs now, which may be another one the next time.
        self._events, self._told = asyncio.Queue(), asyncio.Queue()
        self.message = ""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(
            self._application(scope, self._events.get, self._told.put)
        )
        answer = await self._ask("startup")
        if answer is None:
            error = None if self._task.cancelled() else self._task.exception()
            _log.info("the application takes no lifespan messages: %r", error)
            return True
        if answer["type"] == "lifespan.startup.complete":
            return True
        self.message = str(answer.get("message", ""))
        await self._end()
        return False

    async def stop(self) -> None:
        """Have the application shut down, and wait for its end.

        Raises:
            Exception: what its shutdown has raised.
        """
        if self._task is None or self._task.done():
            return
        answer = await self._ask("shutdown")
        if answer is not None and answer["type"] == "lifespan.shutdown.failed":
            _log.error("the application did not shut down: %s", answer.get("message", ""))
        await asyncio.wait({self._task}, timeout=SETTLE)
        if self._task.done():
            self._task.result()
        await self._end()

    async def _end(self) -> None:
        """End an application that has answered and goes on listening."""
        assert self._task is not None  # noqa: S101 - start has made it
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, what: str) -> dict[str, Any] | None:
        """Return what the application answers; None when it ends without an answer."""
        assert self._task is not None  # noqa: S101 - start has made it
        await self._events.put({"type": f"lifespan.{what}"})
        answer = asyncio.ensure_future(self._told.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return None
