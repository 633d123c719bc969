"""Parameters and bodies: nested queries, forms, uploads, several kinds of body, context values."""

import os
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, Field
from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.core.file import File, FileType, Image


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Price(BaseModel):
    low: int = 0
    high: int | None = None


class Search(BaseModel):
    text: str = Field("", max_length=50)
    sizes: list[Size] = []
    price: Price = Price()


class Item(BaseModel):
    name: str = Field(min_length=1)
    tags: list[str] = []


class ItemAPI(api.API):
    # /api/items/search?text=a&sizes=1,2&price.low=5   or   &price[low]=5
    @api.get
    def search(self, search: Search = request.Query, page: int = request.QueryParam(1, ge=1)):
        return {"search": search, "page": page}

    # JSON by default; a plain form where it says so.
    @api.post
    def add(self, item: Item):
        return item

    @api.post
    def form(self, item: Item = request.Form):
        return item

    # Files come as parts of a form, beside fields or JSON.
    @api.put("{id}/photos")
    def photos(
        self,
        id: int,
        item: Item = request.BodyParam,
        photos: list[FileType("image/*", max_size=2**20)] = request.BodyParam,
    ):
        return {"id": id, "name": item.name, "photos": [photo.size for photo in photos]}

    # Or alone, as the whole body.
    @api.put("{id}/cover")
    def cover(self, id: int, image: Image = request.Body):
        return {"id": id, "type": image.content_type, "bytes": image.size}

    # The media type decides which of the types it is.
    @api.post("import")
    def bulk(
        self,
        body: Annotated[list[Item], request.Json]
        | Annotated[str, request.Body(content_type="text/csv")]
        | Annotated[File, request.Body(content_type="application/zip")] = request.Body,
    ):
        return {"kind": type(body).__name__}

    # "Not sent" is another thing than null.
    @api.patch("{id}")
    def change(self, id: int, note: str | None = request.BodyParam(request.Unset)):
        return {"id": id, "note": "kept" if note is request.Unset else note}

    # Taken from the request, never from what the client sends under that name.
    @api.get
    def whoami(self, ip: str = request.var.ip, user: int | None = request.var.user_id):
        return {"ip": ip, "user": user}


class RootAPI(api.API):
    items: ItemAPI


service = UtilMeta(
    __name__,
    name="items",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
app = service.application()

if __name__ == "__main__":
    service.run()
