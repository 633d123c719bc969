"""Visitors who do the same at once; run by `tests/orm/test_engines.py` where rows are locked."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from testproject.conduit.api import RootAPI
from testproject.conduit.models import Article, Favorite, Follow, Tag, User
from tests.testing.services import service_on
from tests.testproject.realworld import Visitor
from utilmeta.testing import Client

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


@pytest.fixture(params=["django", "starlette"])
def visitor(request: pytest.FixtureRequest) -> Iterator[Visitor]:
    settings = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with (
        service_on(request.param, RootAPI, route="/api", settings=settings) as service,
        Client(service) as client,
    ):
        yield Visitor(client)


def together(work: Callable[[int], Any]) -> list[Any]:
    """Return what threads give that begin at once."""
    barrier = Barrier(THREADS)

    def run(number: int) -> Any:
        try:
            barrier.wait(10)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_the_engine_locks_rows():
    assert connection.features.has_select_for_update


def test_a_name_is_given_once(visitor: Visitor):
    def register(number: int) -> int:
        sent = {"username": "wanted", "email": f"{number}@test.com", "password": "password123"}
        return visitor.send("POST", "/users", {"user": sent}).status_code

    assert Counter(together(register)) == {201: 1, 409: THREADS - 1}
    assert User.objects.filter(username="wanted").count() == 1


def test_articles_of_one_title_all_get_a_slug(visitor: Visitor):
    writers = [visitor.register(f"writer{number}") for number in range(THREADS)]

    def publish(number: int) -> Any:
        new = {"title": "The title", "description": "d", "body": "b", "tagList": ["new", "newer"]}
        answer = writers[number].send("POST", "/articles", {"article": new})
        return answer.status_code, answer.json().get("article", {}).get("slug")

    found = together(publish)
    # Who has to give up for another's tags is told to come again.
    made = [slug for status, slug in found if status == 201]
    assert {status for status, _ in found} <= {201, 503}
    assert made
    assert len(set(made)) == len(made) == Article.objects.count()
    assert "the-title" in made
    assert Tag.objects.count() == 2
    assert all(article.tags.count() == 2 for article in Article.objects.all())


def test_favoring_and_following_at_once_count_once(visitor: Visitor):
    fan, writer = visitor.register("fan"), visitor.register("writer")
    path = f"/articles/{writer.publish()['slug']}"

    def favor(number: int) -> int:
        asked = (f"{path}/favorite", "/profiles/writer/follow")[number % 2]
        return fan.send("POST", asked).status_code

    assert Counter(together(favor)) == {200: THREADS}
    assert (Favorite.objects.count(), Follow.objects.count()) == (1, 1)


def test_an_article_that_is_deleted_meanwhile_is_not_there(visitor: Visitor):
    fan, writer = visitor.register("fan"), visitor.register("writer")
    for round_ in range(3):
        path = f"/articles/{writer.publish(f'Title {round_}')['slug']}"

        def act(number: int, path: str = path) -> int:
            if number == 0:
                return writer.send("DELETE", path).status_code
            sent = {"comment": {"body": str(number)}}
            method, asked, body = (
                ("POST", f"{path}/favorite", None),
                ("POST", f"{path}/comments", sent),
                ("GET", path, None),
            )[number % 3]
            return fan.send(method, asked, body).status_code

        # A row that goes between two statements is a reference to nothing.
        assert set(together(act)) <= {200, 201, 204, 404, 422, 503}
        assert visitor.get(path, 404) == {"article": ["not found"]}
