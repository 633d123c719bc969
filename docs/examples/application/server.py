"""`app` is the framework's own application object, which any WSGI or ASGI server can run."""

import os

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


service = UtilMeta(
    __name__,
    name="demo",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
)

app = service.application()

if __name__ == "__main__":
    service.run()
