"""Stores that are down, hang or refuse, and that come back."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import caches as django_caches

from tests.cache.conftest import Caller, RedisServer, declare, declared
from tests.services import HOST
from utilmeta.core.cache import Cache, CacheUnavailable, caches, registry
from utilmeta.utils.exceptions import ConfigError, ServiceUnavailable

Calls = list[tuple[Callable[[], Any], Any]]
redis_server = pytest.mark.redis


def calls_of(cache: Caller) -> Calls:
    """Return calls that may be done without a store, and what they then return."""
    return [
        (lambda: cache.get("key", 1), 1),
        (lambda: cache.get("key"), None),
        (lambda: cache.set("key", 1), False),
        (lambda: cache.set("key", 1, exists_only=True), False),
        (lambda: cache.fetch(["key"]), {}),
        (lambda: cache.update({"key": 1}), False),
        (lambda: cache.pop("key", 2), 2),
        (lambda: cache.delete("key"), 0),
        (lambda: cache.exists("key"), 0),
        (lambda: cache.expire("key", 5), False),
        (lambda: cache.get_or_set("key", lambda: 3), 3),
    ]


def strict_calls_of(cache: Caller) -> list[Callable[[], Any]]:
    """Return calls that must not be done without a store."""
    return [
        lambda: cache.alter("n", 1),
        lambda: cache.alter("n", 1, limit=5),
        lambda: cache.set("key", 1, not_exists_only=True),
    ]


@redis_server
def test_store_that_is_down_raises_and_works_again_when_it_is_back(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    with declared(tested=declare("redis", tmp_path, port=server.port)):
        cache = Caller(caches["tested"], runner)
        for _ in range(2):
            assert cache.set("key", 1) is True
            server.stop()
            for call in [*(call for call, _ in calls_of(cache)), *strict_calls_of(cache)]:
                with pytest.raises(CacheUnavailable) as caught:
                    call()
                assert isinstance(caught.value, ServiceUnavailable)
                assert (caught.value.status_code, caught.value.headers) == (
                    503,
                    {"Retry-After": "1"},
                )
                assert str(server.port) not in str(caught.value)
                assert isinstance(caught.value.__cause__, redis.ConnectionError)
            server.start()
            assert cache.get("key") is None
            assert cache.alter("n", 1) == 1


@redis_server
def test_restart_between_two_calls_is_not_noticed(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    with declared(tested=declare("redis", tmp_path, port=server.port)):
        cache = Caller(caches["tested"], runner)
        for number in range(3):
            assert cache.alter(f"n{number}", 1) == 1
            server.stop()
            server.start()
            if runner is not None:
                # An event loop that runs sees that the connection has ended.
                runner.run(asyncio.sleep(0.01))


@redis_server
def test_declared_miss_goes_on_without_and_counts_and_locks_raise(
    runner: asyncio.Runner | None,
    server: RedisServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    with declared(tested=declare("redis", tmp_path, port=server.port, on_failure="miss")):
        cache = Caller(caches["tested"], runner)
        cache.set("key", 0)
        server.stop()
        caplog.set_level(logging.ERROR, "utilmeta.cache")
        for _ in range(3):
            for call, expected in calls_of(cache):
                assert call() == expected
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 1
        assert said[0].startswith("the cache 'tested' is down")
        for call in strict_calls_of(cache):
            with pytest.raises(CacheUnavailable):
                call()
        # What is wrong with the call itself is an error all the same.
        with pytest.raises(TypeError):
            cache.get(1)
        monkeypatch.setattr(registry, "LOG_EVERY", 0.0)
        monkeypatch.setattr(registry.registry.opened("tested").declared, "_silent_until", 0.0)
        cache.get("key")
        assert "35 failures since" in caplog.records[-1].getMessage()
        server.start()
        assert cache.set("key", 1) is True
        assert cache.get("key") == 1


@redis_server
def test_store_that_hangs_counts_as_down_after_its_time(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    options = {"port": server.port, "read_timeout": 0.2, "connect_timeout": 0.2}
    with declared(tested=declare("redis", tmp_path, **options)):
        cache = Caller(caches["tested"], runner)
        cache.set("key", 1)
        server.signal(signal.SIGSTOP)
        try:
            for call in (lambda: cache.get("key"), lambda: cache.alter("n", 1)):
                began = time.monotonic()
                with pytest.raises(CacheUnavailable):
                    call()
                assert 0.15 < time.monotonic() - began < 2
        finally:
            server.signal(signal.SIGCONT)
        assert cache.get("key") == 1


@redis_server
def test_answer_that_comes_too_late_is_not_taken_for_the_next(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    with declared(tested=declare("redis", tmp_path, port=server.port, read_timeout=0.2)):
        cache = Caller(caches["tested"], runner)
        cache.update({"a": "of a", "b": "of b"})
        server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(CacheUnavailable):
                cache.get("a")
        finally:
            server.signal(signal.SIGCONT)
        assert [cache.get("b"), cache.get("a")] == ["of b", "of a"]


@redis_server
def test_cancelled_call_leaves_its_answer_to_nobody_else(server: RedisServer, tmp_path: Path):
    async def main() -> None:
        cache = caches["tested"]
        await cache.aupdate({"a": "of a", "b": "of b"})
        server.signal(signal.SIGSTOP)
        tasks = [asyncio.create_task(cache.aget("a")) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.signal(signal.SIGCONT)
        got = await asyncio.gather(*(cache.aget("b") for _ in range(10)))
        assert got == ["of b"] * 10

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        asyncio.run(main())


@redis_server
def test_no_cancellation_is_lost(server: RedisServer, tmp_path: Path):
    async def work() -> None:
        for _ in range(2000):
            await caches["tested"].aset("key", 1, not_exists_only=True)

    async def main() -> None:
        for number in range(60):
            task = asyncio.create_task(work())
            # At every moment of a call.
            await asyncio.sleep(0.0005 + number * 0.00002)
            task.cancel()
            await asyncio.wait([task], timeout=0.5)
            assert task.cancelled()

    with declared(tested=declare("redis", tmp_path, port=server.port)):
        asyncio.run(main())


@redis_server
def test_server_that_refuses_writes_is_down(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    with (
        redis.Redis(host=HOST, port=server.port) as control,
        declared(tested=declare("redis", tmp_path, port=server.port)),
    ):
        cache = Caller(caches["tested"], runner)
        control.config_set("maxmemory", 1)
        for call in (lambda: cache.set("key", 1), *strict_calls_of(cache)):
            with pytest.raises(CacheUnavailable):
                call()
        control.config_set("maxmemory", 0)
        control.execute_command("REPLICAOF", HOST, server.port)
        with pytest.raises(CacheUnavailable):
            cache.set("key", 1)
        control.execute_command("REPLICAOF", "NO", "ONE")
        assert cache.set("key", 1) is True


@redis_server
def test_wrong_password_is_a_store_that_is_down(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    with redis.Redis(host=HOST, port=server.port) as control:
        control.config_set("requirepass", "right")
    for password in ("", "wrong"):
        with declared(tested=declare("redis", tmp_path, port=server.port, password=password)):
            with pytest.raises(CacheUnavailable) as caught:
                Caller(caches["tested"], runner).get("key")
            assert "wrong" not in str(caught.value)
    with declared(tested=declare("redis", tmp_path, port=server.port, password="right")):
        assert Caller(caches["tested"], runner).set("key", 1) is True


@redis_server
def test_command_on_another_kind_of_entry_is_the_callers_fault(
    runner: asyncio.Runner | None, server: RedisServer, tmp_path: Path
):
    with (
        redis.Redis(host=HOST, port=server.port) as control,
        declared(tested=declare("redis", tmp_path, port=server.port, on_failure="miss")),
    ):
        control.lpush(django_caches["tested"].make_key("list"), 1)
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            Caller(caches["tested"], runner).get("list")


def test_folder_that_cannot_be_written_is_a_store_that_is_down(
    runner: asyncio.Runner | None, tmp_path: Path
):
    for on_failure in ("raise", "miss"):
        folder = tmp_path / on_failure
        with declared(tested=declare("file", folder, on_failure=on_failure)):
            cache = Caller(caches["tested"], runner)
            cache.set("key", 1)
            for path in (folder / "cache").iterdir():
                path.unlink()
            (folder / "cache").rmdir()
            (folder / "cache").write_text("in the way")
            with pytest.raises(CacheUnavailable):
                cache.alter("n", 1)
            if on_failure == "raise":
                with pytest.raises(CacheUnavailable):
                    cache.set("key", 1)
            else:
                assert cache.set("key", 1) is False


@pytest.mark.django_db
def test_missing_table_is_a_store_that_is_down(tmp_path: Path):
    missing = Cache(engine="db", location="no_such_table")
    lenient = Cache(engine="db", location="no_such_table", on_failure="miss")
    with declared(tested=missing, lenient=lenient):
        from django.db import transaction

        with transaction.atomic(), pytest.raises(CacheUnavailable):
            caches["tested"].get("key")
        with transaction.atomic():
            assert caches["lenient"].get("key", 1) == 1


def test_wrong_word_in_settings_is_a_config_error():
    from django.test import override_settings

    entry = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "ON_FAILURE": "ignore"}
    wrong = pytest.raises(ConfigError, match="expected 'raise' or 'miss'")
    with override_settings(CACHES={"default": entry}), wrong:
        _ = caches["default"]
