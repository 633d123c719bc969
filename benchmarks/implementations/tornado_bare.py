"""Tornado alone: handlers by hand, and threads of the loop's pool for Django's ORM."""

import asyncio

from pydantic import ValidationError
from pydantic_core import to_json
from tornado.web import Application, RequestHandler

from benchmarks.implementations import handmade
from benchmarks.implementations.routes import extra_routes
from benchmarks.implementations.shapes import ITEM, NEW_ARTICLE, NEW_ARTICLES, ORDER


class Handler(RequestHandler):
    """Answers JSON."""

    def answer(self, body: bytes | None, status: int = 200) -> None:
        """Send JSON, or 404 for None."""
        self.set_status(404 if body is None else status)
        self.set_header("Content-Type", "application/json")
        self.finish(b"{}" if body is None else body)

    def fault(self, error: ValidationError) -> None:
        """Send the answer to what is invalid."""
        self.answer(error.json(include_url=False).encode(), 422)


class Thing(Handler):
    """One of many routes."""

    def get(self, *values: str) -> None:
        """Answer."""
        self.answer(handmade.encode(values))


class Hello(Handler):
    """Answers hello."""

    def get(self) -> None:
        """Answer."""
        self.answer(handmade.encode({"message": "hello"}))


class Item(Handler):
    """Answers params."""

    def get(self, key: str) -> None:
        """Answer."""
        sent = {name: values[-1].decode() for name, values in self.request.arguments.items()}
        try:
            values = ITEM.validate_python({"id": key, **sent})
        except ValidationError as error:
            self.fault(error)
        else:
            self.answer(handmade.encode(values))


class Orders(Handler):
    """Answers body."""

    def post(self) -> None:
        """Answer."""
        try:
            order = ORDER.validate_json(self.request.body)
        except ValidationError as error:
            self.fault(error)
        else:
            self.answer(to_json(order))


class Articles(Handler):
    """Answers list and create."""

    async def get(self) -> None:
        """Answer list."""
        self.answer(await asyncio.to_thread(handmade.newest))

    async def post(self) -> None:
        """Answer create."""
        try:
            row = NEW_ARTICLE.validate_json(self.request.body)
        except ValidationError as error:
            self.fault(error)
        else:
            self.answer(await asyncio.to_thread(handmade.create, row), 201)


class Bulk(Handler):
    """Answers bulk."""

    async def post(self) -> None:
        """Answer."""
        try:
            rows = NEW_ARTICLES.validate_json(self.request.body)
        except ValidationError as error:
            self.fault(error)
        else:
            self.answer(await asyncio.to_thread(handmade.create_many, rows), 201)


class Article(Handler):
    """Answers detail."""

    async def get(self, key: str) -> None:
        """Answer."""
        self.answer(await asyncio.to_thread(handmade.one, int(key)))


class Slow(Handler):
    """Answers slow."""

    async def get(self) -> None:
        """Answer."""
        self.answer(await asyncio.to_thread(handmade.slow))


class Stream(Handler):
    """Answers stream."""

    async def get(self) -> None:
        """Answer, a hundred lines from a thread at a time."""
        self.set_header("Content-Type", "application/jsonl")
        lines = handmade.lines()
        while chunk := await asyncio.to_thread(next, lines, b""):
            self.write(chunk)
            await self.flush()


app = Application(
    [
        *(
            (f"/api/{name}/([0-9]+)" if is_dynamic else f"/api/{name}", Thing)
            for name, is_dynamic in extra_routes()
        ),
        ("/api/hello", Hello),
        ("/api/items/([0-9]+)", Item),
        ("/api/orders", Orders),
        ("/api/articles", Articles),
        ("/api/articles/bulk", Bulk),
        ("/api/articles/([0-9]+)", Article),
        ("/api/slow", Slow),
        ("/api/stream", Stream),
    ],
    # Tornado logs each request unless it is given something else to do.
    log_function=lambda handler: None,
)
