"""Django alone, sync: views by hand, no middleware."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pydantic import ValidationError
from pydantic_core import to_json

from benchmarks.implementations import handmade
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import ITEM, NEW_ARTICLE, NEW_ARTICLES, ORDER

JSON = "application/json"


def answer(body: bytes | None, status: int = 200) -> HttpResponse:
    """Return JSON, or 404 for None."""
    if body is None:
        return HttpResponse(b"{}", status=404, content_type=JSON)
    return HttpResponse(body, status=status, content_type=JSON)


def fault(error: ValidationError) -> HttpResponse:
    """Return the answer to what is invalid."""
    return answer(error.json(include_url=False).encode(), 422)


def hello(request: HttpRequest) -> HttpResponse:
    """Answer hello."""
    return answer(handmade.encode({"message": "hello"}))


def item(request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
    """Answer params."""
    try:
        values = ITEM.validate_python({"id": id, **request.GET.dict()})
    except ValidationError as error:
        return fault(error)
    return answer(handmade.encode(values))


def orders(request: HttpRequest) -> HttpResponse:
    """Answer body."""
    try:
        order = ORDER.validate_json(request.body)
    except ValidationError as error:
        return fault(error)
    return answer(to_json(order))


def articles(request: HttpRequest) -> HttpResponse:
    """Answer list and create."""
    if request.method == "GET":
        return answer(handmade.newest())
    try:
        article = NEW_ARTICLE.validate_json(request.body)
    except ValidationError as error:
        return fault(error)
    return answer(handmade.create(article), 201)


def article(request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
    """Answer detail."""
    return answer(handmade.one(id))


def bulk(request: HttpRequest) -> HttpResponse:
    """Answer bulk."""
    try:
        rows = NEW_ARTICLES.validate_json(request.body)
    except ValidationError as error:
        return fault(error)
    return answer(handmade.create_many(rows), 201)


def slow(request: HttpRequest) -> HttpResponse:
    """Answer slow."""
    return answer(handmade.slow())


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Answer stream."""
    return StreamingHttpResponse(handmade.lines(), content_type="application/jsonl")


def thing(request: HttpRequest, **values: Any) -> HttpResponse:
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
