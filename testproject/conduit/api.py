"""The RealWorld API: https://realworld-docs.netlify.app, its public read endpoints."""

from testproject.conduit.models import Article, Comment, Tag, User
from testproject.conduit.schemas import (
    ArticleQuery,
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

    def get(self, query: ArticleQuery) -> Response[Articles]:
        """List articles, the latest first."""
        page = ArticleSchema.serialize(query)
        return Response({"articles": page, "articlesCount": query.count()})

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
