"""django-ninja: schemas, relations read at once."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import path
from ninja import ModelSchema, NinjaAPI, Query, Schema

from benchmarks.implementations.drf import articles
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import Limit, NewArticle, Order
from benchmarks.workloads import LISTED
from testproject.conduit.models import Article, User

api = NinjaAPI(docs_url=None, openapi_url=None)


class AuthorOut(ModelSchema):
    """An author."""

    class Meta:
        """What it shows."""

        model = User
        fields = ("username", "bio", "image")


class ArticleOut(Schema):
    """An article."""

    slug: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    comments_count: int
    author: AuthorOut
    tags: list[str]

    @staticmethod
    def resolve_tags(article: Any) -> list[str]:
        """Return the names of its tags."""
        return [tag.name for tag in article.tags.all()]


class MadeOut(Schema):
    """An article that was made."""

    id: int
    slug: str


class ItemOut(Schema):
    """The parameters of an item."""

    id: int
    q: str
    limit: int


def thing(request: HttpRequest) -> dict[str, str]:
    """Answer one of many routes."""
    return {}


def dynamic_thing(request: HttpRequest, id: int) -> dict[str, int]:  # noqa: A002
    """Answer one of many routes."""
    return {"id": id}


for name, is_dynamic in extra_routes():
    if is_dynamic:
        api.get(f"/{name}/{{int:id}}", url_name=name)(dynamic_thing)
    else:
        api.get(f"/{name}", url_name=name)(thing)


@api.get("/hello")
def hello(request: HttpRequest) -> dict[str, str]:
    """Answer hello."""
    return {"message": "hello"}


@api.get("/items/{int:id}", response=ItemOut)
def item(request: HttpRequest, id: int, q: str, limit: Limit = Query(...)) -> Any:  # noqa: A002, B008
    """Answer params."""
    return {"id": id, "q": q, "limit": limit}


@api.post("/orders", response=Order)
def orders(request: HttpRequest, order: Order) -> Any:
    """Answer body."""
    return order


@api.get("/articles", response=list[ArticleOut])
def newest(request: HttpRequest) -> Any:
    """Answer list."""
    return articles()[:LISTED]


@api.get("/articles/{int:id}", response=ArticleOut)
def one(request: HttpRequest, id: int) -> Any:  # noqa: A002
    """Answer detail."""
    return articles().get(pk=id)


@api.post("/articles", response={201: MadeOut})
def create(request: HttpRequest, article: NewArticle) -> Any:
    """Answer create."""
    return 201, Article.objects.create(**article.model_dump())


@api.post("/articles/bulk", response={201: list[MadeOut]})
def bulk(request: HttpRequest, rows: list[NewArticle]) -> Any:
    """Answer bulk."""
    with transaction.atomic():
        return 201, Article.objects.bulk_create([Article(**row.model_dump()) for row in rows])


urlpatterns = [path("api/", api.urls)]
