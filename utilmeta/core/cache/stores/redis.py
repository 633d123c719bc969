"""Redis as a store: threads wait for it by redis-py, event loops by its asynchronous client.

Keys, values and servers are those of Django's `RedisCache`, so that Django's own caches see the
same entries.

Source: `django.core.cache.backends.redis` of Django 5.2 to 6.0, whose client chooses the server and
turns values into bytes.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import redis.asyncio
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import (
    DataError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from utilmeta.core.cache.stores.base import Seconds, Store, When, Work
from utilmeta.core.cache.stores.loops import PerLoop

T = TypeVar("T")
Command = tuple[Any, ...]
Clients = dict[int, redis.asyncio.Redis]

# Seconds for connecting and for each answer, where nothing else is said.
TIMEOUT = 5.0
# Connections of one event loop to one server; more calls at a time wait for one.
CONNECTIONS = 50
# What only Django's client, for threads, knows of.
_OF_DJANGO = ("serializer", "pool_class", "parser_class")
# Lua counts in doubles, which hold integers up to this one.
LARGEST_LIMIT = 2**53
# A server that cannot work: one that may not write to its disk, that follows another, and so on.
_REFUSALS = ("MISCONF", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "NOPERM", "OOM")

_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
# Arguments: what to add, the limit, milliseconds a new number lives or nothing for ever.
_ALTER = """
local value = tonumber(redis.call('GET', KEYS[1]) or '0')
local delta, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if value and delta >= 0 and value + delta > limit then return false end
if value and delta < 0 and value + delta < limit then return false end
if ARGV[3] == '' then redis.call('SET', KEYS[1], 0, 'NX')
else redis.call('SET', KEYS[1], 0, 'NX', 'PX', ARGV[3]) end
return redis.call('INCRBY', KEYS[1], ARGV[1])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Work[T]):
    """Commands that are sent together, in one round trip.

    Attributes:
        store: where.
        commands: one, or several that no other client comes between.
        finish: turns the list of answers into the result.
        is_write: whether the first server is asked, rather than one that follows it.
    """

    store: "RedisStore"
    commands: Sequence[Command]
    finish: Callable[[list[Any]], T]
    is_write: bool = True

    def run(self) -> T:
        """Send the commands and wait for the answers."""
        client = self.store.client(is_write=self.is_write)
        if len(self.commands) == 1:
            return self.finish([client.execute_command(*self.commands[0])])
        with client.pipeline(transaction=True) as pipe:
            for command in self.commands:
                pipe.execute_command(*command)
            return self.finish(pipe.execute())

    async def arun(self) -> T:
        """Send the commands and await the answers."""
        task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        answers = await self._aanswers()
        # Until Python 3.12 `asyncio.wait_for`, by which redis-py sends, may lose a cancellation.
        if task and task.cancelling() > cancels:
            raise asyncio.CancelledError
        return self.finish(answers)

    async def _aanswers(self) -> list[Any]:
        client = await self.store.aclient(is_write=self.is_write)
        if len(self.commands) == 1:
            return [await client.execute_command(*self.commands[0])]
        async with client.pipeline(transaction=True) as pipe:
            for command in self.commands:
                pipe.execute_command(*command)
            answers: list[Any] = await pipe.execute()
        return answers


class Count(Exchange[T]):
    """Commands that need an integer.

    Raises:
        ValueError: the value is none, or would be longer than 64 bits.
    """

    __slots__ = ()

    def run(self) -> T:
        """Send the commands and wait for the answers."""
        with _counting():
            return Exchange.run(self)

    async def arun(self) -> T:
        """Send the commands and await the answers."""
        with _counting():
            return await Exchange.arun(self)


