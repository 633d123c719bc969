"""The test project's own views beside the API."""

import json

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


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
        "/api/articles/none/comments",
        data={"comment": {"body": "b", "author": "nobody"}},
        content_type="application/json",
    )
    assert answer.status_code == 404
    assert json.loads(answer.content)["detail"] == "article not found"


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
