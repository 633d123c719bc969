"""Other applications beside the API: a DRF router, the admin's kind of URLs, plain WSGI."""

import os

from utilmeta import UtilMeta
from utilmeta.core import api
from utilmeta.core.server.backends.django import DjangoSettings


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


def legacy(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"legacy at {environ['SCRIPT_NAME']}{environ['PATH_INFO']}".encode()]


service = UtilMeta(
    __name__,
    name="mounts",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(
    DjangoSettings(
        apps=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        extra={
            "REST_FRAMEWORK": {
                "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]
            }
        },
    )
)
service.setup()

from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.viewsets import ViewSet


class PingViewSet(ViewSet):
    permission_classes = ()
    authentication_classes = ()

    def list(self, request):
        return Response({"drf": "pong"})


router = DefaultRouter()
router.register("ping", PingViewSet, basename="ping")
service.mount(router, route="/drf")
service.mount(legacy, route="/legacy")
app = service.application()

if __name__ == "__main__":
    service.run()
