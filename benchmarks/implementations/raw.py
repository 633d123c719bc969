"""What the floor validates: the same rules as `shapes`, as msgspec types."""

from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

encode = msgspec.json.Encoder().encode


class Customer(msgspec.Struct):
    """Who orders."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    email: Annotated[str, Meta(max_length=200)]
    vip: bool = False


class Line(msgspec.Struct):
    """How many of what."""

    sku: Annotated[str, Meta(min_length=1, max_length=50)]
    quantity: Annotated[int, Meta(ge=1, le=1000)]
    price: Annotated[float, Meta(ge=0)]


class Order(msgspec.Struct):
    """An order."""

    customer: Customer
    lines: Annotated[list[Line], Meta(min_length=1, max_length=100)]
    note: str | None = None


class NewArticle(msgspec.Struct):
    """An article to be made."""

    author_id: int
    slug: Annotated[str, Meta(max_length=255, pattern=r"^[-a-zA-Z0-9_]+$")]
    title: Annotated[str, Meta(max_length=200)]
    description: str
    body: str


order = msgspec.json.Decoder(Order).decode
new_article = msgspec.json.Decoder(NewArticle).decode
new_articles = msgspec.json.Decoder(list[NewArticle]).decode


def item(key: str, query: str) -> bytes:
    """Return the answer of params.

    Raises:
        ValueError: a parameter is wrong.
    """
    values = parse_qs(query)
    limit = int(values["limit"][0])
    if not 1 <= limit <= 100:
        raise ValueError("limit is from 1 to 100")
    return encode({"id": int(key), "q": values["q"][0], "limit": limit})


def fault(error: Exception) -> bytes:
    """Return the answer to what is invalid."""
    return encode({"error": str(error)})
