"""The examples of the other pages of the documentation, run as a reader would."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.examples.conftest import Start, end
from tests.examples.copies import run, uses
from tests.servers import ROOT, free_port, start_server

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")
JSON = {"Content-Type": "application/json"}


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("endpoints")
def test_endpoints_answer_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)

    def get(path):
        answer = server.request("GET", path)
        return answer.status, json.loads(answer.body)

    book = {"title": "Utopia", "pages": 200, "tags": ["old"]}
    assert get("/api/books") == (200, [book])
    assert get("/api/books?tags=new,old") == (200, [])
    assert get("/api/books/1") == (200, book)
    assert get("/api/books/2")[1]["detail"] == "no such book"
    assert get("/api/books/7/notes") == (200, {"book": 7, "notes": []})
    added = server.request("POST", "/api/books/add", body=json.dumps(book).encode(), headers=JSON)
    assert (added.status, json.loads(added.body)) == (201, book)
    wrong = server.request("PATCH", "/api/books/x", body=b'{"title": ""}', headers=JSON)
    assert wrong.status == 400
    places = [fault["place"] for fault in json.loads(wrong.body)["errors"]]
    assert places == ["path.id", "body.title"]
    cover = server.request("GET", "/api/books/1/cover")
    assert cover.header("content-type") == "image/png"
    assert cover.header("set-cookie") == "seen=1; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"
    assert server.request("GET", "/api/count").body == b"0\n1\n2\n"
    assert json.loads(server.request("POST", "/api/size", body=b"abc").body) == {"bytes": 3}
    end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("schemas")
def test_schemas_read_nested_rows(start: Start, backend: str):
    server = start(BACKEND=backend)
    book = {
        "id": 1,
        "title": "Utopia",
        "author": {"id": 1, "name": "More"},
        "author_name": "More",
        "tags": ["island", "old"],
        "reviews": [{"stars": 5, "text": "妙"}, {"stars": 4, "text": ""}],
        "meanStars": 4.5,
    }
    assert json.loads(server.request("GET", "/books").body) == [book]
    assert json.loads(server.request("GET", "/books?tag=none").body) == []
    assert json.loads(server.request("GET", "/books/1").body) == book
    assert server.request("GET", "/books/2").status == 404
    assert json.loads(server.request("GET", "/books/statements").body) == 3
    end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("mounts")
def test_mounts_answer_beside_the_api(start: Start, backend: str):
    server = start(BACKEND=backend)
    assert server.request("GET", "/api/hello").body == b"world"
    assert json.loads(server.request("GET", "/drf/ping/").body) == {"drf": "pong"}
    assert server.request("GET", "/legacy/a/b").body == b"legacy at /legacy/a/b"
    head = server.request("HEAD", "/legacy/a")
    assert (head.status, head.body, head.header("content-type")) == (200, b"", "text/plain")
    assert server.request("HEAD", "/drf/ping/").status == 200
    assert server.request("GET", "/absent").status == 404
    end(server)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["runserver", "django", "flask", "starlette", "tornado"])
@uses("existing_project")
def test_existing_project_keeps_its_own(folder, tmp_path, backend: str):
    migrated = run(folder, "manage.py", "migrate", "-v", "0")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    port = free_port()
    if backend == "runserver":
        command = ["python", "manage.py", "runserver", "--noreload", str(port)]
    else:
        command = ["python", "-m", "shop.service"]
    env = {"PORT": str(port), "BACKEND": "django" if backend == "runserver" else backend}
    server = start_server(command, port, tmp_path / "log", cwd=folder, env=env)
    expected = {"users": 0, "zone": "Europe/Berlin"}
    assert json.loads(server.request("GET", "/api/users").body) == expected
    if env["BACKEND"] == "django":
        assert json.loads(server.request("GET", "/v1/users").body) == expected
        assert json.loads(server.request("GET", "/old/").body) == {"old": True}
    server.stop()


@uses("existing_project")
def test_existing_project_shows_origins(folder):
    shown = run(folder, "manage.py", "utilmeta_settings", "TIME_ZONE", "ROOT_URLCONF", "--json")
    assert shown.returncode == 0, shown.stderr
    origins = {row["name"]: (row["value"], row["origin"]) for row in json.loads(shown.stdout)}
    assert origins == {
        "TIME_ZONE": ("Europe/Berlin", "existing project"),
        "ROOT_URLCONF": ("shop.urls", "existing project"),
    }
    checked = run(folder, "manage.py", "check")
    assert "no issues" in checked.stdout, checked.stderr


def test_readme_program_answers_world(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert program is not None
    port = free_port()
    code = program[1].replace('route="/api"', f'route="/api", port={port}')
    (tmp_path / "server.py").write_text(code, encoding="utf-8")
    server = start_server(["python", "server.py"], port, tmp_path / "log", cwd=tmp_path)
    assert server.request("GET", "/api/hello").body == b"world"
    assert server.stop() in {0, -15, 143}
    assert "db.sqlite3" not in os.listdir(tmp_path)


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("connections")
def test_connections_are_an_answer_or_an_honest_503(folder: Path, backend: str, tmp_path: Path):
    port = free_port()
    (tmp_path / "disk").mkdir()
    # Its log holds the traceback, so that it is not among those that must end without one.
    away = start_server(
        ["python", "server.py"],
        port,
        tmp_path / "away.log",
        cwd=folder,
        env={
            "BACKEND": backend,
            "PORT": str(port),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'disk' / 'file'}",
        },
    )
    try:
        (tmp_path / "disk").rename(tmp_path / "unplugged")
        answer = away.request("GET", "/api/answer")
        (tmp_path / "unplugged").rename(tmp_path / "disk")
        assert away.request("GET", "/api/answer").body == b"42"
    finally:
        away.stop()
    page = (ROOT / "docs" / "connections.md").read_text(encoding="utf-8")
    shown = page.partition("```json\n")[2].partition("```")[0]
    assert (answer.status, answer.header("retry-after")) == (503, "5")
    assert json.loads(answer.body) == json.loads(shown)
