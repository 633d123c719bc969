"""The floor of WSGI: a function that compares paths, raw SQL, msgspec."""

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.implementations import raw, raw_sql


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    path = environ["PATH_INFO"]
    if path == "/api/stream":
        start_response("200 OK", [("Content-Type", "application/jsonl")])
        return raw_sql.lines()
    status = "200 OK"
    try:
        if environ["REQUEST_METHOD"] == "POST":
            body = posted(path, environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        else:
            body = got(path, environ["QUERY_STRING"])
    except ValueError as error:
        status, body = "400 Bad Request", raw.fault(error)
    if body is None:
        status, body = "404 Not Found", b"{}"
    start_response(
        status,
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


def got(path: str, query: str) -> bytes | None:
    """Return the answer to a GET; None when there is nothing."""
    if path == "/api/hello":
        return raw.encode({"message": "hello"})
    if path.startswith("/api/items/"):
        return raw.item(path[11:], query)
    if path == "/api/articles":
        return raw_sql.newest()
    if path.startswith("/api/articles/"):
        return raw_sql.one(int(path[14:]))
    return raw_sql.slow() if path == "/api/slow" else None


def posted(path: str, body: bytes) -> bytes | None:
    """Return the answer to a POST; None when there is nothing."""
    if path == "/api/orders":
        return raw.encode(raw.order(body))
    if path == "/api/articles":
        return raw_sql.create(raw.new_article(body))
    if path == "/api/articles/bulk":
        return raw_sql.create_many(raw.new_articles(body))
    return None
