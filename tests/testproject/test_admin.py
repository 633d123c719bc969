"""The test project's own views beside the API, and its sample data."""

import json

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse

from testproject.conduit.api import RootAPI
from testproject.conduit.management.commands.conduit_sample_data import PASSWORD
from tests.testing.services import BACKENDS, service_on
from utilmeta.testing import Client as Visitors

pytestmark = pytest.mark.django_db
NONE = ("--comments=0", "--favorites=0", "--follows=0")


def test_admin_pages_work_beside_the_api(client: Client, admin_client: Client):
    assert reverse("admin:index") == "/admin/"
    assert client.get("/admin/login/").status_code == 200
    call_command(
        "conduit_sample_data",
        "--users=3",
        "--articles=5",
        "--comments=5",
        "--tags=2",
        "--favorites=2",
        "--follows=2",
        verbosity=0,
    )
    page = admin_client.get("/admin/conduit/article/")
    assert page.status_code == 200
    assert b"5 articles" in page.content


def test_api_answers_behind_the_projects_middleware(client: Client):
    answer = client.get("/api/articles")
    assert json.loads(answer.content) == {"articles": [], "articlesCount": 0}
    # SecurityMiddleware and the click-jacking protection are the project's.
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


def test_api_needs_no_csrf_token():
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        "/api/users/login",
        data={"user": {"email": "nobody@example.com", "password": "b"}},
        content_type="application/json",
    )
    assert answer.status_code == 401
    assert json.loads(answer.content) == {"errors": {"credentials": ["invalid"]}}


def test_members_come_in_the_declared_order(client: Client):
    call_command(
        "conduit_sample_data",
        "--users=2",
        "--articles=1",
        "--comments=1",
        "--tags=2",
        "--favorites=1",
        "--follows=1",
        verbosity=0,
    )
    article = json.loads(client.get("/api/articles").content)["articles"][0]
    assert list(article) == [
        "slug",
        "title",
        "description",
        "tagList",
        "createdAt",
        "updatedAt",
        "favorited",
        "favoritesCount",
        "author",
    ]


def test_sample_users_can_log_in(client: Client):
    call_command("conduit_sample_data", "--users=2", "--articles=1", "--tags=1", *NONE, verbosity=0)
    sent = {"user": {"email": "user0001@example.com", "password": PASSWORD}}
    answer = client.post("/api/users/login", sent, content_type="application/json")
    token = answer.json()["user"]["token"]
    me = client.get("/api/user", headers={"Authorization": f"Token {token}"}).json()["user"]
    assert me["email"] == "user0001@example.com"


def test_rest_framework_shows_the_same_articles(client: Client):
    call_command(
        "conduit_sample_data", "--users=2", "--articles=30", "--tags=3", *NONE, verbosity=0
    )
    ours = client.get("/api/articles?limit=5&offset=20").json()
    theirs = client.get("/drf/articles/?limit=5&offset=20").json()
    assert theirs["count"] == ours["articlesCount"] == 30
    same = ("slug", "title", "description", "tagList", "createdAt", "updatedAt", "favoritesCount")
    for one, other in zip(ours["articles"], theirs["results"], strict=True):
        assert [one[name] for name in same] == [other[name] for name in same]
        assert one["author"]["username"] == other["author"]["username"]
        detail = client.get(f"/drf/articles/{other['slug']}/").json()
        assert detail == other
    assert client.post("/drf/articles/", {}).status_code == 405


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_back_end_has_both_side_by_side(backend: str, transactional_db: None):
    from testproject.conduit.drf import router

    call_command("conduit_sample_data", "--users=2", "--articles=3", "--tags=3", *NONE, verbosity=0)
    with service_on(backend, RootAPI, route="/api") as service:
        service.mount(router, "/drf")
        # Elsewhere than on Django, REST framework is found among the project's URLs.
        urls = settings.ROOT_URLCONF if backend.startswith("django") else "testproject.urls"
        with override_settings(ROOT_URLCONF=urls), Visitors(service) as client:
            assert client.get("/api/articles").json()["articlesCount"] == 3
            answer = client.get("/drf/articles/", headers={"Accept": "application/json"})
            assert answer.json()["count"] == 3
