"""Run it with `python server.py`, then ask for http://127.0.0.1:8000/api/hello."""

import os

import django

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


service = UtilMeta(
    __name__,
    name="demo",
    backend=django,
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
