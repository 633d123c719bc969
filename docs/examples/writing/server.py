"""A blog whose rows are read, asked for and written through typed classes."""

import os

from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="blog",
    backend=os.environ.get("BACKEND", "starlette"),
    api="blog.api.RootAPI",
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(DjangoSettings(apps=["blog"]))
service.use(DatabaseConnections({"default": Database(name="blog.sqlite3")}))


@service.on_startup
def make_tables():
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


app = service.application()

if __name__ == "__main__":
    service.run()
