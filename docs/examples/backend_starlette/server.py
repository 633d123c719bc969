"""A service whose backend is the imported package `starlette`."""

import os

import starlette

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "hello from starlette"


service = UtilMeta(
    __name__,
    name="demo",
    backend=starlette,
    api=RootAPI,
    port=int(os.environ.get("PORT", "8000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
