"""Async endpoints on a framework that is sync unless told otherwise: Django or Flask."""

import asyncio
import os

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    async def together(self):
        return await asyncio.gather(*(self.square(number) for number in range(4)))

    async def square(self, number):
        await asyncio.sleep(0.01)
        return number * number


service = UtilMeta(
    __name__,
    name="demo",
    backend=os.environ.get("BACKEND", "django"),
    asynchronous=True,
    api=RootAPI,
    port=int(os.environ.get("PORT", "8000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
