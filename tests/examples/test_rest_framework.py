"""The example of the page on REST framework, run as a reader would."""

import json
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tests.examples.conftest import Start, end
from tests.examples.copies import printed, uses

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")
KEY = {"Content-Type": "application/json", "X-Key": "secret"}


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("rest_framework")
def test_a_view_set_and_what_takes_over_answer_alike(start: Start, backend: str):
    server = start(BACKEND=backend)

    def call(method, path, body=None, headers=KEY):
        sent = None if body is None else json.dumps(body).encode()
        answer = server.request(method, path, body=sent, headers=headers)
        return answer.status, json.loads(answer.body or b"null")

    places = ("/drf/notes/", "/api/notes/")
    note = {"slug": "one", "title": "One", "text": "1", "author": 1}
    for index, place in enumerate(places):
        assert call("POST", place, note, {**KEY, "X-Key": "wrong"})[0] == 401
        assert call("POST", place, {"slug": "no slug"})[0] == 400
        status, made = call("POST", place, {**note, "slug": f"n{index}"})
        assert (status, made["author_name"]) == (201, "Ann")
    assert call("GET", "/drf/notes/n1/") == call("GET", "/api/notes/n1")
    lists = [call("GET", f"{place}?search=ann") for place in places]
    assert lists[0] == lists[1]
    assert lists[0][1]["count"] == 2
    assert call("GET", "/drf/notes/n1/length/") == (200, 1)
    assert call("POST", "/api/serialized", note, {"Content-Type": "application/json"})[0] == 401
    status, refused = call("POST", "/api/serialized", {**note, "slug": "n1", "author": 9})
    assert status == 400
    found = {(fault["place"], fault["code"]) for fault in refused["errors"]}
    assert found == {("body.slug", "unique"), ("body.author", "does_not_exist")}
    assert call("POST", "/api/serialized", note)[0] == 201
    changed = call("PUT", "/api/serialized/one", {**note, "title": "New"})
    assert (changed[0], changed[1]["title"]) == (200, "New")
    assert call("PUT", "/api/serialized/none", note)[0] == 404
    assert len(call("GET", "/api/serialized?limit=2")[1]) == 2
    document = call("GET", "/api/openapi.json")[1]
    validate(document)
    assert {"/drf/notes/{slug}/", "/api/notes/{slug}"} <= set(document["paths"])
    end(server)


@uses("rest_framework")
def test_the_command_writes_what_the_page_shows(folder: Path):
    code = (
        "from server import service; from django.core.management import call_command; "
        "call_command('utilmeta_from_drf', 'blog.views.NoteViewSet')"
    )
    shown = (folder / "blog" / "moved.py").read_text(encoding="utf-8")
    assert printed(folder, code) == shown.strip()
