"""The lifespan of an ASGI application, as a server drives it."""

import asyncio
from typing import Any


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
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.message = ""

    async def start(self) -> bool:
        """Have the application start; returns whether it may serve.

        An application that knows no lifespan raises, and may serve all the same.
        """
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(
            self._application(scope, self._events.get, self._told.put)
        )
        answer = await self._ask("startup")
        if answer is None or answer["type"] == "lifespan.startup.complete":
            return True
        self.message = str(answer.get("message", ""))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return False

    async def stop(self) -> None:
        """Have the application shut down, and wait for its end.

        Raises:
            Exception: what its shutdown has raised.
        """
        if self._task is not None and not self._task.done():
            await self._ask("shutdown")
            await self._task

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
