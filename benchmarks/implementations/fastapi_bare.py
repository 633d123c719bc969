"""FastAPI as its documentation has it: parameters, models of pydantic, sessions of SQLAlchemy."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy.orm import Session

from benchmarks.implementations import alchemy
from benchmarks.implementations.middleware import ASGIStamp, wanted
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import NewArticle, Order


class AuthorOut(BaseModel):
    """An author."""

    model_config = ConfigDict(from_attributes=True)

    username: str
    bio: str
    image: str | None


class ArticleOut(BaseModel):
    """An article."""

    model_config = ConfigDict(from_attributes=True)

    slug: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    comments_count: int
    author: AuthorOut
    tags: list[str]

    @field_validator("tags", mode="before")
    @classmethod
    def names(cls, tags: list[Any]) -> list[str]:
        """Return the names of tags."""
        return [tag.name for tag in tags]


class Made(BaseModel):
    """An article that was made."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    slug: str


class Item(BaseModel):
    """The parameters of an item."""

    id: int
    q: str
    limit: int


def session() -> Iterator[Session]:
    """Give a session for one request."""
    with alchemy.Session() as found:
        yield found


InSession = Annotated[Session, Depends(session)]

app = FastAPI(openapi_url=None)
if wanted():
    app.add_middleware(ASGIStamp)


async def thing() -> dict[str, int]:
    """Answer one of many routes."""
    return {}


async def dynamic_thing(id: int) -> dict[str, int]:  # noqa: A002
    """Answer one of many routes."""
    return {"id": id}


for name, is_dynamic in extra_routes():
    if is_dynamic:
        app.get(f"/api/{name}/{{id}}")(dynamic_thing)
    else:
        app.get(f"/api/{name}")(thing)


@app.get("/api/hello")
async def hello() -> dict[str, str]:
    """Answer hello."""
    return {"message": "hello"}


@app.get("/api/items/{id}")
async def item(
    id: Annotated[int, Path()],  # noqa: A002
    q: str,
    limit: Annotated[int, Query(ge=1, le=100)],
) -> Item:
    """Answer params."""
    return Item(id=id, q=q, limit=limit)


@app.post("/api/orders")
async def orders(order: Order) -> Order:
    """Answer body."""
    return order


@app.get("/api/articles", response_model=list[ArticleOut])
def newest(session: InSession) -> Any:
    """Answer list."""
    return alchemy.newest(session)


@app.get("/api/articles/{id}", response_model=ArticleOut)
def one(id: int, session: InSession) -> Any:  # noqa: A002
    """Answer detail."""
    found = alchemy.one(session, id)
    if found is None:
        raise HTTPException(404)
    return found


@app.post("/api/articles", status_code=201, response_model=Made)
def create(article: NewArticle, session: InSession) -> Any:
    """Answer create."""
    return alchemy.create(session, article.model_dump())


@app.post("/api/articles/bulk", status_code=201, response_model=list[Made])
def bulk(rows: list[NewArticle], session: InSession) -> Any:
    """Answer bulk."""
    return alchemy.create_many(session, [row.model_dump() for row in rows])


@app.get("/api/slow")
def slow(session: InSession) -> dict[str, bool]:
    """Answer slow."""
    alchemy.slow(session)
    return {"slept": True}


@app.get("/api/stream")
def stream() -> StreamingResponse:
    """Answer stream."""
    return StreamingResponse(alchemy.lines(), media_type="application/jsonl")
