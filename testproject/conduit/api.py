"""The RealWorld API: https://realworld-docs.netlify.app, its public read endpoints."""

from testproject.conduit.models import Article, Comment, Tag, User
from testproject.conduit.schemas import (
    Articles,
    ArticleSchema,
    CommentSchema,
    FullArticleSchema,
    NewComment,
    OneArticle,
    OneComment,
    OneProfile,
    ProfileSchema,
    Tags,
)
from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.utils import exceptions


@api.route("{slug}/comments")
class CommentAPI(api.API):
    """Comments of an article."""

    slug: str = request.SlugPathParam

    def post(self, comment: NewComment = request.BodyParam) -> Response[OneComment]:
        """Add a comment."""
        article = Article.objects.filter(slug=self.slug).only("pk").first()
        if article is None:
            raise exceptions.NotFound("article not found")
        author = User.objects.filter(username=comment.author).only("pk").first()
        if author is None:
            raise exceptions.NotFound("author not found")
        made = Comment.objects.create(article=article, author=author, body=comment.body)
        return Response({"comment": CommentSchema.init(made.pk)})


class ArticleAPI(api.API):
    """Articles."""

    comments: CommentAPI

    def get(
        self,
        tag: str | None = None,
        author: str | None = None,
        favorited: str | None = None,
        limit: int = request.QueryParam(20, ge=0, le=100),
        offset: int = request.QueryParam(0, ge=0, le=1_000_000),
    ) -> Response[Articles]:
        """List articles, the latest first."""
        wanted = {
            "tags__name": tag,
            "author__username": author,
            "favorited_by__username": favorited,
        }
        articles = Article.objects.filter(
            **{name: value for name, value in wanted.items() if value is not None}
        )
        page = ArticleSchema.serialize(articles[offset : offset + limit])
        return Response({"articles": page, "articlesCount": articles.count()})

    @api.get("{slug}")
    def detail(self, slug: str) -> Response[OneArticle]:
        """Return one article."""
        return Response({"article": FullArticleSchema.init(Article.objects.filter(slug=slug))})


class TagAPI(api.API):
    """Tags."""

    def get(self) -> Response[Tags]:
        """List the names of all tags."""
        return Response({"tags": list(Tag.objects.values_list("name", flat=True))})


class ProfileAPI(api.API):
    """Profiles of users."""

    @api.get("{username}")
    def detail(self, username: str) -> Response[OneProfile]:
        """Return one profile."""
        return Response({"profile": ProfileSchema.init(User.objects.filter(username=username))})


class RootAPI(api.API):
    """Everything below `/api`."""

    articles: ArticleAPI
    tags: TagAPI
    profiles: ProfileAPI
