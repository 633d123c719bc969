"""One OpenAPI document over the API and a DRF router."""

import os

from utilmeta import UtilMeta
from utilmeta.core import api
from utilmeta.core.server.backends.django import DjangoSettings


class RootAPI(api.API):
    @api.get
    def hello(self) -> str:
        return "world"


service = UtilMeta(
    __name__,
    name="both",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(
    DjangoSettings(
        apps=["rest_framework"],
        # Nobody logs in here.
        extra={"REST_FRAMEWORK": {"UNAUTHENTICATED_USER": None}},
    )
)
service.setup()

from rest_framework import routers, serializers, viewsets
from rest_framework.response import Response


class ThingSerializer(serializers.Serializer):
    number = serializers.IntegerField(min_value=1, allow_null=True)


class ThingViewSet(viewsets.ViewSet):
    serializer_class = ThingSerializer

    def list(self, request):
        return Response([{"number": 1}])


router = routers.DefaultRouter()
router.register("things", ThingViewSet, basename="thing")
service.mount(router, "/drf")
app = service.application()

if __name__ == "__main__":
    service.run()
