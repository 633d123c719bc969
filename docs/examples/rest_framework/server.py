"""A REST framework router and the API that takes over from it, on any of the six frameworks."""

import os

from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="blog",
    backend=os.environ.get("BACKEND", "django"),
    api="blog.api.RootAPI",
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(
    DjangoSettings(
        apps=["blog"],
        extra={
            "REST_FRAMEWORK": {
                "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
                "UNAUTHENTICATED_USER": None,
            }
        },
    )
)
service.use(DatabaseConnections({"default": Database(name="blog.sqlite3")}))
service.setup()

from blog.views import NoteViewSet
from rest_framework.routers import DefaultRouter

router = DefaultRouter()
router.register("notes", NoteViewSet)
service.mount(router, route="/drf")


@service.on_startup
def make_sample():
    from blog.models import Author
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    Author.objects.get_or_create(name="Ann")


app = service.application()

if __name__ == "__main__":
    service.run()
