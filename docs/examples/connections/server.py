import os

from utilmeta import UtilMeta
from utilmeta.core import api
from utilmeta.core.orm import Database, DatabaseConnections


class RootAPI(api.API):
    @api.get
    def answer(self):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT 6 * 7")
            return cursor.fetchone()[0]


service = UtilMeta(
    __name__,
    name="shop",
    backend=os.environ.get("BACKEND", "starlette"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(
    DatabaseConnections(
        {
            "default": Database.from_url(os.environ.get("DATABASE_URL", "sqlite:///shop.sqlite3")),
            # Reads outside of transactions go here; without it they go to the primary.
            "replica": Database.from_url(
                os.environ.get("REPLICA_URL", "sqlite:///shop-replica.sqlite3"),
                replica_of="default",
            ),
        }
    )
)
app = service.application()

if __name__ == "__main__":
    service.run()
