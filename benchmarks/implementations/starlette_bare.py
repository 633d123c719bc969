"""Starlette alone: async handlers, and threads of its pool for Django's ORM."""

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.implementations import handmade
from benchmarks.implementations.middleware import ASGIStamp, wanted
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import ITEM, NEW_ARTICLE, NEW_ARTICLES, ORDER


def answer(body: bytes | None, status: int = 200) -> Response:
    """Return JSON, or 404 for None."""
    if body is None:
        return Response(b"{}", 404, media_type="application/json")
    return Response(body, status, media_type="application/json")


def fault(error: ValidationError) -> Response:
    """Return the answer to what is invalid."""
    return answer(error.json(include_url=False).encode(), 422)


async def thing(request: Request) -> Response:
    """Answer one of many routes."""
    return answer(handmade.encode(request.path_params))


async def hello(request: Request) -> Response:
    """Answer hello."""
    return answer(handmade.encode({"message": "hello"}))


async def item(request: Request) -> Response:
    """Answer params."""
    try:
        values = ITEM.validate_python({**request.path_params, **request.query_params})
    except ValidationError as error:
        return fault(error)
    return answer(handmade.encode(values))


async def orders(request: Request) -> Response:
    """Answer body."""
    try:
        order = ORDER.validate_json(await request.body())
    except ValidationError as error:
        return fault(error)
    return answer(to_json(order))


def articles(request: Request) -> Response:
    """Answer list, on a thread."""
    return answer(handmade.newest())


def article(request: Request) -> Response:
    """Answer detail, on a thread."""
    return answer(handmade.one(request.path_params["id"]))


async def create(request: Request) -> Response:
    """Answer create."""
    try:
        row = NEW_ARTICLE.validate_json(await request.body())
    except ValidationError as error:
        return fault(error)
    return answer(await run_in_threadpool(handmade.create, row), 201)


async def bulk(request: Request) -> Response:
    """Answer bulk."""
    try:
        rows = NEW_ARTICLES.validate_json(await request.body())
    except ValidationError as error:
        return fault(error)
    return answer(await run_in_threadpool(handmade.create_many, rows), 201)


def slow(request: Request) -> Response:
    """Answer slow, on a thread."""
    return answer(handmade.slow())


def stream(request: Request) -> Response:
    """Answer stream, a hundred lines from a thread at a time."""
    return StreamingResponse(handmade.lines(), media_type="application/jsonl")


app = Starlette(
    routes=[
        *(
            Route(f"/api/{name}/{{id:int}}" if is_dynamic else f"/api/{name}", thing)
            for name, is_dynamic in extra_routes()
        ),
        Route("/api/hello", hello),
        Route("/api/items/{id:int}", item),
        Route("/api/orders", orders, methods=["POST"]),
        Route("/api/articles", articles),
        Route("/api/articles", create, methods=["POST"]),
        Route("/api/articles/bulk", bulk, methods=["POST"]),
        Route("/api/articles/{id:int}", article),
        Route("/api/slow", slow),
        Route("/api/stream", stream),
    ],
    middleware=[Middleware(ASGIStamp)] if wanted() else [],
)
