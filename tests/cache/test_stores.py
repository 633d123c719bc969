"""What every store does, called from a thread and from an event loop."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches as django_caches

from tests.cache.conftest import EXACT, Caller, declare, declared
from utilmeta.core.cache import CacheClient, caches
from utilmeta.utils.exceptions import ConfigError

MISSING = object()
exact = pytest.mark.parametrize("kind", EXACT, indirect=True)


def django() -> Any:
    return django_caches["tested"]


# -- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [None, 0, False, True, 7, -3, "", "文字 👩‍🚀", b"\x00\xff", 1.5, [1], {"a": {1, 2}}, "12"],
    ids=repr,
)
def test_values_come_back_as_they_were(cache: Caller, value: Any):
    assert cache.set("key", value) is True
    found = cache.get("key", MISSING)
    assert (found, type(found)) == (value, type(value))
    assert cache.fetch(["key"]) == {"key": value}
    assert cache.pop("key", MISSING) == value
    assert cache.get("key", MISSING) is MISSING


def test_kept_none_is_told_from_a_miss(cache: Caller):
    assert cache.get("key") is None
    assert cache.get("key", 1) == 1
    cache.set("key", None)
    assert cache.get("key", 1) is None
    assert cache.exists("key") == 1


def test_huge_values_are_kept(cache: Caller):
    value = {"text": "x" * 3_000_000, "rows": list(range(100_000))}
    cache.set("key", value)
    assert cache.get("key") == value


def test_values_that_cannot_be_pickled_raise(cache: Caller):
    with pytest.raises((TypeError, AttributeError)):
        cache.set("key", (item for item in [1]))
    assert cache.exists("key") == 0


def test_several_are_fetched_updated_and_deleted(cache: Caller):
    assert cache.update({"a": 1, "b": None, "数": [2]}) is True
    assert cache.fetch(["a", "b", "数", "c", "a"]) == {"a": 1, "b": None, "数": [2]}
    assert cache.fetch(key for key in "ab") == {"a": 1, "b": None}
    assert cache.exists("a", "b", "c", "a") == 2
    assert cache.delete("a", "c", "a") == 1
    assert cache.fetch(["a", "b"]) == {"b": None}


def test_nothing_is_asked_for_with_no_keys(cache: Caller):
    assert (cache.fetch([]), cache.exists(), cache.delete(), cache.update({})) == ({}, 0, 0, True)


def test_conditions_of_set_are_kept(cache: Caller, kind: str):
    assert cache.set("key", 1, exists_only=True) is False
    assert cache.exists("key") == 0
    if kind != "db":
        assert cache.set("key", 2, not_exists_only=True) is True
        assert cache.set("key", 3, not_exists_only=True) is False
        assert cache.get("key") == 2
    cache.set("key", 4)
    assert cache.set("key", 5, exists_only=True) is True
    assert cache.get("key") == 5
    with pytest.raises(ValueError, match="expected one of them"):
        cache.set("key", 6, exists_only=True, not_exists_only=True)


def test_get_or_set_makes_a_value_once(cache: Caller):
    made = []

    def make() -> None:
        made.append(1)

    assert cache.get_or_set("key", make) is None
    assert cache.get_or_set("key", make) is None
    assert made == [1]


def test_aget_or_set_awaits_what_makes():
    async def make() -> str:
        await asyncio.sleep(0)
        return "made"

    async def main() -> list[str]:
        return [await caches["tested"].aget_or_set("key", make) for _ in range(2)]

    with declared(tested=declare("locmem", Path())):
        assert asyncio.run(main()) == ["made", "made"]


def test_django_sees_the_same_entries(cache: Caller):
    cache.update({"a": [1], "n": 5})
    assert (django().get("a"), django().incr("n", 2)) == ([1], 7)
    assert cache.get("n") == 7
    django().set("b", "text")
    assert cache.get("b") == "text"
    assert django().get("b", version=2) is None


# -- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXACT, indirect=True)
def test_entries_end_in_time(cache: Caller):
    cache.set("short", 1, timeout=0.2)
    cache.set("delta", 1, timeout=timedelta(milliseconds=200))
    cache.update({"many": 1}, timeout=0.2)
    cache.alter("number", 5, timeout=0.2)
    cache.set("long", 1)
    cache.set("ever", 1, timeout=None)
    keys = ["short", "delta", "many", "number", "long", "ever"]
    assert cache.exists(*keys) == 6
    assert cache.alter("number", 1, timeout=60) == 6
    time.sleep(0.3)
    assert cache.fetch(keys) == {"long": 1, "ever": 1}
    assert cache.delete("short", "number") == 0


def test_entries_with_no_time_are_not_kept(cache: Caller):
    for timeout in (0, -1, timedelta(seconds=-5)):
        cache.update({"key": 1, "other": 1})
        cache.set("key", 2, timeout=timeout)
        assert cache.get("key") is None
        cache.update({"other": 2}, timeout=timeout)
        assert cache.get("other") is None


def test_expire_changes_how_long_an_entry_lives(cache: Caller):
    assert cache.expire("key", 5) is False
    cache.set("key", 1, timeout=None)
    assert cache.expire("key", None) is True
    assert cache.expire("key") is True
    assert cache.expire("key", 100) is True
    assert cache.get("key") == 1
    cache.expire("key", 0)
    assert cache.get("key") is None


@pytest.mark.parametrize("timeout", ["5", True, float("nan"), float("inf"), 1e12])
def test_wrong_timeout_raises(cache: Caller, timeout: Any):
    with pytest.raises((TypeError, ValueError), match="timeout="):
        cache.set("key", 1, timeout=timeout)


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "error"), [(1, TypeError), (None, TypeError), ("", ValueError)])
def test_wrong_key_raises(cache: Caller, key: Any, error: type[Exception]):
    for call in (cache.get, cache.delete, cache.pop):
        with pytest.raises(error, match="cache key"):
            call(key)
    with pytest.raises(error, match="cache key"):
        cache.set(key, 1)


def test_one_text_in_place_of_several_keys_raises(cache: Caller):
    with pytest.raises(TypeError, match="expected several"):
        cache.fetch("abc")


@pytest.mark.parametrize("key", ["a b", "a\nb", "x" * 300])
def test_keys_memcached_would_refuse_warn_as_in_django(cache: Caller, key: str):
    from django.core.cache import CacheKeyWarning

    with pytest.warns(CacheKeyWarning, match="memcached"):
        cache.set(key, 1)
    with pytest.warns(CacheKeyWarning):
        assert cache.get(key) == 1


def test_unknown_alias_names_those_there_are(cache: Caller):
    with pytest.raises(ConfigError, match=r"caches\['nope'\]: expected one of 'default', 'tested'"):
        _ = caches["nope"]
    with pytest.raises(ConfigError, match="expected one of"):
        CacheClient("nope").get("key")
    assert list(caches) == ["default", "tested"]
    assert "tested" in caches
    assert "nope" not in caches


# -- counting -------------------------------------------------------------------------------------


@exact
def test_alter_counts_up_to_a_limit(cache: Caller):
    assert cache.alter("n", 3) == 3
    assert cache.alter("n", 2, limit=5) == 5
    assert cache.alter("n", 1, limit=5) is None
    assert cache.get("n") == 5
    assert cache.alter("n", -2, limit=3) == 3
    assert cache.alter("n", -1, limit=3) is None
    assert cache.alter("n", -5) == -2
    assert cache.alter("other", 6, limit=5) is None
    assert cache.exists("other") == 0
    assert cache.alter("zero", 0, limit=0) == 0


@exact
def test_alter_leaves_the_time_of_a_number_alone(cache: Caller):
    cache.alter("ever", 1, timeout=None)
    cache.alter("ever", 1, timeout=0.05)
    cache.alter("soon", 1, timeout=0.3)
    cache.alter("soon", 1, timeout=None, limit=9)
    time.sleep(0.4)
    assert cache.fetch(["ever", "soon"]) == {"ever": 2}


@exact
@pytest.mark.parametrize("value", ["text", "5", 1.5, None, True, [1]])
def test_alter_of_what_is_no_integer_raises(cache: Caller, value: Any):
    cache.set("key", value)
    for options in ({}, {"limit": 9}):
        with pytest.raises(ValueError, match="integer"):
            cache.alter("key", 1, **options)
    assert cache.get("key") == value


@exact
def test_alter_of_a_number_that_grows_too_long_raises(cache: Caller):
    assert cache.alter("n", 2**63 - 1) == 2**63 - 1
    with pytest.raises(ValueError, match="long"):
        cache.alter("n", 1)
    assert cache.get("n") == 2**63 - 1
    for options in ({"delta": 2**63}, {"delta": 1, "limit": 2**60}):
        with pytest.raises(ValueError, match="expected at most"):
            cache.alter("n", **options)
    for delta in (1.5, True, "1"):
        with pytest.raises(TypeError, match="expected an integer"):
            cache.alter("n", delta)
    with pytest.raises(ValueError, match="above 0"):
        cache.alter("n", 1, timeout=0)


@exact
def test_no_count_is_lost_between_threads(cache: Caller):
    client = cache.client
    with ThreadPoolExecutor(8) as pool:
        limited = list(pool.map(lambda _: client.alter("limited", 1, limit=50), range(200)))
        counted = list(pool.map(lambda _: client.alter("counted", 1), range(200)))
        only = list(pool.map(lambda n: client.set("only", n, not_exists_only=True), range(40)))
        popped = list(pool.map(lambda _: client.pop("only"), range(40)))
    assert sorted(n for n in limited if n is not None) == list(range(1, 51))
    assert sorted(counted) == list(range(1, 201))
    assert only.count(True) == 1
    assert len([value for value in popped if value is not None]) == 1


@pytest.mark.redis
@pytest.mark.parametrize("kind", ["redis", "locmem"], indirect=True)
def test_no_count_is_lost_between_event_loops(cache: Caller):
    client = cache.client

    async def main() -> list[int | None]:
        return await asyncio.gather(*(client.aalter("n", 1, limit=300) for _ in range(120)))

    with ThreadPoolExecutor(4) as pool:
        got = [n for part in pool.map(lambda _: asyncio.run(main()), range(4)) for n in part]
    assert sorted(n for n in got if n is not None) == list(range(1, 301))
    assert client.get("n") == 300


@pytest.mark.parametrize("kind", [pytest.param("db", marks=pytest.mark.django_db)], indirect=True)
def test_store_that_cannot_count_says_so(cache: Caller):
    for call in (
        lambda: cache.alter("n", 1),
        lambda: cache.set("n", 1, not_exists_only=True),
        lambda: cache.client.lock("n").__enter__(),
    ):
        with pytest.raises(ConfigError, match=r"cache 'tested' cannot .*Redis"):
            call()


def test_dummy_keeps_nothing_and_holds_no_locks(tmp_path: Path):
    with declared(tested=declare("dummy", tmp_path)):
        client = caches["tested"]
        assert client.set("key", 1) is True
        assert (client.get("key"), client.delete("key"), client.pop("key", 2)) == (None, 0, 2)
        for call in (lambda: client.alter("n", 1), lambda: client.lock("n").__enter__()):
            with pytest.raises(ConfigError, match="cache 'tested' cannot"):
                call()


def test_changed_settings_are_followed(tmp_path: Path):
    client = CacheClient("tested")
    with declared(tested=declare("locmem", tmp_path)):
        client.set("key", 1)
        assert client.get("key") == 1
    with declared(tested=declare("file", tmp_path)):
        assert client.get("key") is None
        client.set("key", 2)
    assert len(list((tmp_path / "cache").glob("*.djcache"))) == 1
