"""A service whose database goes away and comes back."""

import json
import os

from asgiref.sync import sync_to_async

from utilmeta import UtilMeta
from utilmeta.core import api
from utilmeta.core.orm import Database, DatabaseConnections

BACKEND = os.environ["BACKEND"]
ASYNCHRONOUS = os.environ.get("ASYNCHRONOUS") == "1"
IS_ASYNC = ASYNCHRONOUS or BACKEND not in {"django", "flask"}


def ask(text: str) -> object:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()[0]


class RootAPI(api.API):
    @api.get
    def pid(self):
        return ask("SELECT pg_backend_pid()")

    @api.get
    def atomic(self):
        from django.db import transaction

        with transaction.atomic():
            ask("SELECT 1")
            return ask("SELECT pg_backend_pid()")

    @api.get
    def die(self):
        from django.db import transaction

        with transaction.atomic(), transaction.atomic():
            return ask("SELECT pg_terminate_backend(pg_backend_pid())")

    @api.get
    def missing(self):
        return ask("SELECT * FROM missing")

    @api.get
    def settings(self):
        from django.conf import settings

        entry = settings.DATABASES["default"]
        pool = entry["OPTIONS"].get("pool")
        return {"age": entry["CONN_MAX_AGE"], "checks": entry["CONN_HEALTH_CHECKS"], "pool": pool}


class AsyncRootAPI(RootAPI):
    @api.get
    async def twin(self):
        return await sync_to_async(ask)("SELECT pg_backend_pid()")


service = UtilMeta(
    __name__,
    name="away",
    backend=BACKEND,
    asynchronous=ASYNCHRONOUS or None,
    api=AsyncRootAPI if IS_ASYNC else RootAPI,
    route="/api",
    port=int(os.environ["PORT"]),
)
service.use(
    DatabaseConnections(
        {
            "default": Database(
                name="postgres",
                engine="postgresql",
                user="postgres",
                host="127.0.0.1",
                port=int(os.environ["DATABASE_PORT"]),
                **json.loads(os.environ["DATABASE"]),
            )
        }
    )
)
app = service.application()

if __name__ == "__main__":
    service.run()
