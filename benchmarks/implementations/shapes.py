"""What comes in, as pydantic types: shared by all implementations that validate with pydantic."""

from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

Limit = Annotated[int, Field(ge=1, le=100)]


class Customer(BaseModel):
    """Who orders."""

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(max_length=200)
    vip: bool = False


class Line(BaseModel):
    """How many of what."""

    sku: str = Field(min_length=1, max_length=50)
    quantity: int = Field(ge=1, le=1000)
    price: float = Field(ge=0)


class Order(BaseModel):
    """An order."""

    customer: Customer
    lines: list[Line] = Field(min_length=1, max_length=100)
    note: str | None = None


class NewArticle(BaseModel):
    """An article to be made."""

    author_id: int
    slug: str = Field(max_length=255, pattern=r"^[-a-zA-Z0-9_]+$")
    title: str = Field(max_length=200)
    description: str
    body: str


class Item(TypedDict):
    """The parameters of an item."""

    id: int
    q: str
    limit: Limit


# Bound methods of adapters are the fastest that pydantic has.
ITEM = TypeAdapter(Item)
ORDER = TypeAdapter(Order)
NEW_ARTICLE = TypeAdapter(NewArticle)
NEW_ARTICLES = TypeAdapter(list[NewArticle])
