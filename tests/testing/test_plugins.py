"""Plugins under load and faults, in process, on a sync and an async service."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.services import REDIS_PORT, require_redis
from tests.testing.services import service_on
from utilmeta.core import api, request
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.core.request import var
from utilmeta.testing import Client
from utilmeta.utils.exceptions import Conflict

BOTH = ("flask", "starlette")
Make = Callable[..., type[api.API]]


def caches(port: int = REDIS_PORT) -> list[Any]:
    prefix = f"test-{uuid4()}"
    redis = RedisCache(port=port, key_prefix=prefix, timeout=60)
    return [CacheConnections({"default": Cache(), "shared": redis})]


@pytest.fixture(params=BOTH)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def statuses(client: Client, number: int, path: str, **options: Any) -> list[int]:
    """Return the sorted statuses of calls made at once."""
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(client.get, path, **options) for _ in range(number)]
        return sorted(call.result().status_code for call in calls)


# -- rate limits ----------------------------------------------------------------------------------


@pytest.mark.redis
@pytest.mark.parametrize("alias", [None, "shared"])
def test_rate_limit_counts_exactly_under_load(backend: str, alias: str | None):
    if alias:
        require_redis()

    class RootAPI(api.API):
        @api.get
        @api.RateLimit("10/day", cache=alias, name=str(uuid4()))
        def x(self):
            return 1

    options = {} if alias is None else {"settings": CacheConnections.django_settings(caches()[0])}
    with service_on(backend, RootAPI, **options), Client() as client:
        found = statuses(client, 30, "/x")
        assert (found.count(200), found.count(429)) == (10, 20)


def test_client_that_waits_as_told_is_let_in(backend: str):
    class RootAPI(api.API):
        @api.get
        @api.RateLimit("3/2s")
        def x(self):
            return 1

    with service_on(backend, RootAPI), Client() as client:
        for _ in range(3):
            refused = next(
                answer for _ in range(12) if (answer := client.get("/x")).status_code == 429
            )
            time.sleep(int(refused.headers["retry-after"]))
            answer = client.get("/x")
            assert answer.status_code == 200, answer.headers


def test_several_rates_are_told_and_the_narrowest_refuses(backend: str):
    class RootAPI(api.API):
        @api.get
        @api.RateLimit("2/minute, 100/day")
        def x(self):
            return 1

    with service_on(backend, RootAPI), Client() as client:
        first = client.get("/x")
        assert first.headers["ratelimit-policy"] == '"0";q=2;w=60, "1";q=100;w=86400'
        assert first.headers["ratelimit"].startswith('"0";r=1;t=')
        assert [client.get("/x").status_code for _ in range(2)] == [200, 429]


def test_users_are_counted_apart_though_hooks_name_them(backend: str):
    class RootAPI(api.API):
        @api.before
        def authenticate(self, x_user: str = request.HeaderParam("")):
            if x_user:
                var.user_id.set(self.request, x_user)

        @api.get
        @api.RateLimit("1/day", key="user")
        def x(self):
            return 1

    with service_on(backend, RootAPI), Client() as client:
        got = [client.get("/x", headers={"X-User": name}).status_code for name in "aabb"]
        assert got == [200, 429, 200, 429]
        assert [client.get("/x").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("on_failure", "status"), [("refuse", 503), ("allow", 200)])
def test_rate_limit_does_as_declared_while_its_cache_is_down(
    backend: str, on_failure: Any, status: int, caplog: pytest.LogCaptureFixture
):
    class RootAPI(api.API):
        @api.get
        @api.RateLimit("1/day", cache="shared", on_failure=on_failure)
        def x(self):
            return 1

    settings = CacheConnections.django_settings(caches(port=9)[0])
    with service_on(backend, RootAPI, settings=settings), Client() as client:
        answers = [client.get("/x") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert "rate limit's cache 'shared' failed" in caplog.text


# -- idempotency ----------------------------------------------------------------------------------


def charging(alias: str, ran: list[int], seconds: float = 0.2, **around: Any) -> type[api.API]:
    class RootAPI(api.API):
        @api.post
        @api.Idempotency(cache=alias)
        def pay(self, n: int = request.BodyParam):
            time.sleep(seconds)
            ran.append(n)
            if n < 0:
                raise Conflict("not now")
            if n == 0:
                raise ValueError("secret text")
            return self.response({"n": n}, status=201, headers={"X-Number": str(len(ran))})

    return RootAPI


@pytest.mark.redis
@pytest.mark.parametrize("alias", ["default", "shared"])
def test_request_that_is_sent_many_times_is_carried_out_once(backend: str, alias: str):
    require_redis()
    ran: list[int] = []
    settings = CacheConnections.django_settings(caches()[0])
    with service_on(backend, charging(alias, ran), settings=settings), Client() as client:
        key = {"Idempotency-Key": str(uuid4())}

        def pay(_: int) -> Any:
            return client.post("/pay", json={"n": 1}, headers=key)

        with ThreadPoolExecutor(8) as pool:
            found = sorted(answer.status_code for answer in pool.map(pay, range(8)))
        assert found == [201] + [409] * 7
        again = pay(0)
        assert (again.status_code, again.json()) == (201, {"n": 1})
        assert again.headers["x-number"] == "1"
        assert again.headers["idempotency-replayed"] == "true"
        assert ran == [1]
        other = client.post("/pay", json={"n": 2}, headers=key)
        assert other.status_code == 422
        stranger = client.post("/pay", json={"n": 3}, headers={**key, "Authorization": "Bearer x"})
        assert stranger.status_code == 201


def test_failed_request_may_be_tried_again(backend: str):
    ran: list[int] = []
    with service_on(backend, charging("default", ran, 0)), Client() as client:
        for n, status in ((0, 500), (-1, 409)):
            key = {"Idempotency-Key": str(uuid4())}
            got = [client.post("/pay", json={"n": n}, headers=key).status_code for _ in range(2)]
            assert got == [status, status]
        assert ran == [0, 0, -1, -1]


def test_key_of_a_request_that_took_too_long_stays_taken(backend: str):
    ran: list[int] = []

    class RootAPI(api.API):
        @api.post
        @api.Idempotency()
        @api.Timeout(0.1)
        def pay(self, n: int = request.BodyParam):
            time.sleep(0.5)
            ran.append(n)

    with service_on(backend, RootAPI), Client() as client:
        key = {"Idempotency-Key": str(uuid4())}
        got = [client.post("/pay", json={"n": 1}, headers=key).status_code for _ in range(2)]
        time.sleep(0.8)
    assert got == [504, 409]
    assert ran == [1]


# -- limits of time -------------------------------------------------------------------------------


def test_sync_endpoint_is_answered_for_in_time(backend: str):
    may_end, ended = threading.Event(), threading.Event()

    class RootAPI(api.API):
        @api.get
        @api.Timeout(0.2)
        def slow(self):
            may_end.wait(30)
            ended.set()

    with service_on(backend, RootAPI), Client() as client:
        assert client.get("/slow").status_code == 504
        # Not when the endpoint has ended: it goes on.
        assert not ended.is_set()
        may_end.set()
        assert ended.wait(30)


def test_work_that_has_not_begun_is_not_done_after_its_refusal(backend: str):
    from utilmeta.conf import Preference

    ran: list[int] = []

    class RootAPI(api.API):
        @api.post
        @api.Timeout(0.3)
        def work(self, n: int):
            time.sleep(0.6)
            ran.append(n)

    with (
        service_on(backend, RootAPI, configs=[Preference(lanes=1)]),
        Client() as client,
        ThreadPoolExecutor(3) as pool,
    ):
        calls = [pool.submit(client.post, f"/work?n={n}") for n in range(3)]
        assert [call.result().status_code for call in calls] == [504] * 3
        time.sleep(1.5)
    assert len(ran) == 1


def test_async_endpoint_is_cancelled():
    ended: list[str] = []

    class RootAPI(api.API):
        @api.get(timeout=0.1)
        async def slow(self):
            try:
                await asyncio.sleep(5)
            finally:
                ended.append("cancelled")

    with service_on("starlette", RootAPI), Client() as client:
        assert client.get("/slow").status_code == 504
    assert ended == ["cancelled"]


# -- threads and context --------------------------------------------------------------------------


def test_nothing_of_a_sync_endpoint_runs_on_the_event_loop():
    threads: dict[str, str] = {}

    def note(name: str) -> None:
        threads[name] = threading.current_thread().name

    class Noting(api.Plugin):
        def process_request(self, request: Any, api: Any) -> None:
            note("plugin")

    class RootAPI(api.API):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            note("init")

        @api.before
        def check(self):
            note("before")

        @api.after
        def change(self):
            note("after")

        @api.get
        @Noting()
        def x(self, value: Any = request.RequestContextVar("v", factory=lambda _: note("factory"))):
            note("endpoint")

        @api.get
        async def y(self):
            return None

    with service_on("starlette", RootAPI), Client() as client:
        assert client.get("/x").status_code == 204
        assert all(name.startswith("utilmeta-lane") for name in threads.values()), threads
        assert set(threads) == {"plugin", "init", "factory", "before", "endpoint", "after"}
        threads.clear()
        client.get("/y")
        assert all(name.startswith("utilmeta-lane") for name in threads.values()), threads


def test_context_variables_of_hooks_reach_the_endpoint(backend: str):
    from contextvars import ContextVar

    tenant: ContextVar[str] = ContextVar("tenant", default="none")

    class RootAPI(api.API):
        @api.before
        def choose(self):
            tenant.set("chosen")

        @api.get
        def plain(self):
            return tenant.get()

        @api.get
        @api.Timeout(5)
        def timed(self):
            return tenant.get()

    class AsyncAPI(RootAPI):
        @api.get
        async def later(self):
            return tenant.get()

    chosen = RootAPI if backend == "flask" else AsyncAPI
    with service_on(backend, chosen), Client() as client:
        for path in ("plain", "timed", *(["later"] if chosen is AsyncAPI else [])):
            assert client.get(f"/{path}").text == "chosen", path


def test_async_factory_of_a_context_value_is_awaited():
    async def find(_request: Any) -> int:
        await asyncio.sleep(0)
        return 7

    class RootAPI(api.API):
        @api.get
        def x(self, n: int = request.RequestContextVar("n", factory=find)):  # type: ignore[assignment]
            return n

    with service_on("starlette", RootAPI), Client() as client:
        assert client.get("/x").json() == 7
