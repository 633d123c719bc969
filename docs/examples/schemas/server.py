"""A service that reads nested rows from Django models on any of the six frameworks."""

import os

from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="shop",
    backend=os.environ.get("BACKEND", "starlette"),
    api="shop.api.BookAPI",
    route="/books",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(DjangoSettings(apps=["shop"]))
service.use(DatabaseConnections({"default": Database(name="shop.sqlite3")}))


@service.on_startup
def make_sample():
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    from shop.models import Author, Book, Tag

    if not Book.objects.exists():
        author = Author.objects.create(name="More")
        book = Book.objects.create(title="Utopia", author=author)
        book.tags.set([Tag.objects.create(name=name) for name in ("old", "island")])
        book.reviews.create(stars=5, text="妙")
        book.reviews.create(stars=4)


app = service.application()

if __name__ == "__main__":
    service.run()
