"""Flask alone: views by hand."""

from flask import Flask, Response, request
from pydantic import ValidationError
from pydantic_core import to_json

from benchmarks.implementations import handmade
from benchmarks.implementations.middleware import flask_stamp, wanted
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import ITEM, NEW_ARTICLE, NEW_ARTICLES, ORDER

app = Flask(__name__)
if wanted():
    app.after_request(flask_stamp)


def answer(body: bytes | None, status: int = 200) -> Response:
    """Return JSON, or 404 for None."""
    if body is None:
        return Response(b"{}", 404, content_type="application/json")
    return Response(body, status, content_type="application/json")


@app.errorhandler(ValidationError)
def fault(error: ValidationError) -> Response:
    """Return the answer to what is invalid."""
    return answer(error.json(include_url=False).encode(), 422)


def thing(**values: object) -> Response:
    """Answer one of many routes."""
    return answer(handmade.encode(values))


for name, is_dynamic in extra_routes():
    rule = f"/api/{name}/<int:id>" if is_dynamic else f"/api/{name}"
    app.add_url_rule(rule, endpoint=name, view_func=thing)


@app.get("/api/hello")
def hello() -> Response:
    """Answer hello."""
    return answer(handmade.encode({"message": "hello"}))


@app.get("/api/items/<int:id>")
def item(id: int) -> Response:  # noqa: A002
    """Answer params."""
    return answer(handmade.encode(ITEM.validate_python({"id": id, **request.args.to_dict()})))


@app.post("/api/orders")
def orders() -> Response:
    """Answer body."""
    return answer(to_json(ORDER.validate_json(request.get_data())))


@app.get("/api/articles")
def articles() -> Response:
    """Answer list."""
    return answer(handmade.newest())


@app.get("/api/articles/<int:id>")
def article(id: int) -> Response:  # noqa: A002
    """Answer detail."""
    return answer(handmade.one(id))


@app.post("/api/articles")
def create() -> Response:
    """Answer create."""
    return answer(handmade.create(NEW_ARTICLE.validate_json(request.get_data())), 201)


@app.post("/api/articles/bulk")
def bulk() -> Response:
    """Answer bulk."""
    return answer(handmade.create_many(NEW_ARTICLES.validate_json(request.get_data())), 201)


@app.get("/api/slow")
def slow() -> Response:
    """Answer slow."""
    return answer(handmade.slow())


@app.get("/api/stream")
def stream() -> Response:
    """Answer stream."""
    return Response(handmade.lines(), content_type="application/jsonl")
