"""REST framework's authentication classes as ways to prove who a user is."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import authentication, exceptions

from testproject.conduit.models import User
from tests.contrib.sessions import SESSIONS, cookies_of
from tests.testing.services import BACKENDS, service_on
from utilmeta.contrib.rest_framework import DRFAuthentication, Use, request_of
from utilmeta.core import api, auth, request
from utilmeta.core.request import var
from utilmeta.testing import Client


class KeyAuthentication(authentication.BaseAuthentication):
    openapi_scheme = {"type": "apiKey", "in": "header", "name": "X-Key"}  # noqa: RUF012

    def authenticate(self, request: Any) -> Any:
        key = request.headers.get("x-key")
        if key is None:
            return None
        user = User.objects.filter(username=key).first()
        if user is None:
            raise exceptions.AuthenticationFailed("nobody has this key")
        return user, f"token of {key}"

    def authenticate_header(self, _request: Any) -> str:
        return "Key"


users = auth.User(
    User,
    authentication=[
        DRFAuthentication(KeyAuthentication),
        DRFAuthentication(authentication.SessionAuthentication),
    ],
)


class RootAPI(api.API):
    @api.get
    def me(self, user: User = users) -> dict[str, Any]:
        known = request_of(self.request)
        return {
            "name": user.username,
            "same": var.user_id.get(self.request) == user.pk,
            "auth": known.auth,
            "theirs": known.user.pk == user.pk,
        }

    @api.get
    def maybe(self, user: User | None = users) -> str:
        return "nobody" if user is None else user.username

    @api.post
    def form(self, text: str = request.FormParam(""), user: User = users) -> str:
        return f"{user.username}: {text}"

    @api.get
    @Use(authentication_classes=[KeyAuthentication])
    def used(self) -> str:
        return "used"


@pytest.fixture(params=BACKENDS)
def client(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Client]:
    User.objects.create_user("ann", "ann@example.com", "secret")
    with (
        service_on(request.param, RootAPI, settings=SESSIONS) as service,
        Client(service) as client,
    ):
        yield client


def test_users_are_those_that_the_class_gives(client: Client):
    assert client.get("/me", headers={"X-Key": "ann"}).json() == {
        "name": "ann", "same": True, "auth": "token of ann", "theirs": True,
    }  # fmt: skip
    for headers in ({}, {"X-Key": "bob"}):
        refused = client.get("/me", headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Key")
    found = client.get("/maybe")
    assert found.text == "nobody"
    assert {"X-Key", "Cookie"} <= {item.strip() for item in found.headers["vary"].split(",")}


def test_a_session_proves_it_with_its_token(client: Client):
    cookies, token = cookies_of(User.objects.get())
    told = {"Cookie": cookies}
    assert client.get("/me", headers=told).json()["name"] == "ann"
    assert client.post("/form", data={"text": "x"}, headers=told).status_code == 403
    sent = {"text": "x", "csrfmiddlewaretoken": token}
    assert client.post("/form", data=sent, headers=told).text == "ann: x"
    header = {**told, "X-CSRFToken": token}
    assert client.post("/form", data={"text": "y"}, headers=header).text == "ann: y"


def test_what_proves_it_is_described():
    with service_on("flask", RootAPI) as service:
        document = service.openapi()
    schemes = document["components"]["securitySchemes"]
    assert schemes["Key"] == {"type": "apiKey", "in": "header", "name": "X-Key"}
    assert schemes["Session"]["in"] == "cookie"
    assert document["paths"]["/me"]["get"]["security"] == [{"Key": []}, {"Session": []}]
    used = document["paths"]["/used"]["get"]
    assert used["security"] == [{}, {"Key": []}]
