"""The API of the blog."""

from blog.models import Article, Author
from blog.schemas import ArticleQuery, ArticleSchema, TagSchema
from utilmeta.core import api, orm, request, response
from utilmeta.core.request import var


class Page(response.Response):
    result_key = "articles"
    count_key = "total"
    result: list[ArticleSchema]


class ArticleAPI(api.API):
    def get(self, query: ArticleQuery) -> Page:
        return Page(ArticleSchema.serialize(query), count=query.count())

    @orm.Atomic()
    def post(self, article: ArticleSchema[orm.A]) -> ArticleSchema:
        article.author_id = var.user_id.get(self.request)
        return ArticleSchema.init(article.save().pk)

    @api.get("{id}")
    def one(self, id: int) -> ArticleSchema:
        return ArticleSchema.init(id)

    @api.patch("{id}")
    def change(
        self,
        id: int,
        article: ArticleSchema[orm.WP],
        if_match: str | None = request.HeaderParam(None),
    ) -> ArticleSchema:
        article.pk = id
        article.save(if_match=if_match)
        return ArticleSchema.init(id)

    @api.delete("{id}")
    def remove(self, id: int) -> None:
        Article.objects.filter(pk=id).delete()

    @api.post
    def publish(self, ids: list[int] = request.BodyParam) -> dict[str, int]:
        public = ArticleSchema[orm.WP](status="public")
        return {"published": public.commit(Article.objects.filter(pk__in=ids))}


class TagAPI(api.API):
    def put(self, tags: list[TagSchema[orm.A]] = request.Body) -> list[TagSchema]:
        TagSchema[orm.A].bulk_save(tags, upsert_on=["name"])
        return TagSchema.model_of().objects.order_by("name")


class RootAPI(api.API):
    articles: ArticleAPI
    tags: TagAPI

    @api.before("*")
    def log_in(self, user: str = request.HeaderParam("ann", alias="X-User")):
        var.user_id.set(self.request, Author.objects.get_or_create(name=user)[0].pk)
