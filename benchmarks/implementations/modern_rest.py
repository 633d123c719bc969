"""django-modern-rest: controllers over msgspec, relations read at once.

Validation of its own answers is off, as its documentation advises for production.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.urls import include, path
from dmr import Body, Controller, Path, Query
from dmr.plugins.msgspec import MsgspecSerializer
from dmr.routing import Router

from benchmarks.implementations.drf import articles
from benchmarks.implementations.raw import Order
from benchmarks.workloads import LISTED


class Author(msgspec.Struct):
    """An author."""

    username: str
    bio: str
    image: str | None


class Article(msgspec.Struct):
    """An article."""

    slug: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    comments_count: int
    author: Author
    tags: list[str]


def shown(article: Any) -> Article:
    """Return what an article shows."""
    author = article.author
    return Article(
        slug=article.slug,
        title=article.title,
        description=article.description,
        created_at=article.created_at,
        updated_at=article.updated_at,
        comments_count=article.comments_count,
        author=Author(username=author.username, bio=author.bio, image=author.image),
        tags=[tag.name for tag in article.tags.all()],
    )


class Key(msgspec.Struct):
    """A parameter of the path."""

    id: int


class ItemQuery(msgspec.Struct):
    """Parameters of the query."""

    q: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)]


class Item(msgspec.Struct):
    """The parameters of an item."""

    id: int
    q: str
    limit: int


class Hello(Controller[MsgspecSerializer]):
    """Answers hello."""

    validate_responses = False

    def get(self) -> dict[str, str]:
        """Answer."""
        return {"message": "hello"}


class Items(Controller[MsgspecSerializer]):
    """Answers params."""

    validate_responses = False

    def get(self, parsed_path: Path[Key], parsed_query: Query[ItemQuery]) -> Item:
        """Answer."""
        return Item(id=parsed_path.id, q=parsed_query.q, limit=parsed_query.limit)


class Orders(Controller[MsgspecSerializer]):
    """Answers body."""

    validate_responses = False

    def post(self, parsed_body: Body[Order]) -> Order:
        """Answer."""
        return parsed_body


class Articles(Controller[MsgspecSerializer]):
    """Answers list."""

    validate_responses = False

    def get(self) -> list[Article]:
        """Answer."""
        return [shown(article) for article in articles()[:LISTED]]


class Detail(Controller[MsgspecSerializer]):
    """Answers detail."""

    validate_responses = False

    def get(self, parsed_path: Path[Key]) -> Article:
        """Answer."""
        return shown(articles().get(pk=parsed_path.id))


router = Router(
    "api/",
    [
        path("hello", Hello.as_view()),
        path("items/<int:id>", Items.as_view()),
        path("orders", Orders.as_view()),
        path("articles", Articles.as_view()),
        path("articles/<int:id>", Detail.as_view()),
    ],
)
urlpatterns = [path(router.prefix, include(router.urls))]
