"""Endpoints: paths, parameters, bodies, nested APIs, streams and errors."""

import os
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, Field
from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.utils import exceptions


class Book(BaseModel):
    title: str = Field(min_length=1)
    pages: int = Field(gt=0)
    tags: list[str] = []


SHELF = {1: Book(title="Utopia", pages=200, tags=["old"])}


@api.route("{id}/notes")
class NoteAPI(api.API):
    id: int = request.PathParam(ge=1)

    def get(self):
        return {"book": self.id, "notes": []}


class BookAPI(api.API):
    notes: NoteAPI

    def get(
        self,
        tags: list[str] = request.QueryParam(default_factory=list),
        limit: Annotated[int, request.QueryParam(le=100)] = 10,
    ):
        books = [book for book in SHELF.values() if set(tags) <= set(book.tags)]
        return books[:limit]

    @api.get("{id}")
    def one(self, id: int):
        if id not in SHELF:
            raise exceptions.NotFound("no such book")
        return SHELF[id]

    @api.post(status=201)
    def add(self, book: Book):
        return book

    @api.patch("{id}")
    def rename(self, id: int, title: str = request.BodyParam(min_length=1)):
        return {"id": id, "title": title}

    @api.get("{id}/cover")
    def cover(self, id: int):
        response = Response(b"\x89PNG", content_type="image/png")
        response.set_cookie("seen", str(id), max_age=3600)
        return response


class RootAPI(api.API):
    books: BookAPI

    @api.get
    def count(self, upto: int = 3) -> Iterator[str]:
        for number in range(upto):
            yield f"{number}\n"

    @api.post
    def size(self, body: bytes = request.Body(max_length=1_000_000)):
        return {"bytes": len(body)}


service = UtilMeta(
    __name__,
    name="library",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
app = service.application()

if __name__ == "__main__":
    service.run()
