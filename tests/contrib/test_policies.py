"""REST framework's authentication, permissions and throttles around endpoints."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from rest_framework import authentication, exceptions, permissions, serializers, throttling

from testproject.conduit.models import Tag, User
from tests.contrib.sessions import SESSIONS, cookies_of
from tests.testing.services import ASYNC, BACKENDS, service_on
from utilmeta.contrib.rest_framework import Use, check_object_permissions, request_of
from utilmeta.core import api, request
from utilmeta.core.request import var
from utilmeta.testing import Client
from utilmeta.utils.exceptions import ConfigError

PERSON = type(
    "Person", (), {"is_authenticated": True, "is_active": True, "pk": 7, "is_staff": False}
)
read: list[str] = []


class KeyAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        key = request.headers.get("x-key")
        if key is None:
            return None
        if key != "good":
            raise exceptions.AuthenticationFailed("wrong key", code="wrong")
        return PERSON(), key

    def authenticate_header(self, _request: Any) -> str:
        return "Key"


class Silent(authentication.BaseAuthentication):
    def authenticate(self, _request: Any) -> None:
        return None


class OnlyEven(permissions.BasePermission):
    message = "odd ones are not for you"

    def has_object_permission(self, _request: Any, view: Any, obj: int) -> bool:
        assert view.kwargs in ({"n": str(obj)}, {})
        return obj % 2 == 0


class Often(throttling.SimpleRateThrottle):
    rate = "2/day"

    def get_cache_key(self, request: Any, _view: Any) -> str:
        return f"often-{request.user.pk}"


class LooksIntoBody(permissions.BasePermission):
    def has_permission(self, request: Any, _view: Any) -> bool:
        return request.data.get("word") == "please"


class NoteSerializer(serializers.Serializer):
    text = serializers.CharField()

    def validate_text(self, value: str) -> str:
        read.append(value)
        return value


class MineAPI(api.API):
    def get(self) -> dict[str, Any]:
        known = request_of(self.request)
        return {"id": var.user_id.get(self.request), "key": known.auth, "same": known.user.pk}

    def post(self, note: NoteSerializer) -> str:
        return note.validated_data["text"]

    @api.get("{n}")
    @Use(permission_classes=[OnlyEven])
    def one(self, n: int) -> int:
        check_object_permissions(self.request, n)
        return n

    @api.get
    def broken(self, how: str) -> None:
        raise {
            "invalid": exceptions.ValidationError({"name": ["taken"]}, code="unique"),
            "throttled": exceptions.Throttled(wait=1.5),
            "missing": exceptions.NotFound(),
        }[how]


@Use(
    authentication_classes=[KeyAuthentication, authentication.BasicAuthentication],
    permission_classes=[permissions.IsAuthenticated],
)
class KeyedAPI(MineAPI):
    pass


class RootAPI(api.API):
    keyed: KeyedAPI

    @api.get
    @Use(authentication_classes=[Silent], permission_classes=[permissions.IsAuthenticated])
    def silent(self) -> None:
        pass

    @api.get
    @Use(
        authentication_classes=[KeyAuthentication], throttle_classes=[Often], permission_classes=[]
    )
    def often(self) -> None:
        pass

    @api.post
    @Use(permission_classes=[LooksIntoBody], authentication_classes=[], reads_body=True)
    def polite(self, word: str = request.BodyParam) -> str:
        return word


class SessionAPI(api.API):
    @api.post
    @Use(
        authentication_classes=[authentication.SessionAuthentication],
        permission_classes=[permissions.IsAuthenticated],
    )
    def change(self, text: str = request.BodyParam("")) -> int:
        return var.user_id.get(self.request)

    @api.post
    @Use(
        authentication_classes=[authentication.SessionAuthentication],
        permission_classes=[permissions.IsAuthenticated],
    )
    def form(self, text: str = request.FormParam("")) -> str:
        return text

    @api.get
    @Use(queryset=Tag.objects.all(), permission_classes=[permissions.DjangoModelPermissions])
    def defaults(self) -> str:
        return "in"


class AsyncAPI(api.API):
    @api.get
    @Use(authentication_classes=[KeyAuthentication], permission_classes=[OnlyEven])
    async def one(self, n: int) -> int:
        await sync_to_async(check_object_permissions)(self.request, n)
        return n


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def client(backend: str) -> Iterator[Client]:
    cache.clear()
    read.clear()
    with service_on(backend, RootAPI) as service, Client(service) as client:
        yield client
    cache.clear()


GOOD = {"X-Key": "good"}


def test_the_first_that_knows_who_asks_counts(client: Client):
    refused = client.get("/keyed")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Key")
    assert refused.json()["code"] == "not_authenticated"
    wrong = client.get("/keyed", headers={"X-Key": "bad"})
    assert (wrong.status_code, wrong.json()["detail"], wrong.json()["code"]) == (
        401, "wrong key", "wrong",
    )  # fmt: skip
    assert client.get("/keyed", headers=GOOD).json() == {"id": 7, "key": "good", "same": 7}
    # Without a challenge there is nothing to be done about it.
    silent = client.get("/silent")
    assert (silent.status_code, silent.headers.get("www-authenticate")) == (403, None)


def test_policies_come_before_the_body(client: Client):
    assert client.post("/keyed", json={"text": "a"}).status_code == 401
    assert client.post("/keyed", content=b"{", headers={"Content-Type": "x/y"}).status_code == 401
    assert read == []
    assert client.post("/keyed", json={"text": "a"}, headers=GOOD).text == "a"
    assert client.post("/keyed", json={}, headers=GOOD).status_code == 400
    assert client.post("/polite", json={"word": "now"}).status_code == 403
    assert client.post("/polite", json={"word": "please"}).text == "please"
    assert (
        client.post(
            "/polite", content=b"{", headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )


def test_permissions_for_rows_are_asked_for(client: Client):
    assert client.get("/keyed/2", headers=GOOD).json() == 2
    refused = client.get("/keyed/3", headers=GOOD)
    assert (refused.status_code, refused.json()["detail"]) == (403, OnlyEven.message)


def test_throttles_tell_when_to_come_back(client: Client):
    found = [client.get("/often", headers=GOOD) for _ in range(3)]
    assert [answer.status_code for answer in found] == [204, 204, 429]
    assert int(found[2].headers["retry-after"]) > 80_000


def test_what_the_endpoint_raises_is_answered_as_there(client: Client):
    invalid = client.get("/keyed/broken?how=invalid", headers=GOOD)
    assert invalid.status_code == 400
    assert invalid.json()["errors"] == [
        {"place": "body.name", "code": "unique", "expected": "taken"}
    ]
    throttled = client.get("/keyed/broken?how=throttled", headers=GOOD)
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "2")
    assert client.get("/keyed/broken?how=missing", headers=GOOD).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_sessions_need_a_token_against_csrf(backend: str):
    user = User.objects.create_user("ann", "ann@example.com", "secret")
    cookies, token = cookies_of(user)
    with service_on(backend, SessionAPI, settings=SESSIONS) as service, Client(service) as client:
        assert client.post("/change", json={}).status_code == 403
        refused = client.post("/change", json={}, headers={"Cookie": cookies})
        assert refused.status_code == 403
        assert "CSRF" in refused.json()["detail"]
        told = {"Cookie": cookies, "X-CSRFToken": token}
        assert client.post("/change", json={"text": "x"}, headers=told).json() == user.pk
        form = {"csrfmiddlewaretoken": token, "text": "hello"}
        answer = client.post("/form", data=form, headers={"Cookie": cookies})
        assert answer.text == "hello"
        wrong = {**form, "csrfmiddlewaretoken": token[::-1]}
        assert client.post("/form", data=wrong, headers={"Cookie": cookies}).status_code == 403
        # REST framework's defaults: session or basic.
        assert client.get("/defaults").status_code == 403
        assert client.get("/defaults", headers={"Cookie": cookies}).text == "in"
        basic = client.get("/defaults", auth=("ann", "secret"))
        assert basic.text == "in"
        assert client.get("/defaults", auth=("ann", "wrong")).status_code == 403


@pytest.mark.parametrize("backend", ASYNC)
def test_async_endpoints_ask_on_the_lane(backend: str):
    with service_on(backend, AsyncAPI) as service, Client(service) as client:
        found = [client.get(f"/one?n={n}", headers=GOOD).status_code for n in (1, 2)]
    assert found == [403, 200]


def test_classes_that_cannot_be_made_are_told_at_set_up():
    class Nameless(throttling.SimpleRateThrottle):
        pass

    class BadAPI(api.API):
        @Use(throttle_classes=[Nameless])
        def get(self) -> None:
            pass

    with service_on("flask", BadAPI) as service, pytest.raises(ConfigError, match="rate"):
        service.setup()


def test_rows_cannot_be_checked_without_policies():
    class BareAPI(api.API):
        def get(self) -> None:
            check_object_permissions(self.request, 1)

    with service_on("flask", BareAPI) as service, Client(service) as client:
        assert client.get("/").status_code == 500
