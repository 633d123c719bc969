"""The root API by reference: it is imported when Django is ready, not when this file is read."""

import os

import django

from utilmeta import UtilMeta

service = UtilMeta(
    __name__,
    name="demo",
    backend=django,
    api="service.api.RootAPI",
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
