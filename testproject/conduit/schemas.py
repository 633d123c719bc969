"""What the API answers and takes, as typed views of the models."""

from datetime import datetime
from typing import Annotated

from django.db.models import Count, Exists, OuterRef, TextField, Value
from django.db.models.functions import NullIf
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from testproject.conduit.models import (
    TAG_MAX_LENGTH,
    TITLE_MAX_LENGTH,
    Article,
    Comment,
    Favorite,
    Follow,
    User,
)
from utilmeta.core import orm, request

# Text with something to read in it, and without the NUL that PostgreSQL does not keep.
Text = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


class UserSchema(orm.Schema[User]):
    """An account, as its owner makes and changes it."""

    email: str = orm.Field(min_length=1)
    username: str = orm.Field(min_length=1)
    password: str = orm.Field(min_length=1)
    # No biography is an empty one in the database, and null for clients.
    bio: Annotated[str | None, AfterValidator(lambda text: text or "")] = ""
    image: str | None = None

    @field_validator("image", mode="before")
    @classmethod
    def no_image(cls, address: object) -> object:
        """Take an empty address as none."""
        return None if address == "" else address


class Account(BaseModel):
    """The account of the user who asks, with a token for the next requests."""

    model_config = ConfigDict(from_attributes=True)

    email: str
    token: str
    username: str
    bio: Annotated[str | None, BeforeValidator(lambda text: text or None)]
    image: str | None


class Credentials(BaseModel):
    """What a user logs in with."""

    email: str = Field(min_length=1)
    password: str = Field(min_length=1)


class ProfileSchema(orm.Schema[User]):
    """A user, as others see them."""

    username: str
    bio: str | None = orm.Field(NullIf("bio", Value("", output_field=TextField())))
    image: str | None
    following: bool = orm.Field(
        Exists(Follow.objects.filter(followed=OuterRef("pk"), follower=request.var.user_id))
    )


class ArticleSchema(orm.Schema[Article]):
    """An article without its body, as lists show it."""

    slug: str
    title: str
    description: str
    tag_list: list[str] = orm.Field("tags.name", alias="tagList")
    created_at: datetime = orm.Field(alias="createdAt")
    updated_at: datetime = orm.Field(alias="updatedAt")
    favorited: bool = orm.Field(
        Exists(Favorite.objects.filter(article=OuterRef("pk"), user=request.var.user_id))
    )
    favorites_count: int = orm.Field(Count("favorited_by"), alias="favoritesCount")
    author: ProfileSchema


class FullArticleSchema(ArticleSchema):
    """An article with its body."""

    body: str


class NewArticle(BaseModel):
    """An article, as its author sends it."""

    title: Annotated[Text, Field(max_length=TITLE_MAX_LENGTH)]
    description: Text
    body: Text
    tag_list: list[Annotated[Text, Field(max_length=TAG_MAX_LENGTH)]] = Field([], alias="tagList")


class ArticleChanges(NewArticle):
    """What an author changes; what is left out stays as it is."""

    title: Annotated[Text, Field(max_length=TITLE_MAX_LENGTH)] = request.Unset
    description: Text = request.Unset
    body: Text = request.Unset


class FeedQuery(orm.Query[Article]):
    """Which page of articles is meant."""

    limit: int = orm.Limit(20, ge=1, le=100)
    offset: int = orm.Offset(0, le=1_000_000)


class ArticleQuery(FeedQuery):
    """Which articles are listed."""

    tag: str = orm.Filter("tags.name")
    author: str = orm.Filter("author.username")
    favorited: str = orm.Filter("favorited_by.username")


class CommentSchema(orm.Schema[Comment]):
    """A comment and who wrote it."""

    id: int
    created_at: datetime = orm.Field(mode="r", alias="createdAt")
    updated_at: datetime = orm.Field(alias="updatedAt")
    body: Text
    author: ProfileSchema
    # Code says of which article and whose a new comment is.
    article_id: int = orm.Field(mode="a", no_input=True)
    author_id: int = orm.Field(mode="a", no_input=True)


class OneAccount(BaseModel):
    """The account of the user who asks."""

    user: Account


class OneProfile(BaseModel):
    """One profile."""

    profile: ProfileSchema


class OneArticle(BaseModel):
    """One article."""

    article: FullArticleSchema


class Articles(BaseModel):
    """A page of articles."""

    articles: list[ArticleSchema]
    articles_count: int = Field(alias="articlesCount", description="of all pages")


class OneComment(BaseModel):
    """One comment."""

    comment: CommentSchema


class Comments(BaseModel):
    """The comments of an article."""

    comments: list[CommentSchema]


class Tags(BaseModel):
    """The names of all tags."""

    tags: list[str]
