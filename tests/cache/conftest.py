"""Caches of each kind, called from a thread or from an event loop."""

import asyncio
import inspect
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.core.management import call_command
from django.test import override_settings

from tests.servers import free_port
from tests.services import HOST, REDIS_PORT, require_redis
from utilmeta.core.cache import Cache, CacheClient, CacheConnections, caches
from utilmeta.core.cache.backends.redis import RedisCache

STORES = [
    "locmem",
    "file",
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("db", marks=pytest.mark.django_db(transaction=True)),
]
# Those that count and lock.
EXACT = STORES[:3]


class Caller:
    """A cache whose methods are called as they are, or by their async twins on an event loop.

    Args:
        client: the cache.
        runner: runs the event loop; None calls methods as they are.
    """

    def __init__(self, client: CacheClient, runner: asyncio.Runner | None) -> None:
        self.client = client
        self.runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if self.runner is None:
            return getattr(self.client, name)
        twin, runner = getattr(self.client, f"a{name}"), self.runner
        assert inspect.iscoroutinefunction(twin)
        return lambda *args, **options: runner.run(twin(*args, **options))


def declare(kind: str, folder: Path, **options: Any) -> Cache:
    """Return the declaration of a cache, with a prefix of its own."""
    given = {"key_prefix": f"test-{uuid4().hex}", "timeout": 60, **options}
    if kind == "redis":
        return RedisCache(**{"host": HOST, "port": REDIS_PORT, **given})
    locations = {"locmem": given["key_prefix"], "file": str(folder / "cache"), "db": "cache_table"}
    return Cache(engine=kind, location=locations.get(kind, ""), **given)


@contextmanager
def declared(**declarations: Cache) -> Iterator[None]:
    """Declare caches for a while, as a service would."""
    settings = {"default": Cache(), **declarations}
    with override_settings(**CacheConnections(settings).django_settings()):
        yield


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """An event loop, or None for calls without one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Kind of the store."""
    name: str = request.param
    return name


@pytest.fixture
def cache(
    kind: str, runner: asyncio.Runner | None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Caller]:
    """A cache of the kind, called without an event loop and on one."""
    if kind == "redis":
        require_redis()
    with declared(tested=declare(kind, tmp_path)):
        if kind == "db":
            request.getfixturevalue("transactional_db")
            call_command("createcachetable", verbosity=0)
        yield Caller(caches["tested"], runner)


class RedisServer:
    """A Redis server of the test's own, which it may end and start again.

    Args:
        folder: where it writes.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", HOST, "--save", ""]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with redis.Redis(host=HOST, port=self.port) as client:
            for _ in range(500):
                with suppress(redis.ConnectionError):
                    client.ping()
                    return
                time.sleep(0.02)
        raise RuntimeError("redis-server did not start")

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that runs."""
    require_redis()
    made = RedisServer(tmp_path)
    made.start()
    yield made
    made.stop()
