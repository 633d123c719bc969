"""A service that is watched, on the back end that the environment names."""

import asyncio
import os

from tests.observe.api import AsyncAPI, RootAPI
from utilmeta import UtilMeta
from utilmeta.conf import Health, Logging, Metrics
from utilmeta.core.server.backends.django import DjangoSettings

backend = os.environ["BACKEND"]
is_async = os.environ.get("ASYNCHRONOUS") == "1"

service = UtilMeta(
    __name__,
    backend=backend,
    name="watched",
    asynchronous=True if is_async else None,
    api=AsyncAPI if is_async or backend not in ("django", "flask") else RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
    production=True,
)
service.use(DjangoSettings(secret_key="watched", allowed_hosts=["*"]))
service.use(Logging(level=os.environ.get("LEVEL", "INFO")))
service.use(Metrics())
# Nothing stands before it that would have to see it end.
service.use(Health(grace=0))

app = service.application()

if backend == "sanic":

    @app.get("/native")
    async def native(_request: object) -> None:
        await asyncio.sleep(60)


if __name__ == "__main__":
    service.run()