class RedisStore(Store):
    """One of Django's caches whose backend is Redis.

    Args:
        location: URL, or several; the first one is written to.
        params: the rest of its entry in `CACHES`.
    """

    def __init__(self, location: str | list[str], params: Mapping[str, Any]) -> None:
        options = {
            "socket_timeout": TIMEOUT,
            "socket_connect_timeout": TIMEOUT,
            # In version 3 redis-py does not see that an idle connection has ended, before it is
            # used: it takes what can be read for a notice of the server.
            "protocol": 2,
            **params.get("OPTIONS", {}),
        }
        self._django = RedisCache(location, {**params, "OPTIONS": options})
        self._threads = cast("Any", self._django)._cache  # noqa: SLF001
        # Made before threads could race for it.
        self._threads.get_client(write=True)
        self._serializer = self._threads._serializer  # noqa: SLF001
        self._options = {name: value for name, value in options.items() if name not in _OF_DJANGO}
        self._loops: PerLoop[Clients] = PerLoop(dict, _disconnect)
        self.default_timeout = self._django.default_timeout

    def client(self, *, is_write: bool) -> Any:
        """Return the client of threads."""
        return self._threads.get_client(write=is_write)

    async def aclient(self, *, is_write: bool) -> Any:
        """Return the client of the running event loop."""
        clients = await self._loops.get()
        index = self._threads._get_connection_pool_index(is_write)  # noqa: SLF001
        if index not in clients:
            options = {"max_connections": CONNECTIONS, "timeout": TIMEOUT, **self._options}
            servers = self._django._servers  # type: ignore[attr-defined]  # noqa: SLF001
            pool = redis.asyncio.BlockingConnectionPool.from_url(servers[index], **options)
            clients[index] = redis.asyncio.Redis.from_pool(pool)
        return clients[index]

    def failed(self, exc: BaseException) -> bool:
        """Whether an exception says that the store does not work, rather than the caller."""
        if isinstance(exc, ResponseError) and not isinstance(exc, ReadOnlyError | OutOfMemoryError):
            return str(exc).startswith(_REFUSALS)
        return isinstance(exc, RedisError | OSError) and not isinstance(exc, DataError)

    def get(self, key: str, default: Any) -> Work[Any]:
        """Work that returns a value, or the default where there is none."""
        return self._read([("GET", self._key(key))], lambda got: self._value(got[0], default))

    def fetch(self, keys: Sequence[str]) -> Work[dict[str, Any]]:
        """Work that returns those values that are there, by key."""

        def found(got: list[Any]) -> dict[str, Any]:
            pairs = zip(keys, got[0], strict=True)
            return {key: self._value(data, None) for key, data in pairs if data is not None}

        return self._read([("MGET", *map(self._key, keys))], found)

    def set(self, key: str, value: Any, timeout: Seconds, when: When) -> Work[bool]:
        """Work that keeps a value, and returns whether the condition was met."""
        name, data = self._key(key), self._data(value)
        if _is_over(timeout) and when is When.ALWAYS:
            return self._change([("DEL", name)], lambda _got: True)
        command = ("SET", name, data, *_lives(timeout), *_CONDITIONS[when])
        return self._change([command], lambda got: bool(got[0]))

    def update(self, values: Mapping[str, Any], timeout: Seconds) -> Work[bool]:
        """Work that keeps several values, and returns whether all are kept."""
        items = [(self._key(key), self._data(value)) for key, value in values.items()]
        if _is_over(timeout):
            return self._change([("DEL", *(name for name, _ in items))], lambda _got: True)
        commands = [("SET", name, data, *_lives(timeout)) for name, data in items]
        return self._change(commands, all)

    def pop(self, key: str, default: Any) -> Work[Any]:
        """Work that takes a value out, so that no one else gets it."""
        return self._change([("GETDEL", self._key(key))], lambda got: self._value(got[0], default))

    def delete(self, keys: Sequence[str]) -> Work[int]:
        """Work that forgets entries, and returns how many were there."""
        return self._change([("DEL", *map(self._key, keys))], lambda got: int(got[0]))

    def exists(self, keys: Sequence[str]) -> Work[int]:
        """Work that returns how many of the keys are there."""
        return self._read([("EXISTS", *map(self._key, keys))], lambda got: int(got[0]))

    def expire(self, key: str, timeout: Seconds) -> Work[bool]:
        """Work that lets an entry live that long from now, and returns whether it is there."""
        name = self._key(key)
        if timeout is None:
            # PERSIST alone does not tell an entry that lives for ever from none.
            return self._change(
                [("PERSIST", name), ("EXISTS", name)], lambda got: bool(int(got[1]))
            )
        return self._change([("PEXPIRE", name, _milliseconds(timeout))], lambda got: bool(got[0]))

    def alter(self, key: str, delta: int, limit: int | None, timeout: Seconds) -> Work[int | None]:
        """Work that adds to a number at once; see `Store.alter`."""
        name = self._key(key)
        commands: list[Command] = [
            ("SET", name, 0, *_lives(timeout), "NX"),
            ("INCRBY", name, delta),
        ]
        if limit is not None:
            lives = "" if timeout is None else _milliseconds(timeout)
            commands = [("EVAL", _ALTER, 1, name, delta, limit, lives)]
        return Count(store=self, commands=commands, finish=lambda got: got[-1])

    def take(self, key: str, token: str, timeout: Seconds) -> Work[bool]:
        """Work that keeps a token where there is none, and returns whether it does."""
        return self.set(key, token, timeout, When.NOT_EXISTS)

    def give_back(self, key: str, token: str) -> Work[bool]:
        """Work that forgets a token, and returns whether it was this one that was there."""
        command = ("EVAL", _GIVE_BACK, 1, self._key(key), self._data(token))
        return self._change([command], lambda got: bool(got[0]))

    def close(self) -> None:
        """Give connections of threads back; they are made anew when they are needed."""
        for pool in list(self._threads._pools.values()):  # noqa: SLF001
            pool.disconnect()

    async def aclose(self) -> None:
        """Give the connections of the running event loop back."""
        await self._loops.aclose()

    def _read(self, commands: Sequence[Command], finish: Callable[[list[Any]], T]) -> Work[T]:
        return Exchange(store=self, commands=commands, finish=finish, is_write=False)

    def _change(self, commands: Sequence[Command], finish: Callable[[list[Any]], T]) -> Work[T]:
        return Exchange(store=self, commands=commands, finish=finish)

    def _key(self, key: str) -> str:
        name: str = self._django.make_and_validate_key(key)
        return name

    def _data(self, value: Any) -> Any:
        return self._serializer.dumps(value)

    def _value(self, data: Any, default: Any) -> Any:
        return default if data is None else self._serializer.loads(data)


_CONDITIONS: Mapping[When, tuple[str, ...]] = {
    When.ALWAYS: (),
    When.EXISTS: ("XX",),
    When.NOT_EXISTS: ("NX",),
}


def _is_over(timeout: Seconds) -> bool:
    return timeout is not None and timeout <= 0


def _milliseconds(timeout: float) -> int:
    return math.ceil(timeout * 1000)


def _lives(timeout: Seconds) -> tuple[Any, ...]:
    # Redis refuses 0; what is to be gone at once is then kept for the shortest time.
    return () if timeout is None else ("PX", max(1, _milliseconds(timeout)))


@contextmanager
def _counting() -> Iterator[None]:
    try:
        yield
    except ResponseError as exc:
        if "not an integer" in str(exc) or "overflow" in str(exc):
            raise ValueError("the entry holds no integer, or one that is too long") from exc
        raise


async def _disconnect(clients: Clients) -> None:
    for client in clients.values():
        await client.aclose()
