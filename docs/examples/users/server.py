"""A service with accounts of its own: passwords, sessions, tokens, keys and rules."""

import os

from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

os.environ.setdefault("JWT_SECRET", "only for this example, with more than 32 bytes")

service = UtilMeta(
    __name__,
    name="people",
    backend=os.environ.get("BACKEND", "starlette"),
    api="people.api.RootAPI",
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(DjangoSettings(apps=["people"]))
service.use(DatabaseConnections({"default": Database(name="people.sqlite3")}))


@service.on_startup
def make_tables():
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


app = service.application()

if __name__ == "__main__":
    service.run()
