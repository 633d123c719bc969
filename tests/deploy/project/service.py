"""A service that tells about itself; what it runs on, it reads from the environment."""

import asyncio
import os
import time
from pathlib import Path

from release import RELEASE

from utilmeta import UtilMeta
from utilmeta.conf import Deployment, Env, Health, Logging, Metrics, Preference, Time
from utilmeta.core import api, request
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings


class Environ(Env):
    SECRET_KEY: str
    BACKEND: str = "django"
    ASYNCHRONOUS: bool = False
    SERVER: str | None = None
    WORKER: str | None = None
    PRELOAD: bool = False
    PORT: int = 8000
    LISTEN: int = 8080
    MAX_REQUESTS: int = 0
    GRACE: float = 1.0
    DATABASE_URL: str = "sqlite:///rows.sqlite3"
    HOOKS: str = "hooks"


env = Environ(sys_env=True)


def _note(what: str) -> None:
    with Path(env.HOOKS).open("a", encoding="utf-8") as file:
        file.write(f"{what} {os.getpid()}\n")


def _count() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 6 * 7")
        number: int = cursor.fetchone()[0]
    return number


class Plain(api.API):
    """The endpoints, as functions."""

    @api.get
    def pid(self) -> int:
        return os.getpid()

    @api.get
    def slow(self, seconds: float = request.QueryParam(1.5)) -> int:
        time.sleep(seconds)
        return os.getpid()

    @api.get
    def release(self) -> int:
        return RELEASE

    @api.get
    def rows(self) -> int:
        return _count()

    @api.post
    def echo(self, text: str = request.BodyParam()) -> str:
        return text

    @api.get
    def seen(self) -> dict[str, str | None]:
        found = self.request
        return {
            "address": str(found.ip_address),
            "scheme": found.scheme,
            "host": found.host,
            "url": found.url,
        }


class Awaited(Plain):
    """The same, as coroutines."""

    @api.get
    async def slow(self, seconds: float = request.QueryParam(1.5)) -> int:
        await asyncio.sleep(seconds)
        return os.getpid()

    @api.get
    async def pid(self) -> int:
        return os.getpid()


service = UtilMeta(
    __name__,
    name="shop",
    backend=env.BACKEND,
    asynchronous=env.ASYNCHRONOUS,
    production=True,
    api=Awaited if env.ASYNCHRONOUS else Plain,
    route="/api",
    host="127.0.0.1",
    port=env.PORT,
    origin=f"http://shop.localhost:{env.LISTEN}",
)
service.use(DjangoSettings(secret_key=env.SECRET_KEY))
service.use(Time(time_zone="UTC"))
service.use(Preference(trusted_proxies=["127.0.0.1"]))
service.use(Logging(slow_request=10, slow_sql=10))
service.use(Metrics())
service.use(Health(grace=env.GRACE))
service.use(DatabaseConnections({"default": Database.from_url(env.DATABASE_URL)}))
service.use(
    Deployment(
        server=env.SERVER,  # type: ignore[arg-type]
        worker=env.WORKER,  # type: ignore[arg-type]
        workers=2,
        preload=env.PRELOAD,
        max_requests=env.MAX_REQUESTS,
        listen=env.LISTEN,
    )
)


@service.on_startup
def start() -> None:
    _note("start")


@service.on_shutdown
def stop() -> None:
    _note("stop")


app = service.application()

if __name__ == "__main__":
    service.run()
