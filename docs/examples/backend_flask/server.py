"""A service whose backend is the imported package `flask`."""

import os

import flask

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "hello from flask"


service = UtilMeta(
    __name__,
    name="demo",
    backend=flask,
    api=RootAPI,
    port=int(os.environ.get("PORT", "5000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
