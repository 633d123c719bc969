"""API classes among the URLs of REST framework's routers."""

from types import ModuleType
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import include, path, reverse
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.viewsets import ViewSet

from utilmeta.conf import current
from utilmeta.contrib.rest_framework import APIRoutes, Router
from utilmeta.core import api


class ThingAPI(api.API):
    def get(self) -> list[int]:
        return [1, 2]

    @api.get("{id}")
    def one(self, id: int) -> int:  # noqa: A002
        return id

    def post(self, n: int) -> int:
        return n


class PingViewSet(ViewSet):
    authentication_classes = ()
    permission_classes = ()

    def list(self, _request: Any) -> Response:
        return Response("pong")


def urlconf(*patterns: Any) -> Any:
    module: Any = ModuleType("router_urls")
    module.urlpatterns = list(patterns)
    renderers = ["rest_framework.renderers.JSONRenderer"]
    return override_settings(
        ROOT_URLCONF=module,
        MIDDLEWARE=[],
        REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": renderers, "UNAUTHENTICATED_USER": None},
    )


def test_an_api_stands_among_the_urls_of_a_router():
    with current.replaced():
        router = DefaultRouter()
        router.register("ping", PingViewSet, basename="ping")
        patterns = [*router.urls, ThingAPI.__as__("django", "v2/things")]
        with urlconf(path("drf/", include(patterns))):
            client = Client()
            assert client.get("/drf/ping/").json() == "pong"
            assert client.get("/drf/v2/things").json() == [1, 2]
            assert client.get("/drf/v2/things/7").json() == 7
            assert reverse("utilmeta-v2-things") == "/drf/v2/things"
            assert reverse("ping-list") == "/drf/ping/"


@pytest.mark.parametrize("namespaced", [False, True])
def test_a_router_takes_api_classes(namespaced: bool):
    with current.replaced():
        router = Router()
        router.register("ping", PingViewSet, basename="ping")
        router.register("things", ThingAPI)
        router.register("others", ThingAPI, basename="other")
        urls: Any = (router.urls, "drf") if namespaced else router.urls
        with urlconf(path("drf/", include(urls))):
            client = Client()
            assert client.get("/drf/").json() == {
                "ping": "http://testserver/drf/ping/",
                "things": "http://testserver/drf/things/",
                "others": "http://testserver/drf/others/",
            }
            prefix = "drf:" if namespaced else ""
            assert reverse(f"{prefix}things-list") == "/drf/things/"
            assert reverse(f"{prefix}other-list") == "/drf/others/"
            for url in ("/drf/things", "/drf/things/"):
                assert client.get(url).json() == [1, 2]
            assert client.get("/drf/things/5").json() == 5
            assert client.post("/drf/others?n=3").json() == 3
            assert client.get("/drf/ping/").json() == "pong"


def test_a_router_of_the_projects_own_takes_them_too():
    class Plain(DefaultRouter):
        include_root_view = False

    class Own(APIRoutes, Plain):
        pass

    with current.replaced():
        router = Own(trailing_slash=False)
        assert router.urls == []
        router.register("things", ThingAPI)
        with urlconf(path("", include(router.urls))):
            assert Client().get("/things").json() == [1, 2]
