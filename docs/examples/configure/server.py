"""A service configured by a function of its own: Django apps, a database, time formats."""

import os

from config.conf import configure
from utilmeta import UtilMeta

service = UtilMeta(
    __name__,
    name="demo",
    backend=os.environ.get("BACKEND", "django"),
    api="domain.article.api.ArticleAPI",
    route="/articles",
    port=int(os.environ.get("PORT", "8000")),
)
configure(service)


@service.on_startup
def make_tables():
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


app = service.application()

if __name__ == "__main__":
    service.run()
