"""The example that reads, asks for and writes rows, run as a reader would."""

import json
from typing import Any

import pytest

from tests.examples.conftest import Start, end
from tests.examples.copies import uses

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("writing")
def test_rows_are_written_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)

    def call(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if sent is not None:
            given["Content-Type"] = "application/json"
        answer = server.request(method, f"/api/{path}", body=sent, headers=given)
        return answer.status, json.loads(answer.body) if answer.body else None

    def faults(answer: tuple[int, Any]) -> list[str]:
        assert answer[0] == 400, answer
        return [item["place"] for item in answer[1]["errors"]]

    status, tags = call("PUT", "tags", [{"name": "sea"}, {"name": "land"}])
    assert (status, [tag["name"] for tag in tags]) == (200, ["land", "sea"])
    assert call("PUT", "tags", [{"name": "sea"}, {"name": "sky"}])[1][1] == tags[1]

    new = {"slug": "one", "title": "One", "body": "first words", "tags": [tags[0]["id"]]}
    links = [{"url": "https://a.example"}, {"url": "https://b.example"}]
    status, made = call("POST", "articles", {**new, "links": links, "author_id": 99}, X_User="eve")
    assert status == 200, made
    assert made["author"] == {"id": made["author"]["id"], "name": "eve", "articles": 1}
    assert [link["url"] for link in made["links"]] == [link["url"] for link in links]
    assert (made["tagNames"], made["status"], made["version"]) == (["land"], "draft", 1)
    assert faults(call("POST", "articles", new)) == ["slug"]
    assert faults(call("POST", "articles", {**new, "slug": "x", "tags": [99]})) == ["tags.0"]
    long = {**new, "slug": "x y", "title": "x" * 101, "links": [{"url": "no"}], "status": "?"}
    assert sorted(faults(call("POST", "articles", long))) == [
        "body.links.0.url",
        "body.slug",
        "body.status",
        "body.title",
    ]

    path = f"articles/{made['id']}"
    kept = made["links"][1]
    change = {"title": "Two", "version": 1, "links": [{"id": kept["id"], "position": 5}]}
    status, changed = call("PATCH", path, change)
    assert status == 200, changed
    assert (changed["title"], changed["body"], changed["version"]) == ("Two", "first words", 2)
    assert changed["links"] == [{**kept, "position": 5}]
    assert call("PATCH", path, change)[0] == 409
    assert call("PATCH", path, {"tags": []}, If_Match='"2"')[1]["tagNames"] == []
    assert call("PATCH", path, {"title": None}, If_Match="*")[0] == 400
    assert call("PATCH", "articles/99", {"title": "x"}, If_Match="*")[0] == 404

    for number in range(3):
        call("POST", "articles", {**new, "slug": f"more-{number}", "title": f"More {number}"})
    status, page = call(
        "GET", "articles?search=more&order=-title&limit=2&fields=title,author(name)"
    )
    assert (status, page) == (
        200,
        {
            "articles": [
                {"title": "More 2", "author": {"name": "ann"}},
                {"title": "More 1", "author": {"name": "ann"}},
            ],
            "total": 3,
        },
    )
    assert call("GET", "articles?tag=land,sea&author=ann")[1]["total"] == 3
    assert call("GET", "articles?order=links&limit=1&page=4")[1]["articles"][0]["title"] == "Two"
    wrong = call("GET", "articles?order=body&limit=101&since=now&password=x")
    assert sorted(faults(wrong)) == ["query.limit", "query.order", "query.password", "query.since"]
    assert faults(call("GET", "articles?fields=password")) == ["query.fields"]

    ids = [item["id"] for item in call("GET", "articles?search=more")[1]["articles"]]
    assert call("POST", "articles/publish", {"ids": ids}) == (200, {"published": 3})
    assert call("GET", "articles?status=public")[1]["total"] == 3
    assert call("DELETE", path)[0] == 204
    assert call("GET", path)[0] == 404
    end(server)
