"""django-bolt: msgspec structs, relations read at once, its own server (`manage.py runbolt`)."""

from typing import Annotated, Any

from asgiref.sync import sync_to_async
from django_bolt import BoltAPI
from django_bolt.exceptions import NotFound
from django_bolt.param_functions import Query

from benchmarks.implementations.drf import articles
from benchmarks.implementations.modern_rest import Article, Item, shown
from benchmarks.implementations.raw import Order
from benchmarks.workloads import LISTED

api = BoltAPI()


@api.get("/api/hello")
async def hello() -> dict[str, str]:
    """Answer hello."""
    return {"message": "hello"}


@api.get("/api/items/{id}")
async def item(
    id: int,  # noqa: A002
    q: str,
    limit: Annotated[int, Query(ge=1, le=100)],
) -> Item:
    """Answer params."""
    return Item(id=id, q=q, limit=limit)


@api.post("/api/orders")
async def orders(order: Order) -> Order:
    """Answer body."""
    return order


def _newest() -> list[Article]:
    return [shown(article) for article in articles()[:LISTED]]


def _one(key: int) -> Article | None:
    found: Any = articles().filter(pk=key).first()
    return None if found is None else shown(found)


@api.get("/api/articles")
async def newest() -> list[Article]:
    """Answer list."""
    return await sync_to_async(_newest)()


@api.get("/api/articles/{id}")
async def one(id: int) -> Article:  # noqa: A002
    """Answer detail."""
    found = await sync_to_async(_one)(id)
    if found is None:
        raise NotFound
    return found
