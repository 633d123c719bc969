"""What the API reads and takes, as typed views of the models."""

from datetime import datetime

from django.db.models import Count, Value
from pydantic import BaseModel, Field

from testproject.conduit.models import Article, Comment, User
from utilmeta.core import orm


class ProfileSchema(orm.Schema[User]):
    """Another user, as an anonymous visitor sees them."""

    username: str
    bio: str
    image: str | None
    following: bool = orm.Field(Value(value=False))


class ArticleSchema(orm.Schema[Article]):
    """An article without its body, as lists show it."""

    slug: str
    title: str
    description: str
    tag_list: list[str] = orm.Field("tags.name", alias="tagList")
    created_at: datetime = orm.Field(alias="createdAt")
    updated_at: datetime = orm.Field(alias="updatedAt")
    favorited: bool = orm.Field(Value(value=False))
    favorites_count: int = orm.Field(Count("favorited_by"), alias="favoritesCount")
    author: ProfileSchema


class FullArticleSchema(ArticleSchema):
    """An article with its body."""

    body: str


class ArticleQuery(orm.Query[Article]):
    """Which articles are listed."""

    tag: str = orm.Filter("tags.name")
    author: str = orm.Filter("author.username")
    favorited: str = orm.Filter("favorited_by.username")
    limit: int = orm.Limit(20, le=100)
    offset: int = orm.Offset(0, le=1_000_000)


class CommentSchema(orm.Schema[Comment]):
    """A comment and who wrote it."""

    id: int
    created_at: datetime = orm.Field(alias="createdAt")
    updated_at: datetime = orm.Field(alias="updatedAt")
    body: str
    author: ProfileSchema


class Articles(BaseModel):
    """A page of articles."""

    articles: list[ArticleSchema]
    articles_count: int = Field(alias="articlesCount", description="of all pages")


class OneArticle(BaseModel):
    """One article."""

    article: FullArticleSchema


class OneComment(BaseModel):
    """One comment."""

    comment: CommentSchema


class OneProfile(BaseModel):
    """One profile."""

    profile: ProfileSchema


class Tags(BaseModel):
    """The names of all tags."""

    tags: list[str]


class NewComment(BaseModel):
    """A comment to be written; its author is named, as nobody can log in yet."""

    body: str = Field(min_length=1, max_length=10_000)
    author: str = Field(max_length=150)
