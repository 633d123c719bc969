"""An async function that prepares the process before it answers its first request."""

import os

import starlette

from utilmeta import UtilMeta
from utilmeta.core import api

prepared = []


class RootAPI(api.API):
    @api.get
    def state(self):
        return prepared


service = UtilMeta(
    __name__,
    name="demo",
    backend=starlette,
    api=RootAPI,
    port=int(os.environ.get("PORT", "8000")),
)


@service.on_startup
async def on_start():
    import asyncio

    print("prepare")
    await asyncio.sleep(0.5)
    prepared.append("cache")
    print("done")


app = service.application()

if __name__ == "__main__":
    service.run()
