"""The RealWorld API: https://realworld-docs.netlify.app."""

from typing import Annotated

from django.db.models import QuerySet

from testproject.conduit import articles
from testproject.conduit.errors import Errors, explain
from testproject.conduit.models import Article, Comment, Favorite, Follow, Tag, User
from testproject.conduit.schemas import (
    Account,
    ArticleChanges,
    ArticleQuery,
    Articles,
    ArticleSchema,
    Comments,
    CommentSchema,
    Credentials,
    FeedQuery,
    FullArticleSchema,
    NewArticle,
    OneAccount,
    OneArticle,
    OneComment,
    OneProfile,
    ProfileSchema,
    Tags,
    UserSchema,
)
from testproject.conduit.users import users
from utilmeta.core import api, auth, orm, request
from utilmeta.core.response import Response
from utilmeta.utils import exceptions

may_change_article = auth.Require(
    auth.Owns("author").on(Article, slug="slug"), message="article forbidden"
)


class AccountAPI(api.API):
    """What has to do with the account of the user who asks."""

    def answer(self, user: User) -> OneAccount:
        """Return a user's account with a new token."""
        users.login_user(self.request, user)
        return OneAccount(user=Account.model_validate(user))


class UsersAPI(AccountAPI):
    """Registering and logging in."""

    @api.post("", status=201)
    def register(self, user: Annotated[UserSchema, orm.A] = request.BodyParam) -> OneAccount:
        """Make an account."""
        return self.answer(user.save().get_instance())

    @api.post
    def login(self, user: Credentials = request.BodyParam) -> OneAccount:
        """Log in."""
        found = users.authenticate(self.request, user.email, user.password)
        if found is None:
            raise exceptions.Unauthorized("credentials invalid", challenge="Token")
        return self.answer(found)


class UserAPI(AccountAPI):
    """The user who asks."""

    me: User = users

    def get(self) -> OneAccount:
        """Return the account."""
        return self.answer(self.me)

    def put(self, user: Annotated[UserSchema, orm.WP] = request.BodyParam) -> OneAccount:
        """Change what is sent of the account."""
        user.pk = self.me.pk
        return self.answer(user.save().get_instance())


class ProfileAPI(api.API):
    """Profiles of users."""

    viewer: User | None = users

    @api.get("{username}")
    def detail(self, username: str) -> OneProfile:
        """Return a profile."""
        return self.answer(self.find(username))

    @api.post("{username}/follow")
    @orm.Atomic()
    def follow(self, username: str, user: User = users) -> OneProfile:
        """Follow a user; following again changes nothing."""
        followed = self.find(username)
        if followed == user:
            raise exceptions.UnprocessableEntity("profile can't be your own")
        Follow.objects.get_or_create(follower=user, followed=followed)
        return self.answer(followed)

    @api.delete("{username}/follow")
    def unfollow(self, username: str, user: User = users) -> OneProfile:
        """Follow a user no longer."""
        followed = self.find(username)
        Follow.objects.filter(follower=user, followed=followed).delete()
        return self.answer(followed)

    def find(self, username: str) -> User:
        """Return the user of a name."""
        found = User.objects.filter(username=username).first()
        if found is None:
            raise exceptions.NotFound("profile not found")
        return found

    def answer(self, user: User) -> OneProfile:
        """Return the profile of a user as the viewer sees it."""
        return OneProfile(profile=ProfileSchema.init(user))


@api.route("{slug}/comments")
class CommentAPI(api.API):
    """Comments of an article."""

    slug: str = request.PathParam

    def get(self) -> Response[Comments]:
        """List the comments, the latest first."""
        comments = Comment.objects.filter(article=articles.find(self.slug))
        return Response({"comments": CommentSchema.serialize(comments)})

    @api.post("", status=201)
    def create(
        self,
        comment: Annotated[CommentSchema, orm.A] = request.BodyParam,
        user: User = users,
    ) -> OneComment:
        """Add a comment."""
        comment.article_id = articles.find(self.slug).pk
        comment.author_id = user.pk
        return OneComment(comment=CommentSchema.init(comment.save().pk))

    @api.delete("{id}")
    def remove(self, id: int, user: User = users) -> None:  # noqa: A002 - RealWorld's name
        """Delete a comment of one's own."""
        comment = articles.find(self.slug).comments.filter(pk=id).first()
        if comment is None:
            raise exceptions.NotFound("comment not found")
        if comment.author != user:
            raise exceptions.PermissionDenied("comment forbidden")
        comment.delete()


class ArticleAPI(api.API):
    """Articles."""

    comments: CommentAPI
    viewer: User | None = users

    def get(self, query: ArticleQuery) -> Response[Articles]:
        """List articles, the latest first."""
        return self.page(query)

    @api.get
    def feed(self, query: FeedQuery, user: User = users) -> Response[Articles]:
        """List articles of the users one follows."""
        return self.page(query, Article.objects.filter(author__followers=user))

    @api.post("", status=201)
    @orm.Atomic()
    def create(self, article: NewArticle = request.BodyParam, user: User = users) -> OneArticle:
        """Publish an article."""
        made = Article(author=user)
        articles.write(made, article)
        return self.answer(pk=made.pk)

    @api.get("{slug}")
    def detail(self, slug: str) -> OneArticle:
        """Return one article."""
        return self.answer(slug=slug)

    @api.put("{slug}")
    @may_change_article
    @orm.Atomic()
    def change(
        self, slug: str, article: ArticleChanges = request.BodyParam, user: User = users
    ) -> OneArticle:
        """Change what is sent of an article; a new title makes a new slug."""
        found = articles.find(slug, lock=True)
        articles.write(found, article)
        return self.answer(pk=found.pk)

    @api.delete("{slug}")
    @may_change_article
    @orm.Atomic()
    def remove(self, slug: str, user: User = users) -> None:
        """Delete an article."""
        articles.find(slug, lock=True).delete()

    @api.post("{slug}/favorite")
    @orm.Atomic()
    def favor(self, slug: str, user: User = users) -> OneArticle:
        """Make an article one's favorite; doing so again changes nothing."""
        Favorite.objects.get_or_create(article=articles.find(slug), user=user)
        return self.answer(slug=slug)

    @api.delete("{slug}/favorite")
    def disfavor(self, slug: str, user: User = users) -> OneArticle:
        """Make an article one's favorite no longer."""
        Favorite.objects.filter(article=articles.find(slug), user=user).delete()
        return self.answer(slug=slug)

    def answer(self, **lookup: object) -> OneArticle:
        """Return the article that is looked up, as the viewer sees it."""
        return OneArticle(article=FullArticleSchema.init(Article.objects.filter(**lookup)))

    def page(self, query: FeedQuery, base: QuerySet[Article] | None = None) -> Response[Articles]:
        """Return the articles that are asked for, and how many there are on all pages."""
        page = ArticleSchema.serialize(query.get_queryset(base))
        return Response({"articles": page, "articlesCount": query.count(base)})


class TagAPI(api.API):
    """Tags."""

    def get(self) -> Tags:
        """List the names of all tags."""
        return Tags(tags=list(Tag.objects.values_list("name", flat=True)))


class RootAPI(api.API):
    """Everything below `/api`."""

    users: UsersAPI
    user: UserAPI
    profiles: ProfileAPI
    articles: ArticleAPI
    tags: TagAPI

    @api.handle(exceptions.ClientError)
    def refuse(self, error: api.Error) -> Response[Errors]:
        """Answer requests that are at fault in RealWorld's form."""
        return explain(error)
