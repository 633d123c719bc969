"""Named locks: one holder at a time, given back by nobody else, ending by themselves."""

import asyncio
import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cache.conftest import EXACT, Caller, RedisServer, declare, declared
from utilmeta.core.cache import CacheUnavailable, Lock, LockLost, LockTaken, caches


@pytest.fixture(params=EXACT)
def kind(request: pytest.FixtureRequest) -> str:
    """Kinds that hold locks."""
    name: str = request.param
    return name


class Hold:
    """Enters and leaves a lock as the caller does."""

    def __init__(self, cache: Caller, name: str, **options: Any) -> None:
        self.lock: Lock = cache.client.lock(name, **options)
        self._runner = cache.runner

    def enter(self) -> None:
        if self._runner is None:
            self.lock.__enter__()
        else:
            self._runner.run(self.lock.__aenter__())

    def leave(self, exc: Exception | None = None) -> None:
        kind = None if exc is None else type(exc)
        if self._runner is None:
            self.lock.__exit__(kind, exc, None)
        else:
            self._runner.run(self.lock.__aexit__(kind, exc, None))


def test_lock_has_one_holder(cache: Caller):
    first, second = Hold(cache, "name"), Hold(cache, "name", wait=0)
    first.enter()
    assert first.lock.is_held
    with pytest.raises(LockTaken) as caught:
        second.enter()
    assert (caught.value.status_code, caught.value.name) == (503, "name")
    assert caught.value.headers == {"Retry-After": "1"}
    assert "name" not in caught.value.message
    Hold(cache, "another").enter()
    first.leave()
    second.enter()
    assert not first.lock.is_held


def test_lock_is_waited_for(cache: Caller):
    first, second = Hold(cache, "name", timeout=0.3), Hold(cache, "name", wait=5)
    first.enter()
    began = time.monotonic()
    second.enter()
    assert 0.25 < time.monotonic() - began < 2
    third = Hold(cache, "name", wait=0.2)
    began = time.monotonic()
    with pytest.raises(LockTaken):
        third.enter()
    assert 0.15 < time.monotonic() - began < 1


def test_lock_that_ran_out_is_not_taken_from_its_next_holder(cache: Caller):
    first, second = Hold(cache, "name", timeout=0.1), Hold(cache, "name")
    first.enter()
    time.sleep(0.15)
    second.enter()
    with pytest.raises(LockLost) as caught:
        first.leave()
    assert (caught.value.status_code, caught.value.name) == (500, "name")
    with pytest.raises(LockTaken):
        Hold(cache, "name", wait=0).enter()
    second.leave()


def test_exception_of_the_work_is_the_one_that_passes(cache: Caller):
    hold = Hold(cache, "name", timeout=0.05)
    hold.enter()
    time.sleep(0.1)
    hold.leave(ValueError("work"))
    Hold(cache, "name", wait=0).enter()


def test_object_that_holds_a_lock_cannot_take_it_again(cache: Caller):
    hold = Hold(cache, "name")
    hold.enter()
    with pytest.raises(RuntimeError, match="make another"):
        hold.enter()
    hold.leave()
    hold.enter()


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": -1}, {"wait": -1}])
def test_wrong_numbers_raise(cache: Caller, options: dict[str, float]):
    with pytest.raises(ValueError, match="expected seconds"):
        cache.client.lock("name", **options)


def test_only_one_thread_at_a_time_is_inside(cache: Caller):
    client, inside, seen = cache.client, [], []

    def work(_: int) -> None:
        with client.lock("name", wait=None):
            inside.append(1)
            seen.append(len(inside))
            time.sleep(0.002)
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))
    assert seen == [1] * 20


def test_only_one_task_at_a_time_is_inside(cache: Caller):
    client, inside, seen = cache.client, [], []

    async def work() -> None:
        async with client.lock("name", wait=None):
            inside.append(1)
            seen.append(len(inside))
            await asyncio.sleep(0.002)
            inside.pop()

    async def main() -> None:
        await asyncio.gather(*(work() for _ in range(12)))

    asyncio.run(main())
    assert seen == [1] * 12


def test_lock_of_a_cancelled_task_is_free(cache: Caller):
    client = cache.client

    async def hold(*, inside: asyncio.Event) -> None:
        async with client.lock("name", wait=None):
            inside.set()
            await asyncio.sleep(5)

    async def main() -> None:
        inside = asyncio.Event()
        holder = asyncio.create_task(hold(inside=inside))
        await inside.wait()
        waiter = asyncio.create_task(hold(inside=asyncio.Event()))
        await asyncio.sleep(0.05)
        for task in (waiter, holder):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with client.lock("name", wait=0):
            pass

    asyncio.run(main())


@pytest.mark.parametrize("kind", EXACT[1:], indirect=True)
def test_lock_holds_between_processes(cache: Caller):
    client = cache.client
    context = multiprocessing.get_context("fork")
    inside, leave = context.Event(), context.Event()

    def hold() -> None:
        with client.lock("name"):
            inside.set()
            leave.wait(20)

    process = context.Process(target=hold)
    process.start()
    try:
        assert inside.wait(20)
        with pytest.raises(LockTaken), client.lock("name", wait=0):
            pass
        threading.Timer(0.1, leave.set).start()
        with client.lock("name", wait=10):
            pass
    finally:
        leave.set()
        process.join(20)
    assert process.exitcode == 0


@pytest.mark.redis
def test_there_are_no_locks_while_the_store_is_down(
    runner: asyncio.Runner | None,
    server: RedisServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    cache = declare("redis", tmp_path, port=server.port, on_failure="miss")
    with declared(tested=cache):
        caller = Caller(caches["tested"], runner)
        held, failing = Hold(caller, "a"), Hold(caller, "b")
        held.enter()
        failing.enter()
        server.stop()
        with pytest.raises(CacheUnavailable):
            held.leave()
        # The exception of the work passes, and the log says what else went wrong.
        failing.leave(ValueError("work"))
        assert "the lock 'b' could not be given back" in caplog.text
        with pytest.raises(CacheUnavailable):
            Hold(caller, "a").enter()
        server.start()
        Hold(caller, "a").enter()
