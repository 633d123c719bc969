"""Every argument that describes a service and where it listens."""

import os

from utilmeta import UtilMeta

service = UtilMeta(
    __name__,
    backend="flask",
    name="parameters",
    description="Shows what a service is told when it is made",
    production=False,
    host="127.0.0.1",
    port=int(os.environ.get("PORT", "5000")),
    version=(0, 1, 0),
    asynchronous=False,
    api="api.RootAPI",
    route="/about",
)

app = service.application()

if __name__ == "__main__":
    service.run()
