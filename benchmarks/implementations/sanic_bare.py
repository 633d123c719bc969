"""Sanic alone: async handlers, and threads of the loop's pool for Django's ORM."""

import asyncio

from pydantic import ValidationError
from pydantic_core import to_json
from sanic import HTTPResponse, Request, Sanic

from benchmarks.implementations import handmade
from benchmarks.implementations.middleware import sanic_stamp, wanted
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import ITEM, NEW_ARTICLE, NEW_ARTICLES, ORDER

app = Sanic("bare", configure_logging=False)
app.config.ACCESS_LOG = False
if wanted():
    app.register_middleware(sanic_stamp, "response")


def answer(body: bytes | None, status: int = 200) -> HTTPResponse:
    """Return JSON, or 404 for None."""
    if body is None:
        return HTTPResponse(b"{}", 404, content_type="application/json")
    return HTTPResponse(body, status, content_type="application/json")


@app.exception(ValidationError)
async def fault(request: Request, error: ValidationError) -> HTTPResponse:
    """Return the answer to what is invalid."""
    return answer(error.json(include_url=False).encode(), 422)


async def thing(request: Request, **values: object) -> HTTPResponse:
    """Answer one of many routes."""
    return answer(handmade.encode(values))


for extra, is_dynamic in extra_routes():
    app.add_route(thing, f"/api/{extra}/<id:int>" if is_dynamic else f"/api/{extra}", name=extra)


@app.get("/api/hello")
async def hello(request: Request) -> HTTPResponse:
    """Answer hello."""
    return answer(handmade.encode({"message": "hello"}))


@app.get("/api/items/<id:int>")
async def item(request: Request, id: int) -> HTTPResponse:  # noqa: A002
    """Answer params."""
    values = ITEM.validate_python({"id": id, **dict(request.query_args)})
    return answer(handmade.encode(values))


@app.post("/api/orders")
async def orders(request: Request) -> HTTPResponse:
    """Answer body."""
    return answer(to_json(ORDER.validate_json(request.body)))


@app.get("/api/articles")
async def articles(request: Request) -> HTTPResponse:
    """Answer list."""
    return answer(await asyncio.to_thread(handmade.newest))


@app.get("/api/articles/<id:int>")
async def article(request: Request, id: int) -> HTTPResponse:  # noqa: A002
    """Answer detail."""
    return answer(await asyncio.to_thread(handmade.one, id))


@app.post("/api/articles")
async def create(request: Request) -> HTTPResponse:
    """Answer create."""
    row = NEW_ARTICLE.validate_json(request.body)
    return answer(await asyncio.to_thread(handmade.create, row), 201)


@app.post("/api/articles/bulk")
async def bulk(request: Request) -> HTTPResponse:
    """Answer bulk."""
    rows = NEW_ARTICLES.validate_json(request.body)
    return answer(await asyncio.to_thread(handmade.create_many, rows), 201)


@app.get("/api/slow")
async def slow(request: Request) -> HTTPResponse:
    """Answer slow."""
    return answer(await asyncio.to_thread(handmade.slow))


@app.get("/api/stream")
async def stream(request: Request) -> None:
    """Answer stream, a hundred lines from a thread at a time."""
    response = await request.respond(content_type="application/jsonl")
    lines = handmade.lines()
    while chunk := await asyncio.to_thread(next, lines, b""):
        await response.send(chunk)
    await response.eof()
