"""Lanes that are given back at once: connections and transactions are as after the longer way."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.db.transaction import atomic

from tests.server.entering import ASGI, Act, entered
from utilmeta.utils.exceptions import NotFound


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def query() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
        return int(cursor.fetchone()[0])


def leave_open(_request: Any) -> str:
    atomic().__enter__()
    query()
    return "left"


def leave_nested(_request: Any) -> str:
    atomic().__enter__()
    atomic().__enter__()
    return f"left {query()}"


def leave_unused(_request: Any) -> str:
    connection.ensure_connection()
    atomic().__enter__()
    return "left"


def leave_manual(_request: Any) -> str:
    connection.set_autocommit(False)
    query()
    return "left"


def leave_closed(_request: Any) -> str:
    """As one whose connection was lost meanwhile."""
    atomic().__enter__()
    query()
    connection.close()
    return "left"


def leave_callback(_request: Any) -> str:
    atomic().__enter__()
    from django.db import transaction

    transaction.on_commit(lambda: None)
    return f"left {query()}"


def state(_request: Any) -> str:
    blocks, auto = len(connection.atomic_blocks), connection.get_autocommit()
    return f"{query()} {blocks} {connection.in_atomic_block} {auto} {connection.savepoint_ids}"


LEFT = [leave_open, leave_nested, leave_unused, leave_manual, leave_closed, leave_callback]


@pytest.mark.parametrize("name", ASGI)
@pytest.mark.parametrize("leave", LEFT, ids=lambda leave: leave.__name__)
def test_transactions_left_open_are_undone(name: str, leave: Callable[[Any], Any]):
    with entered(name) as service:
        Act.do = staticmethod(leave)
        assert service.get("/api/act").status == "200"
        Act.do = staticmethod(state)
        for _ in range(3):
            assert service.get("/api/act").body == b"1 0 False True []"
        # No lane was lost.
        pool = service.service.lanes if hasattr(service.service, "lanes") else None
        assert pool is None or pool.count == 1


def test_transactions_left_open_are_undone_on_sync_services():
    with entered("flask") as service:
        Act.do = staticmethod(leave_closed)
        assert service.get("/api/act").status.startswith("200")
        Act.do = staticmethod(state)
        assert service.get("/api/act").body == b"1 0 False True []"


@pytest.mark.parametrize("name", ASGI)
def test_connections_of_no_age_are_closed(name: str, monkeypatch: pytest.MonkeyPatch):
    kept: list[Any] = []

    def act(_request: Any) -> int:
        monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
        found = query()
        kept.append(_wrapper())
        return found

    Act.do = staticmethod(act)
    with entered(name) as service:
        assert service.get("/api/act").status == "200"
        deadline = time.monotonic() + 2
        while kept[-1].connection is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        in_memory = kept[-1].is_in_memory_db() if kept[-1].vendor == "sqlite" else False
        assert in_memory or kept[-1].connection is None


def _wrapper() -> Any:
    from django.db import connections

    return connections["default"]


@pytest.mark.parametrize("name", ASGI)
def test_work_handed_in_after_the_end_still_runs(name: str):
    found: list[Any] = []
    tasks: list[asyncio.Task[None]] = []

    async def late() -> None:
        await asyncio.sleep(0.05)
        found.append(await sync_to_async(query)())
        found.append(await sync_to_async(lambda: threading.current_thread().name)())

    async def begin() -> str:
        await sync_to_async(query)()
        tasks.append(asyncio.ensure_future(late()))
        return "begun"

    Act.do = staticmethod(lambda _r: begin())
    with entered(name) as service:
        assert service.get("/api/async-act").body == b"begun"
        deadline = time.monotonic() + 3
        while len(found) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert found[:1] == [1]
    assert found[1].startswith("utilmeta-lane-")


@pytest.mark.parametrize("name", ASGI)
def test_work_that_is_not_waited_for_keeps_its_lane(name: str):
    """A request that ends while its job runs must not give its lane to another one."""
    names: list[str] = []
    running, done = threading.Event(), threading.Event()

    def slow() -> None:
        names.append(threading.current_thread().name)
        running.set()
        done.wait(2)

    async def begin() -> str:
        names.clear()
        asyncio.ensure_future(sync_to_async(slow)())  # noqa: RUF006 - meant to be left alone
        while not running.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.005)
        return "begun"

    with entered(name) as service:
        Act.do = staticmethod(lambda _r: begin())
        assert service.get("/api/async-act").body == b"begun"
        Act.do = staticmethod(lambda _r: threading.current_thread().name)
        try:
            assert service.get("/api/act").body.decode() not in names
        finally:
            done.set()


@pytest.mark.parametrize("name", ASGI)
def test_requests_at_once_never_share_a_lane(name: str):
    held: set[str] = set()
    shared: list[str] = []

    def act(_request: Any) -> str:
        lane = threading.current_thread().name
        if lane in held:
            shared.append(lane)
        held.add(lane)
        time.sleep(0.002)
        held.discard(lane)
        return lane

    async def both_kinds() -> str:
        first = await sync_to_async(act)(None)
        await asyncio.sleep(0)
        return first if first == await sync_to_async(act)(None) else "two lanes"

    with entered(name) as service:
        service.get("/api/hello")
        caller: Any = service.caller

        async def all_at_once(path: str) -> list[Any]:
            sent = service.prepared(path)
            return await asyncio.gather(*(caller.call(sent) for _ in range(50)))

        for path, do in (("/api/act", act), ("/api/async-act", lambda _r: both_kinds())):
            Act.do = staticmethod(do)
            for _ in range(5):
                answers = service.loop.run(all_at_once(path))  # type: ignore[union-attr]
                assert {answer.status for answer in answers} == {200}
                assert b"two lanes" not in {answer.body for answer in answers}
    assert not shared


@pytest.mark.parametrize("name", [*ASGI, "django", "flask"])
def test_answers_to_clients_faults_do_not_wait_for_garbage_collection(name: str):
    kept: list[weakref.ref[NotFound]] = []

    def refuse(_request: Any) -> None:
        error = NotFound("no such thing")
        kept.append(weakref.ref(error))
        raise error

    with entered(name) as service:
        Act.do = staticmethod(refuse)
        gc.collect()
        gc.disable()
        try:
            assert [service.get("/api/act").status[:3] for _ in range(3)] == ["404"] * 3
            # The last one may still be in a frame of the server's, and the one before in one of a
            # thread that has not come to its end.
            late = time.monotonic() + 5
            while any(found() for found in kept[:-1]) and time.monotonic() < late:
                time.sleep(0.01)
            assert [found() for found in kept[:-1]] == [None, None]
        finally:
            gc.enable()
