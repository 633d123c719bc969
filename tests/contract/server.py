"""The contract's API on the backend that BACKEND names, for tests over a socket."""

import os

from tests.contract import api
from utilmeta import UtilMeta
from utilmeta.core.server.backends.django import DjangoSettings

ASYNCHRONOUS = os.environ.get("ASYNCHRONOUS") == "1"
BACKEND = os.environ["BACKEND"]
IS_ASYNC = ASYNCHRONOUS or BACKEND not in {"django", "flask"}

service = UtilMeta(
    __name__,
    name="contract",
    backend=BACKEND,
    asynchronous=ASYNCHRONOUS or None,
    api=api.AsyncRootAPI if IS_ASYNC else api.SyncRootAPI,
    route="/api",
    port=int(os.environ["PORT"]),
    production=False,
)
service.use(DjangoSettings(allowed_hosts=["127.0.0.1", ".example.com"]))
app = service.application()

if __name__ == "__main__":
    service.run()
