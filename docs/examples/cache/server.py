"""A cache in use: values, counts that are exact, and work that only one does at a time."""

import os
import time

from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.core.cache import Cache, CacheConnections, cache, caches
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.utils import exceptions

BACKEND = os.environ.get("BACKEND", "django")
REDIS = os.environ.get("REDIS_URL", "")


def report_of(year: int) -> dict:
    return {"year": year, "made": time.time_ns()}


class SyncAPI(api.API):
    @api.get("report/{year}")
    def report(self, year: int):
        return cache.get_or_set(f"report:{year}", lambda: report_of(year), timeout=600)

    @api.delete("report/{year}")
    def forget(self, year: int):
        return {"forgotten": cache.delete(f"report:{year}")}

    @api.post
    def seat(self, show: str = request.BodyParam):
        # Never more than three, however many ask at once and in how many processes.
        number = caches["bookings"].alter(f"seats:{show}", 1, limit=3, timeout=None)
        if number is None:
            raise exceptions.Conflict("sold out")
        return {"seat": number}

    @api.post
    def close(self, show: str = request.BodyParam):
        # Another request that holds it for longer than `wait` makes this one a 503.
        with caches["bookings"].lock(f"close:{show}", timeout=30, wait=5):
            return {"sold": caches["bookings"].pop(f"seats:{show}", 0)}


class AsyncAPI(api.API):
    @api.get("report/{year}")
    async def report(self, year: int):
        return await cache.aget_or_set(f"report:{year}", lambda: report_of(year), timeout=600)

    @api.delete("report/{year}")
    async def forget(self, year: int):
        return {"forgotten": await cache.adelete(f"report:{year}")}

    @api.post
    async def seat(self, show: str = request.BodyParam):
        number = await caches["bookings"].aalter(f"seats:{show}", 1, limit=3, timeout=None)
        if number is None:
            raise exceptions.Conflict("sold out")
        return {"seat": number}

    @api.post
    async def close(self, show: str = request.BodyParam):
        async with caches["bookings"].lock(f"close:{show}", timeout=30, wait=5):
            return {"sold": await caches["bookings"].apop(f"seats:{show}", 0)}


class RootAPI(api.API):
    sync: SyncAPI
    if BACKEND not in {"django", "flask"}:
        asynchronous: AsyncAPI


service = UtilMeta(
    __name__,
    name="bookings",
    backend=BACKEND,
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(
    CacheConnections(
        {
            # Reports can be made again, so the service goes on without this one.
            "default": Cache(key_prefix="reports", on_failure="miss"),
            "bookings": RedisCache(
                location=REDIS, key_prefix=os.environ.get("PREFIX", "bookings"), read_timeout=2
            ),
        }
    )
)
app = service.application()

if __name__ == "__main__":
    service.run()
