"""Runs the Sanic application itself, with whatever arguments Sanic knows."""

import sanic

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


service = UtilMeta(
    __name__,
    name="demo",
    backend=sanic,
    api=RootAPI,
    route="/api",
)

app = service.application()

if __name__ == "__main__":
    app.run(
        debug=False,
        port=8000,
    )
