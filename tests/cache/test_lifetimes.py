"""Connections: one set for each event loop, given back when it ends, none shared after a fork."""

import asyncio
import gc
import multiprocessing
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from tests.cache.conftest import RedisServer, declare, declared
from tests.services import HOST
from utilmeta.core.cache import CacheConnections, caches
from utilmeta.core.cache.registry import registry

pytestmark = pytest.mark.redis


def clients_of(server: RedisServer) -> int:
    """Return how many connections the server has, but for the one that asks."""
    with redis.Redis(host=HOST, port=server.port) as control:
        for _ in range(100):
            count = len(control.client_list()) - 1
            if not count:
                break
            threading.Event().wait(0.01)
    return count


def test_event_loops_give_their_connections_back(server: RedisServer, tmp_path: Path):
    async def main() -> None:
        await asyncio.gather(*(caches["tested"].aset(f"key{n}", n) for n in range(20)))

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda _: asyncio.run(main()), range(6)))
            gc.collect()
        assert [str(warning.message) for warning in caught] == []
        assert clients_of(server) == 0


def test_calls_on_an_event_loop_need_no_thread(server: RedisServer, tmp_path: Path):
    async def main() -> set[str]:
        cache, before = caches["tested"], set(threading.enumerate())
        await cache.aset("key", 1)
        await cache.aupdate({"a": 1})
        await cache.aalter("n", 1, limit=5)
        async with cache.lock("name"):
            await cache.aget("key")
        return {thread.name for thread in set(threading.enumerate()) - before}

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        # Names of servers are looked up by asyncio on a thread; this is an address.
        assert asyncio.run(main()) == set()


def test_many_calls_at_once_wait_for_a_connection(server: RedisServer, tmp_path: Path):
    async def main() -> int:
        cache = caches["tested"]
        await asyncio.gather(*(cache.aalter("n", 1) for _ in range(500)))
        with redis.Redis(host=HOST, port=server.port) as control:
            return len(control.client_list()) - 1

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        assert asyncio.run(main()) <= 50
        assert caches["tested"].get("n") == 500


def test_connections_are_closed_on_request_and_at_shutdown(server: RedisServer, tmp_path: Path):
    async def main() -> None:
        await cache.aget("key")
        await cache.aclose()
        await cache.aclose()
        assert clients_of(server) == 0
        assert await cache.aget("key", 1) == 1

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        cache = caches["tested"]
        cache.get("key")
        cache.close()
        assert clients_of(server) == 0
        asyncio.run(main())
        cache.get("key")
        CacheConnections.on_shutdown(None, None)  # type: ignore[arg-type]
        assert clients_of(server) == 0
        registry.close()
        assert cache.get("key", 1) == 1


def test_forked_process_has_connections_of_its_own(server: RedisServer, tmp_path: Path):
    async def use(name: str) -> list[int | None]:
        return [await caches["tested"].aalter(name, 1) for _ in range(50)]

    def child() -> None:
        cache = caches["tested"]
        assert [cache.alter("child", 1) for _ in range(50)] == list(range(1, 51))
        assert asyncio.run(use("async-child")) == list(range(1, 51))

    async def main() -> None:
        cache = caches["tested"]
        await cache.aget("key")
        process = multiprocessing.get_context("fork").Process(target=_apart, args=(child,))
        process.start()
        assert await use("parent") == list(range(1, 51))
        while process.exitcode is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert process.exitcode == 0
        assert await cache.afetch(["child", "async-child"]) == {"child": 50, "async-child": 50}

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        caches["tested"].get("key")
        asyncio.run(main())


def _apart(work) -> None:
    """Run work of a child on a thread, where no event loop of the parent is running."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
