"""Pieces of work that an operation asks its driver to do, and the sync driver."""

import time
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a driver makes, on the thread where it belongs.

    Attributes:
        function: what is called.
        args: its positional arguments.
        kwargs: its keyword arguments.
        is_async: whether it returns an awaitable or an async iterator.
        blocking: whether a sync function may take a while, and so runs on the request's lane.
        twin: the async function that async drivers call instead; None for the same.
        timeout: seconds it may take; None for ever.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    is_async: bool = False
    blocking: bool = True
    twin: Callable[..., Any] | None = None
    timeout: float | None = None


Steps = Generator[Call, Any, Any]


def call_now(call: Call) -> Any:
    """Return what a call returns, made here; an async one on an event loop of its own."""
    if call.is_async:
        run: Any = async_to_sync(call_async)
        return run(call)
    return call.function(*call.args, **call.kwargs)


async def call_async(call: Call) -> Any:
    """Return what an async function returns: a value, or an async iterator as it is."""
    outcome = call.function(*call.args, **call.kwargs)
    return outcome if isinstance(outcome, AsyncIterator) else await outcome


def drive(steps: Steps, make: Callable[[Call], Any] = call_now) -> Any:
    """Return what the steps return, each call made in turn."""
    try:
        call = next(steps)
        while True:
            try:
                outcome = make(call)
            except Exception as exc:
                call = steps.throw(exc)
            else:
                call = steps.send(outcome)
    except StopIteration as stop:
        return stop.value


async def adrive(steps: Steps, make: Callable[[Call], Any]) -> Any:
    """Return what the steps return; the async twin of `drive`."""
    try:
        call = next(steps)
        while True:
            try:
                outcome = await make(call)
            except Exception as exc:
                call = steps.throw(exc)
            else:
                call = steps.send(outcome)
    except StopIteration as stop:
        return stop.value


def pause(seconds: float) -> Call:
    """Return the call that waits."""
    import asyncio

    return Call(time.sleep, (seconds,), twin=asyncio.sleep)
