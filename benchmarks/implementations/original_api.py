"""The API of the original UtilMeta, written for its own interface."""

from datetime import datetime
from typing import Any

import utype
from django.db import models

from benchmarks.workloads import LISTED
from testproject.conduit.models import Article, User
from utilmeta.core import api, orm, request


class Customer(utype.Schema):
    """Who orders."""

    name: str = utype.Field(min_length=1, max_length=100)
    email: str = utype.Field(max_length=200)
    vip: bool = False


class Line(utype.Schema):
    """How many of what."""

    sku: str = utype.Field(min_length=1, max_length=50)
    quantity: int = utype.Field(ge=1, le=1000)
    price: float = utype.Field(ge=0)


class Order(utype.Schema):
    """An order."""

    customer: Customer
    lines: list[Line] = utype.Field(min_length=1, max_length=100)
    note: str | None = None


class AuthorSchema(orm.Schema[User]):
    """An author."""

    username: str
    bio: str
    image: str | None


class ArticleSchema(orm.Schema[Article]):
    """An article."""

    slug: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    comments_count: int = models.Count("comments")
    author: AuthorSchema
    tags: list[str] = orm.Field("tags.name")


class ArticleAPI(api.API):
    """Articles."""

    def get(self) -> list[ArticleSchema]:
        """Answer list."""
        return ArticleSchema.serialize(Article.objects.all()[:LISTED])

    @api.get("{id}")
    def one(self, id: int) -> ArticleSchema:  # noqa: A002
        """Answer detail."""
        return ArticleSchema.init(id)


class RootAPI(api.API):
    """Everything below `/api`."""

    articles: ArticleAPI

    @api.get
    def hello(self) -> Any:
        """Answer hello."""
        return {"message": "hello"}

    @api.get("items/{id}")
    def item(
        self,
        id: int,  # noqa: A002
        q: str,
        limit: int = request.QueryParam(ge=1, le=100),
    ) -> Any:
        """Answer params."""
        return {"id": id, "q": q, "limit": limit}

    @api.post
    def orders(self, order: Order = request.Body) -> Order:
        """Answer body."""
        return order
