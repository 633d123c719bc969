"""A service whose backend is the imported package `sanic`."""

import os

import sanic

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "hello from sanic"


service = UtilMeta(
    __name__,
    name="demo",
    backend=sanic,
    api=RootAPI,
    port=int(os.environ.get("PORT", "8000")),
)

# Must stand at module level: a worker process of Sanic imports this file to learn the routes.
app = service.application()

if __name__ == "__main__":
    service.run()
