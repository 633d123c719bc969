"""Our API with sync endpoints."""

from collections.abc import Iterator
from typing import Annotated, Any

from benchmarks.implementations.ours_schemas import (
    ArticleSchema,
    CommentSchema,
    Made,
    NewArticle,
    slow,
)
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import Order
from benchmarks.workloads import LISTED
from testproject.conduit.models import Article, Comment
from utilmeta.core import api, orm, request
from utilmeta.core.response import JSONLinesResponse


class ArticleAPI(api.API):
    """Articles."""

    def get(self) -> list[ArticleSchema]:
        """Answer list."""
        return ArticleSchema.serialize(Article.objects.all()[:LISTED])

    @api.get("{id}")
    def one(self, id: int) -> ArticleSchema:  # noqa: A002
        """Answer detail."""
        return ArticleSchema.init(id)

    def post(self, article: NewArticle[orm.A]) -> Made:
        """Answer create."""
        article.save()
        return {"id": article.pk, "slug": article.slug}

    @api.post
    def bulk(self, articles: list[NewArticle[orm.A]] = request.Body) -> list[Made]:
        """Answer bulk."""
        made = NewArticle[orm.A].bulk_save(articles)
        return [{"id": row.pk, "slug": row.slug} for row in made]


class ThingsAPI(api.API):
    """Many routes; the suite makes their names, as nobody writes a thousand."""

    for _name, _is_dynamic in extra_routes():
        if _is_dynamic:

            @api.get(f"{_name}/{{id}}")
            def _thing(self, id: int) -> dict[str, int]:  # noqa: A002
                return {"id": id}
        else:

            @api.get(_name)
            def _thing(self) -> dict[str, int]:
                return {}

        locals()[_name] = _thing
        del _thing


class RootAPI(ThingsAPI):
    """Everything below `/api`."""

    articles: ArticleAPI

    @api.get
    def hello(self) -> dict[str, str]:
        """Answer hello."""
        return {"message": "hello"}

    @api.get("items/{id}")
    def item(
        self,
        id: int,  # noqa: A002
        q: str,
        limit: Annotated[int, request.QueryParam(ge=1, le=100)],
    ) -> dict[str, Any]:
        """Answer params."""
        return {"id": id, "q": q, "limit": limit}

    @api.post
    def orders(self, order: Order) -> Order:
        """Answer body."""
        return order

    @api.get
    def slow(self) -> dict[str, bool]:
        """Answer slow."""
        return slow()

    @api.get
    def stream(self) -> Annotated[Iterator[CommentSchema], JSONLinesResponse]:
        """Answer stream."""
        rows = Comment.objects.order_by("id")
        yield from rows.values("id", "article_id", "author_id", "created_at").iterator()
