"""The service of `tests/server/entering.py` on a real server, its entrance closed by CLOSED=1."""

import os

from tests.contract import api
from utilmeta import UtilMeta
from utilmeta.core.server.backends.django import DjangoSettings

BACKEND, _, MODE = os.environ["BACKEND"].partition("-")
IS_SYNC = not MODE and BACKEND in {"django", "flask"}

service = UtilMeta(
    __name__,
    name="entered",
    backend=BACKEND,
    asynchronous=True if MODE else None,
    api=api.SyncRootAPI if IS_SYNC else api.AsyncRootAPI,
    route="/api",
    port=int(os.environ["PORT"]),
    production=False,
)
service.use(DjangoSettings(allowed_hosts=["127.0.0.1"]))
app = service.application()
if os.environ.get("CLOSED"):
    adapter = service.adapter
    if BACKEND == "sanic":
        watch = app.entrance.watch
    else:
        watch = adapter._watch if hasattr(adapter, "_watch") else adapter._entrance.watch
    watch._judge = lambda: "told by a test"

if __name__ == "__main__":
    service.run()
