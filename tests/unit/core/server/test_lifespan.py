"""The lifespan of applications that keep to the protocol, and of those that do not."""

import asyncio
from typing import Any

import pytest

from utilmeta.core.server.inprocess import ASGICaller
from utilmeta.core.server.lifespan import Lifespan


async def ordinary(_scope: Any, receive: Any, send: Any) -> None:
    assert (await receive())["type"] == "lifespan.startup"
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await send({"type": "lifespan.shutdown.complete"})


async def unwilling(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no start today"})
    await receive()


async def ignorant(scope: Any, _receive: Any, _send: Any) -> None:
    raise ValueError(f"no {scope['type']} here")


async def failing_at_its_end(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    raise ValueError("no stop today")


async def restless(_scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})


def told(application: Any) -> tuple[bool, str]:
    async def life() -> tuple[bool, str]:
        lifespan = Lifespan(application)
        may_serve = await lifespan.start()
        await lifespan.stop()
        return may_serve, lifespan.message

    return asyncio.run(asyncio.wait_for(life(), 5))


def test_each_message_is_sent_and_answered() -> None:
    assert told(ordinary) == (True, "")


def test_application_that_may_not_serve_is_ended() -> None:
    assert told(unwilling) == (False, "no start today")


def test_application_without_lifespan_serves_all_the_same() -> None:
    assert told(ignorant) == (True, "")


def test_what_a_shutdown_raises_is_not_lost() -> None:
    with pytest.raises(ValueError, match="no stop today"):
        told(failing_at_its_end)


def test_nothing_is_stopped_that_was_not_started() -> None:
    called = []

    async def application(*_: Any) -> None:
        called.append(True)

    asyncio.run(asyncio.wait_for(Lifespan(application).stop(), 5))
    assert not called


def test_caller_tells_why_an_application_did_not_start() -> None:
    with pytest.raises(RuntimeError, match="did not start: no start today"):
        asyncio.run(asyncio.wait_for(ASGICaller(unwilling).start(), 5))


def test_application_that_goes_on_listening_is_ended() -> None:
    assert told(restless) == (True, "")


def test_caller_starts_again_in_another_event_loop() -> None:
    ended = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await ordinary(scope, receive, send)
        ended.append(asyncio.get_running_loop())

    caller = ASGICaller(application)

    async def life() -> None:
        await caller.start()
        await caller.stop()

    asyncio.run(life())
    asyncio.run(life())
    assert len(set(map(id, ended))) == 2
