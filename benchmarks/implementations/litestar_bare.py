"""Litestar as its documentation has it: parameters, msgspec, sessions of SQLAlchemy."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Litestar, get, post
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.params import Parameter
from sqlalchemy.orm import Session

from benchmarks.implementations import alchemy
from benchmarks.implementations.raw import Order


class Author(msgspec.Struct):
    """An author."""

    username: str
    bio: str
    image: str | None


class Article(msgspec.Struct):
    """An article."""

    slug: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    comments_count: int
    author: Author
    tags: list[str]


class Item(msgspec.Struct):
    """The parameters of an item."""

    id: int
    q: str
    limit: int


def shown(article: alchemy.Article) -> Article:
    """Return what an article shows."""
    author = article.author
    return Article(
        slug=article.slug,
        title=article.title,
        description=article.description,
        created_at=article.created_at,
        updated_at=article.updated_at,
        comments_count=article.comments_count,
        author=Author(username=author.username, bio=author.bio, image=author.image),
        tags=[tag.name for tag in article.tags],
    )


def session() -> Iterator[Session]:
    """Give a session for one request."""
    with alchemy.Session() as found:
        yield found


@get("/api/hello")
async def hello() -> dict[str, str]:
    """Answer hello."""
    return {"message": "hello"}


@get("/api/items/{id:int}")
async def item(
    id: int,  # noqa: A002
    q: str,
    limit: Annotated[int, Parameter(ge=1, le=100)],
) -> Item:
    """Answer params."""
    return Item(id=id, q=q, limit=limit)


@post("/api/orders", status_code=200)
async def orders(data: Order) -> Order:
    """Answer body."""
    return data


@get("/api/articles", sync_to_thread=True)
def newest(db: Session) -> list[Article]:
    """Answer list."""
    return [shown(article) for article in alchemy.newest(db)]


@get("/api/articles/{id:int}", sync_to_thread=True)
def one(id: int, db: Session) -> Article:  # noqa: A002
    """Answer detail."""
    found: Any = alchemy.one(db, id)
    if found is None:
        raise NotFoundException
    return shown(found)


app = Litestar(
    [hello, item, orders, newest, one],
    dependencies={"db": Provide(session, sync_to_thread=False)},
    openapi_config=None,
)
