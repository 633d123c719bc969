"""Our API with async endpoints."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from asgiref.sync import sync_to_async

from benchmarks.implementations.ours_api import ThingsAPI
from benchmarks.implementations.ours_schemas import (
    ArticleSchema,
    CommentSchema,
    Made,
    NewArticle,
    slow,
)
from benchmarks.implementations.shapes import Order
from benchmarks.workloads import LISTED
from testproject.conduit.models import Article, Comment
from utilmeta.core import api, orm, request
from utilmeta.core.response import JSONLinesResponse


class ArticleAPI(api.API):
    """Articles."""

    async def get(self) -> list[ArticleSchema]:
        """Answer list."""
        return await ArticleSchema.aserialize(Article.objects.all()[:LISTED])

    @api.get("{id}")
    async def one(self, id: int) -> ArticleSchema:  # noqa: A002
        """Answer detail."""
        return await ArticleSchema.ainit(id)

    async def post(self, article: NewArticle[orm.A]) -> Made:
        """Answer create."""
        await article.asave()
        return {"id": article.pk, "slug": article.slug}

    @api.post
    async def bulk(self, articles: list[NewArticle[orm.A]] = request.Body) -> list[Made]:
        """Answer bulk."""
        made = await NewArticle[orm.A].abulk_save(articles)
        return [{"id": row.pk, "slug": row.slug} for row in made]


class RootAPI(ThingsAPI):
    """Everything below `/api`."""

    articles: ArticleAPI

    @api.get
    async def hello(self) -> dict[str, str]:
        """Answer hello."""
        return {"message": "hello"}

    @api.get("items/{id}")
    async def item(
        self,
        id: int,  # noqa: A002
        q: str,
        limit: Annotated[int, request.QueryParam(ge=1, le=100)],
    ) -> dict[str, Any]:
        """Answer params."""
        return {"id": id, "q": q, "limit": limit}

    @api.post
    async def orders(self, order: Order) -> Order:
        """Answer body."""
        return order

    @api.get
    async def slow(self) -> dict[str, bool]:
        """Answer slow."""
        return await sync_to_async(slow)()

    @api.get
    async def stream(self) -> Annotated[AsyncIterator[CommentSchema], JSONLinesResponse]:
        """Answer stream."""
        rows = Comment.objects.order_by("id")
        async for row in rows.values("id", "article_id", "author_id", "created_at").aiterator():
            yield row
