"""Hello world, on whichever framework `BACKEND` names."""

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
    port=int(os.environ.get("PORT", "8000")),
)

# Sanic's workers find their routes here; WSGI and ASGI servers are told `server:app`.
app = service.application()

if __name__ == "__main__":
    service.run()
