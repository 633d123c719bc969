"""Users of `django.contrib.auth`: one session for the API and for Django's own views."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import override_settings
from django.urls import path

from testproject import settings as project
from testproject.conduit.models import User
from utilmeta.core import api, auth, request
from utilmeta.core.auth.session.django import DjangoSession
from utilmeta.core.orm.read.instances import InstanceReader
from utilmeta.testing import Client, override_service

pytestmark = pytest.mark.django_db(transaction=True)

sessions = DjangoSession()
users = auth.User(User, authentication=sessions, scopes_field="get_all_permissions")


class RootAPI(api.API):
    @api.post
    def login(self, name: str = request.BodyParam, password: str = request.BodyParam) -> bool:
        return users.login(self.request, name, password) is not None

    @api.post
    def logout(self) -> None:
        users.logout(self.request)

    @api.get
    def me(self, user: User | None = users) -> str:
        return "nobody" if user is None else user.username

    @api.post
    def touch(self, user: User = users) -> str:
        return user.username

    @auth.Require("conduit.view_article")
    @api.get
    def allowed(self, user: User = users) -> str:
        return user.username


class Admin:
    urls = [path("admin/", admin.site.urls)]  # noqa: RUF012


CASES = [
    ("django", None, project.MIDDLEWARE),
    ("django", True, project.MIDDLEWARE),
    ("django", None, []),
    ("flask", None, project.MIDDLEWARE),
    ("starlette", None, project.MIDDLEWARE),
    ("fastapi", None, project.MIDDLEWARE),
    ("sanic", None, project.MIDDLEWARE),
    ("tornado", None, project.MIDDLEWARE),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{len(case[2])}")
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    backend, asynchronous, middleware = request.param
    User.objects.create_superuser("boss", "boss@example.com", "secret word")
    User.objects.create_user("ann", "ann@example.com", "secret word")
    with override_service(
        backend=backend,
        name="beside",
        asynchronous=asynchronous,
        api=RootAPI,
        route="/api",
        settings={"MIDDLEWARE": middleware, "DEBUG": False},
    ) as service:
        service.mount(Admin(), "/pages")
        service.setup()
        with Client(service) as client:
            yield client


def login(client: Client, name: str = "boss") -> Any:
    answer = client.post("/api/login", json={"name": name, "password": "secret word"})
    assert answer.json() is True
    return answer


def test_one_token_is_given_at_a_login(client: Client):
    answer = login(client)
    tokens = [
        found[1]
        for line in answer.headers.get_list("set-cookie")
        if (found := re.match(r"csrftoken=(\w+)", line))
    ]
    assert len(set(tokens)) == 1
    assert client.post("/api/touch").status_code == 403
    given = {"X-CSRFToken": client.cookies["csrftoken"]}
    assert client.post("/api/touch", headers=given).text == "boss"


def test_sessions_end_when_the_password_changes(client: Client):
    login(client, "ann")
    assert client.get("/api/me").text == "ann"
    ann = User.objects.get(username="ann")
    ann.set_password("another word")
    ann.save()
    assert client.get("/api/me").text == "nobody"


def test_permissions_of_django_are_scopes(client: Client):
    login(client, "ann")
    assert client.get("/api/allowed").status_code == 403
    login(client, "boss")
    assert client.get("/api/allowed").text == "boss"


def test_logging_in_again_leaves_nothing_of_another(client: Client):
    login(client, "ann")
    first = client.cookies["sessionid"]
    login(client, "boss")
    assert client.cookies["sessionid"] != first
    client.cookies.clear()
    assert client.get("/api/me", headers={"Cookie": f"sessionid={first}"}).text == "nobody"


def test_instances_are_what_django_reads():
    ann = User.objects.create_user("ann", "ann@example.com", "secret word", bio="ünï")
    for name, value in (("id", ann.pk), ("pk", str(ann.pk)), ("username", "ann")):
        found = InstanceReader(User, name).get(value)
        assert found == ann
        assert vars(found).keys() == vars(User.objects.get(pk=ann.pk)).keys()
        assert found.date_joined == ann.date_joined
        found.bio = "changed"
        found.save()
        assert User.objects.get(pk=ann.pk).bio == "changed"
    for wrong in ("x", "", None, 10**30, "99999"):
        assert InstanceReader(User, "id").get(wrong) is None


def test_a_manager_of_the_projects_own_is_asked(monkeypatch: pytest.MonkeyPatch):
    ann = User.objects.create_user("ann", "ann@example.com", "secret word")
    kind = type(User.objects)

    class Hiding(kind):  # type: ignore[misc, valid-type]
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(username="ann")

    manager = Hiding()
    manager.model, manager.name = User, "objects"
    monkeypatch.setitem(vars(User._meta), "default_manager", manager)
    with override_settings(DEBUG=False):
        assert InstanceReader(User, "id").get(ann.pk) is None
