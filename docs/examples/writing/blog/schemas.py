"""What the API of the blog reads, takes and lets clients ask for."""

from datetime import datetime

from blog.models import Article, Author, Link, Tag
from django.db.models import Count
from utilmeta.core import orm


class Keyed(orm.Schema):
    """What schemas of all models share; each gives it its own."""

    id: int


class LinkSchema(Keyed[Link]):
    url: str
    position: int


class AuthorSchema(Keyed[Author]):
    name: str
    articles: int = Count("articles")


class TagSchema(Keyed[Tag]):
    name: str


class ArticleSchema(Keyed[Article]):
    slug: str
    title: str
    body: str
    status: str
    author: AuthorSchema
    author_id: int = orm.Field(mode="a", no_input=True)
    tags: list[int]
    tag_names: list[str] = orm.Field("tags.name", alias="tagNames")
    links: list[LinkSchema] = orm.Field(on_write="replace")
    created_at: datetime = orm.Field(alias="createdAt")
    version: int = orm.Field(version=True)


class ArticleQuery(orm.Query[Article]):
    status: str
    author: str = orm.Filter("author.name")
    tag: list[str] = orm.Filter("tags.name")
    since: datetime = orm.Filter("created_at__gte")
    search: str = orm.Search("title", "body")
    order: list[str] = orm.OrderBy(
        {"created": "created_at", "title": "title", "links": Count("links")}, default="-created"
    )
    page: int = orm.Page()
    limit: int = orm.Limit(20, le=100)
    fields: list[str] = orm.Scope()
