"""Lanes: sync work of async services, and its database connections."""

import asyncio
import gc
import json
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async

from tests.server.conftest import BACKENDS, Start
from tests.services import require_postgres
from utilmeta.core.server.engine.lanes import Hold, LanePool

ASYNC = [name for name in BACKENDS if name not in {"django", "flask"}]


@pytest.fixture
def pool():
    made = LanePool(2)
    yield made
    made.close()


def thread_name() -> str:
    return threading.current_thread().name


def test_work_of_one_request_shares_a_thread(pool: LanePool):
    async def main() -> set[str]:
        hold = Hold(pool)
        token = hold.enter()
        names = {await hold.run(thread_name), await sync_to_async(thread_name)()}
        names.add(await sync_to_async(thread_name)())
        hold.leave(token)
        hold.close()
        return names

    names = asyncio.run(main())
    assert len(names) == 1
    assert names != {threading.current_thread().name}


def test_requests_beyond_the_size_wait_their_turn(pool: LanePool):
    order: list[int] = []

    async def one(number: int) -> None:
        hold = Hold(pool)
        await hold.run(time.sleep, 0.02)
        await hold.run(order.append, number)
        hold.close()

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(10)))

    asyncio.run(main())
    assert sorted(order) == list(range(10))
    assert pool.count == 2


def test_lane_is_warm_for_the_next_request(pool: LanePool):
    async def one() -> str:
        hold = Hold(pool)
        try:
            return await hold.run(thread_name)
        finally:
            hold.close()

    async def main() -> set[str]:
        names = set()
        for _ in range(5):
            names.add(await one())
            await asyncio.sleep(0.05)
        return names

    assert len(asyncio.run(main())) == 1


def test_errors_reach_the_caller(pool: LanePool):
    def fail() -> None:
        raise KeyError("x")

    def stop() -> None:
        raise StopIteration

    async def main() -> None:
        hold = Hold(pool)
        with pytest.raises(KeyError):
            await hold.run(fail)
        with pytest.raises(RuntimeError):
            await hold.run(stop)
        hold.close()

    asyncio.run(main())


def test_cancelled_request_keeps_its_lane_until_its_work_ends(pool: LanePool):
    begun, let_go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        let_go.wait(10)

    async def request() -> None:
        hold = Hold(pool)
        try:
            await hold.run(work)
        finally:
            hold.close()

    async def main() -> str:
        task = asyncio.create_task(request())
        while not begun.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hold = Hold(pool)
        name = await hold.run(thread_name)
        hold.close()
        let_go.set()
        return name

    # The first lane is still at the cancelled request's work.
    assert asyncio.run(main()) == "utilmeta-lane-2"


def test_work_after_the_request_has_a_lane_of_its_own(pool: LanePool):
    async def main() -> str:
        hold = Hold(pool)
        token = hold.enter()

        async def late() -> str:
            await asyncio.sleep(0.05)
            return await sync_to_async(thread_name)()

        task = asyncio.create_task(late())
        hold.leave(token)
        hold.close()
        return await task

    assert asyncio.run(main()).startswith("utilmeta-lane-")


def test_holds_are_forgotten(pool: LanePool):
    async def main() -> weakref.ref[Hold]:
        hold = Hold(pool)
        token = hold.enter()
        await sync_to_async(thread_name)()
        hold.leave(token)
        hold.close()
        return weakref.ref(hold)

    reference = asyncio.run(main())
    deadline = time.monotonic() + 5
    while reference() is not None and time.monotonic() < deadline:
        gc.collect()
    assert reference() is None


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ASYNC)
def test_sync_endpoints_run_beside_the_loop(start: Start, backend: str):
    server = start(backend)
    assert json.loads(server.request("GET", "/api/thread").body)["name"].startswith(
        "utilmeta-lane-"
    )
    names = json.loads(server.request("GET", "/api/asynchronous/threads").body)
    assert len(set(names)) == 1
    assert names[0].startswith("utilmeta-lane-")
    began = time.monotonic()
    with ThreadPoolExecutor(10) as clients:
        answers = list(
            clients.map(lambda _: server.request("GET", "/api/sleep?seconds=0.5"), range(10))
        )
    assert {answer.body for answer in answers} == {b"slept"}
    # One after the other they would take five seconds.
    assert time.monotonic() - began < 4


@pytest.mark.sockets
@pytest.mark.postgres
@pytest.mark.parametrize("backend", BACKENDS)
def test_lost_database_connection_costs_nothing_afterwards(start: Start, backend: str):
    require_postgres()
    import psycopg

    server = start(backend, MAX_AGE="none", APPLICATION=f"lost-{backend}")
    paths = ["/api/backend_pid"]
    if backend in ASYNC:
        paths.append("/api/asynchronous/backend_pid")
    with psycopg.connect("host=127.0.0.1 user=postgres dbname=test", autocommit=True) as other:
        for path in paths:
            server.request("GET", path)
            other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = %s",
                [f"lost-{backend}"],
            )
            answer = server.request("GET", path)
            assert answer.status == 200, server.output()
            assert int(answer.body) > 0


@pytest.mark.sockets
@pytest.mark.postgres
@pytest.mark.parametrize("backend", BACKENDS)
def test_connections_are_closed_after_their_age(start: Start, backend: str):
    require_postgres()
    import psycopg

    name = f"aged-{backend}"
    server = start(backend, MAX_AGE="0", APPLICATION=name)
    for _ in range(3):
        assert server.request("GET", "/api/backend_pid").status == 200
    assert server.request("GET", "/api/fail").status == 500
    with psycopg.connect("host=127.0.0.1 user=postgres dbname=test", autocommit=True) as other:
        deadline = time.monotonic() + 5
        left = None
        while left != 0 and time.monotonic() < deadline:
            row = other.execute(
                "select count(*) from pg_stat_activity where application_name = %s", [name]
            ).fetchone()
            left = row[0] if row else None
    assert left == 0
