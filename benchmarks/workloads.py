"""What is asked of every implementation, and when two answers are the same.

| workload | request | answer |
|---|---|---|
| hello | `GET /api/hello` | `{"message": "hello"}` |
| params | `GET /api/items/7?q=some+text&limit=20` | its int, text, and int from 1 to 100 |
| body | `POST /api/orders`, nested JSON | the order, validated |
| invalid | the same with faults | a status of 400 or 422, in whatever form |
| list | `GET /api/articles` | the newest 100 of 1,000 articles |
| detail | `GET /api/articles/500` | one of them, with the same members |
| create | `POST /api/articles` | its key and slug |
| bulk | `POST /api/articles/bulk`, 100 articles | their keys and slugs |
| stream | `GET /api/stream` | 10,000 comments as JSON lines |
| slow | `GET /api/slow` | after one query of 20 ms |

An article has slug, title, description, created_at, updated_at, comments_count, its author
(username, bio, image) and the names of its tags.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LISTED = 100
STREAMED = 10_000
BULK = 100
DETAIL = 500
SLOW_SECONDS = 0.02
MADE_PREFIX = "bench-"
GOOD = frozenset({200, 201})
FAULTY = frozenset({400, 422})

ORDER = {
    "customer": {"name": "Ann Example", "email": "ann@example.com", "vip": True},
    "lines": [
        {"sku": "A-1", "quantity": 1, "price": 9.5},
        {"sku": "B-22", "quantity": 20, "price": 0.25},
        {"sku": "C-333", "quantity": 3, "price": 120.0},
    ],
    "note": None,
}
INVALID_ORDER = {
    "customer": {"name": "", "email": "ann@example.com", "vip": "perhaps"},
    "lines": [
        {"sku": "A-1", "quantity": 0, "price": 9.5},
        {"sku": "B-22", "quantity": 20, "price": "much"},
        {"quantity": 3, "price": 120.0},
    ],
    "note": 5,
}
TEXT = " ".join(["A text of some length."] * 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as a client sends it.

    Attributes:
        method: upper case.
        target: path and query, percent-encoded.
        body: all of it.
    """

    method: str = "GET"
    target: str
    body: bytes = b""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case and values, as a client sends them."""
        pairs = [("host", "127.0.0.1:8000"), ("user-agent", "benchmarks/1.0"), ("accept", "*/*")]
        if self.method != "GET":
            pairs.append(("content-type", "application/json"))
            pairs.append(("content-length", str(len(self.body))))
        return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: the status.
        body: all of it.
    """

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing that is measured.

    Attributes:
        name: what it is called in tables and on the command line.
        request: gives the request of a number, which makes new rows unlike those before.
        statuses: which of them are right.
        value: gives of an answer what has to be the same everywhere.
        most_calls: how many calls one measurement has at most.
        writes: whether it makes rows.
    """

    name: str
    request: Callable[[int], Request]
    statuses: frozenset[int] = GOOD
    value: Callable[[Answer], Any] = field(default=lambda answer: parsed(answer.body))
    most_calls: int = 200_000
    writes: bool = False


def parsed(text: bytes) -> Any:
    """Return parsed JSON with moments as such: `Z`, `+00:00` and zero fractions are one."""

    def moments(members: dict[str, Any]) -> dict[str, Any]:
        return {
            name: datetime.fromisoformat(value) if name.endswith("_at") else value
            for name, value in members.items()
        }

    return json.loads(text, object_hook=moments)


def _lines(answer: Answer) -> Any:
    return [parsed(line) for line in answer.body.splitlines()]


def _made(answer: Answer) -> Any:
    # Keys are the database's, and slugs differ by the number of the call.
    value = parsed(answer.body)
    rows = value if isinstance(value, list) else [value]
    whole = all(isinstance(row["id"], int) and row["slug"][:6] == MADE_PREFIX for row in rows)
    return len(rows) if whole else value


def new_article(number: int) -> dict[str, Any]:
    """Return an article that is not there yet."""
    return {
        "author_id": 1 + number % 50,
        "slug": f"{MADE_PREFIX}{number}",
        "title": f"Article {number}",
        "description": "A new article.",
        "body": TEXT,
    }


def _get(target: str) -> Callable[[int], Request]:
    request = Request(target=target)
    return lambda number: request


def _post(target: str, value: Any) -> Callable[[int], Request]:
    request = Request(method="POST", target=target, body=json.dumps(value).encode())
    return lambda number: request


def _create(number: int) -> Request:
    body = json.dumps(new_article(number)).encode()
    return Request(method="POST", target="/api/articles", body=body)


def _bulk(number: int) -> Request:
    rows = [new_article(number * BULK + index) for index in range(BULK)]
    return Request(method="POST", target="/api/articles/bulk", body=json.dumps(rows).encode())


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload(name="hello", request=_get("/api/hello")),
        Workload(name="params", request=_get("/api/items/7?q=some+text&limit=20")),
        Workload(name="body", request=_post("/api/orders", ORDER)),
        Workload(
            name="invalid",
            request=_post("/api/orders", INVALID_ORDER),
            statuses=FAULTY,
            value=lambda answer: None,
        ),
        Workload(name="list", request=_get("/api/articles")),
        Workload(name="detail", request=_get(f"/api/articles/{DETAIL}")),
        Workload(name="create", request=_create, value=_made, most_calls=300, writes=True),
        Workload(name="bulk", request=_bulk, value=_made, most_calls=10, writes=True),
        Workload(name="stream", request=_get("/api/stream"), value=_lines, most_calls=10),
        Workload(name="slow", request=_get("/api/slow"), most_calls=5),
    )
}
# Measured by CPU time in process, in the order of the tables.
BY_CPU = ("hello", "params", "body", "invalid", "list", "detail", "create", "bulk", "stream")
