"""Calls of an operation's steps, made on an event loop or on the request's lane."""

import asyncio
from functools import partial
from typing import Any

from utilmeta.core.api.calling import Call, call_async
from utilmeta.core.server.engine.lanes import Hold


async def make_call(hold: Hold, call: Call) -> Any:
    """Return what a call of an operation's steps returns, on its thread and within its time."""
    if call.timeout is None:
        return await _make(hold, call)
    async with asyncio.timeout(call.timeout):
        return await _make(hold, call)


async def _make(hold: Hold, call: Call) -> Any:
    if call.twin is not None:
        return await call.twin(*call.args)
    if call.is_async:
        return await call_async(call)
    if call.blocking:
        try:
            return await hold.run(partial(call.function, *call.args, **call.kwargs))
        except asyncio.CancelledError:
            # What it runs cannot be ended; what follows takes another lane.
            hold.renew()
            raise
    return call.function(*call.args, **call.kwargs)
