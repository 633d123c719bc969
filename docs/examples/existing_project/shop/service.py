"""The service of the project."""

import os

from utilmeta import UtilMeta
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="shop",
    backend=os.environ.get("BACKEND", "django"),
    api="shop.api.RootAPI",
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(DjangoSettings(module_name="shop.settings"))

if __name__ == "__main__":
    service.run()
