"""REST framework's routers and views beside an API, and one document over both."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from openapi_spec_validator import validate
from rest_framework import (
    authentication,
    filters,
    pagination,
    permissions,
    routers,
    serializers,
    throttling,
    views,
    viewsets,
)
from rest_framework.decorators import action, api_view
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response

from testproject.conduit.models import Tag
from tests.testing.services import BACKENDS, service_on
from utilmeta import UtilMeta
from utilmeta.contrib.rest_framework import make_document
from utilmeta.core import api
from utilmeta.testing import Client
from utilmeta.utils.exceptions import ConfigError

JSON = "rest_framework.renderers.JSONRenderer"


class Person:
    """Who asks."""

    is_authenticated = True
    pk = 7


class KeyAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        key = request.headers.get("x-key")
        if key is None:
            return None
        if key != "good":
            raise AuthenticationFailed
        return Person(), key

    def authenticate_header(self, _request: Any) -> str:
        return "Key"


class Twice(throttling.SimpleRateThrottle):
    rate = "2/day"

    def get_cache_key(self, request: Any, _view: Any) -> str:
        return f"twice-{self.get_ident(request)}"


class Guarded(views.APIView):
    """A view with all of REST framework's policies."""

    authentication_classes = (KeyAuthentication, authentication.BasicAuthentication)
    permission_classes = (permissions.IsAuthenticated,)
    throttle_classes = (Twice,)

    def get(self, request: Any) -> Response:
        """Tell who asks.

        As REST framework has found.
        """
        return Response({"user": request.user.pk, "auth": request.auth})


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ("id", "name")


class Pages(pagination.PageNumberPagination):
    page_size = 2


class TagViewSet(viewsets.ModelViewSet):
    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    filter_backends = (filters.SearchFilter, filters.OrderingFilter)
    search_fields = ("name",)
    ordering_fields = ("name",)
    pagination_class = Pages

    @action(detail=True, methods=["post"])
    def shout(self, _request: Any, pk: str) -> Response:
        """Return the name in capitals."""
        return Response(Tag.objects.get(pk=pk).name.upper())


@api_view(["GET"])
def simple(_request: Any) -> Response:
    return Response("simple")


class RootAPI(api.API):
    @api.get
    def hello(self) -> str:
        return "world"

    @api.post
    def tag(self, tag: TagSerializer) -> TagSerializer:
        return tag.save()


def mounted(service: UtilMeta) -> UtilMeta:
    router = routers.DefaultRouter()
    router.register("tags", TagViewSet)
    service.mount(router, route="/drf")
    service.mount(Guarded, route="/guarded")
    service.mount(TagViewSet.as_view({"get": "list"}), route="/list")
    service.mount(simple, route="/one/simple")
    return service


@pytest.fixture(params=BACKENDS)
def client(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Client]:
    cache.clear()
    settings = {"REST_FRAMEWORK": {"DEFAULT_RENDERER_CLASSES": [JSON]}}
    with (
        service_on(request.param, RootAPI, route="/api", settings=settings) as service,
        Client(mounted(service)) as client,
    ):
        yield client
    cache.clear()


def test_routers_and_views_answer_beside_the_api(client: Client):
    assert client.get("/api/hello").text == "world"
    made = client.post("/drf/tags/", json={"name": "a"})
    assert made.status_code == 201, made.text
    assert client.post("/drf/tags/", json={"name": "a"}).status_code == 400
    url = f"/drf/tags/{made.json()['id']}/"
    assert client.get(url).json() == made.json()
    assert client.post(f"{url}shout/").json() == "A"
    assert client.get("/drf/tags/?search=b").json()["count"] == 0
    assert client.get("/drf/").json()["tags"].endswith("/drf/tags/")
    for path in ("/list", "/list/"):
        assert client.get(path).json()["results"] == [made.json()]
    assert client.get("/one/simple").json() == "simple"
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert client.get("/list/further").status_code == 404


def test_policies_of_rest_framework_hold_there(client: Client):
    refused = client.get("/guarded")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Key")
    assert client.get("/guarded", headers={"X-Key": "bad"}).status_code == 401
    found = [client.get("/guarded/", headers={"X-Key": "good"}) for _ in range(3)]
    assert found[0].json() == {"user": 7, "auth": "good"}
    assert [answer.status_code for answer in found] == [200, 200, 429]
    assert int(found[2].headers["retry-after"]) > 80_000


def test_one_document_describes_both(client: Client):
    document = client.service.openapi()
    validate(document)
    paths = document["paths"]
    assert {"/api/hello", "/drf/tags/", "/drf/tags/{pk}/", "/guarded/", "/list/"} <= set(paths)
    assert not any("format" in path for path in paths)
    listed = paths["/drf/tags/"]["get"]
    assert listed["operationId"] == "tag_list"
    names = {item["name"] for item in listed["parameters"]}
    assert names == {"search", "ordering", "page"}
    page = listed["responses"]["200"]["content"]["application/json"]["schema"]
    assert page["properties"]["results"]["items"] == {"$ref": "#/components/schemas/Tag-Output"}
    assert page["properties"]["next"]["type"] == ["string", "null"]
    # The API takes and answers with the same serializer, which is described once.
    body = paths["/api/tag"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Tag-Input"}
    assert not any(name.startswith("drf_") for name in document["components"]["schemas"])
    guarded = paths["/guarded/"]["get"]
    assert guarded["summary"] == "Tell who asks"
    assert guarded["security"] == [{"Basic": []}]
    assert {"200", "401", "403", "429"} == set(guarded["responses"])
    shout = paths["/drf/tags/{pk}/shout/"]["post"]
    assert shout["operationId"] == "tag_shout"
    assert shout["parameters"][0]["schema"] == {"type": "integer"}
    assert "200" in shout["responses"]


def test_a_document_may_be_made_by_itself():
    router = routers.SimpleRouter()
    router.register("tags", TagViewSet)
    document = make_document(router, title="Tags", version="2.0.0")
    validate(document)
    assert document["info"] == {"title": "Tags", "version": "2.0.0"}
    assert set(document["paths"]["/tags/{pk}/"]) == {"get", "put", "patch", "delete"}
    assert document["components"]["schemas"]["PatchedTag"]["properties"].keys() == {"name"}


def test_mounted_urls_can_be_reversed(settings: Any):
    with service_on("flask", RootAPI, route="/api") as service:
        mounted(service).application()
        assert reverse("tag-list") == "/drf/tags/"


@pytest.mark.parametrize("wrong", [TagViewSet, object()])
def test_what_cannot_be_mounted_is_refused(wrong: Any):
    def mount(make: Callable[[], Any]) -> None:
        with service_on("flask", RootAPI, route="/api") as service:
            service.mount(make(), route="/x")
            service.application()

    with pytest.raises(ConfigError, match=r"service\.mount"):
        mount(lambda: wrong)
