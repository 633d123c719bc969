"""Django alone, async: views by hand, no middleware."""

from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pydantic import ValidationError
from pydantic_core import to_json

from benchmarks.implementations import handmade
from benchmarks.implementations.django_views import answer, fault
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import ITEM, NEW_ARTICLE, NEW_ARTICLES, ORDER


async def lines() -> AsyncIterator[bytes]:
    """Yield all comments as JSON lines, a hundred from a thread at a time."""
    chunks = handmade.lines()
    while chunk := await sync_to_async(next)(chunks, b""):
        yield chunk


async def hello(request: HttpRequest) -> HttpResponse:
    """Answer hello."""
    return answer(handmade.encode({"message": "hello"}))


async def item(request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
    """Answer params."""
    try:
        values = ITEM.validate_python({"id": id, **request.GET.dict()})
    except ValidationError as error:
        return fault(error)
    return answer(handmade.encode(values))


async def orders(request: HttpRequest) -> HttpResponse:
    """Answer body."""
    try:
        order = ORDER.validate_json(request.body)
    except ValidationError as error:
        return fault(error)
    return answer(to_json(order))


async def articles(request: HttpRequest) -> HttpResponse:
    """Answer list and create."""
    if request.method == "GET":
        return answer(await sync_to_async(handmade.newest)())
    try:
        article = NEW_ARTICLE.validate_json(request.body)
    except ValidationError as error:
        return fault(error)
    return answer(await sync_to_async(handmade.create)(article), 201)


async def article(request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
    """Answer detail."""
    return answer(await sync_to_async(handmade.one)(id))


async def bulk(request: HttpRequest) -> HttpResponse:
    """Answer bulk."""
    try:
        rows = NEW_ARTICLES.validate_json(request.body)
    except ValidationError as error:
        return fault(error)
    return answer(await sync_to_async(handmade.create_many)(rows), 201)


async def slow(request: HttpRequest) -> HttpResponse:
    """Answer slow."""
    return answer(await sync_to_async(handmade.slow)())


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Answer stream."""
    return StreamingHttpResponse(lines(), content_type="application/jsonl")


async def thing(request: HttpRequest, **values: Any) -> HttpResponse:
    """Answer one of many routes."""
    return answer(handmade.encode(values))


urlpatterns = [
    *(
        path(f"api/{name}/<int:id>" if is_dynamic else f"api/{name}", thing)
        for name, is_dynamic in extra_routes()
    ),
    path("api/hello", hello),
    path("api/items/<int:id>", item),
    path("api/orders", orders),
    path("api/articles", articles),
    path("api/articles/bulk", bulk),
    path("api/articles/<int:id>", article),
    path("api/slow", slow),
    path("api/stream", stream),
]
