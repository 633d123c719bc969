"""A service with a database and a cache, for tests of its health."""

import os

from utilmeta import UtilMeta
from utilmeta.conf import Time
from utilmeta.core import api
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings


class RootAPI(api.API):
    @api.get
    def hello(self) -> str:
        return "world"


service = UtilMeta(
    __name__,
    name="healthy",
    backend=os.environ["BACKEND"],
    asynchronous=True if os.environ.get("ASYNCHRONOUS") else None,
    api=RootAPI,
    route="/api",
    port=int(os.environ["PORT"]),
)
service.use(Time(time_zone="UTC"))
service.use(DjangoSettings(apps=os.environ.get("APPS", "").split()))
service.use(DatabaseConnections({"default": Database.from_url(os.environ["DATABASE_URL"])}))
if "CACHE_URL" in os.environ:
    service.use(
        CacheConnections({"default": Cache(engine="redis", location=os.environ["CACHE_URL"])})
    )
app = service.application()

if __name__ == "__main__":
    service.run()
