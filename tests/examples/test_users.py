"""The examples of users, run as a reader would."""

import json
from http.cookies import SimpleCookie
from typing import Any

import pytest

from tests.examples.conftest import Start
from tests.examples.copies import uses
from tests.servers import Server

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")


class Browser:
    """Somebody who calls a server, with a jar of cookies."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self.cookies: dict[str, str] = {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = None if body is None else json.dumps(body).encode()
        if sent is not None:
            given["Content-Type"] = "application/json"
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if "csrftoken" in self.cookies:
            given.setdefault("X-CSRFToken", self.cookies["csrftoken"])
        answer = self._server.request(method, f"{self._prefix}{path}", body=sent, headers=given)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                for morsel in SimpleCookie(value).values():
                    self.cookies[morsel.key] = morsel.value
                    if morsel["max-age"] == "0":
                        del self.cookies[morsel.key]
        text = answer.body.decode()
        return answer.status, json.loads(text) if text[:1] in {"{", "[", '"'} else text


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("users")
def test_accounts_come_and_go_as_described(start: Start, backend: str):
    server = start(BACKEND=backend)
    ann, eve, tool = (Browser(server, "/api/") for _ in range(3))
    new = {"username": "ann", "email": "ann@example.com", "password": "correct horse"}
    status, made = ann("POST", "accounts/signup", {**new, "scopes": ["notes.moderate"]})
    assert (status, made) == (200, {"id": 1, "username": "ann", "email": "ann@example.com"})
    assert ann("GET", "accounts/me")[1]["username"] == "ann"
    assert ann("GET", "accounts/greeting")[1] == "Hello, ann"
    assert eve("GET", "accounts/greeting")[1] == "Hello, whoever you are"
    assert eve("GET", "accounts/me")[0] == 401
    assert eve("POST", "accounts/signup", {**new, "username": "eve"})[0] == 400
    eve("POST", "accounts/signup", {**new, "username": "eve", "email": "eve@example.com"})

    assert ann("PATCH", "accounts/me", {"email": "a@example.com"}, X_CSRFToken="x")[0] == 403
    assert ann("PATCH", "accounts/me", {"email": "a@example.com"})[1]["email"] == "a@example.com"

    wrong = tool("POST", "tokens", {"name": "ann", "password": "wrong"})
    assert wrong == tool("POST", "tokens", {"name": "nobody", "password": "wrong"})
    pair = tool("POST", "tokens", {"name": "a@example.com", "password": "correct horse"})[1]
    bearer = f"Bearer {pair['access_token']}"
    assert tool("GET", "accounts/me", Authorization=bearer)[1]["username"] == "ann"
    renewed = tool("POST", "tokens/refresh", {"refresh_token": pair["refresh_token"]})
    assert renewed[0] == 200
    assert tool("POST", "tokens/refresh", {"refresh_token": pair["refresh_token"]})[0] == 401
    stolen = {"refresh_token": renewed[1]["refresh_token"]}
    assert tool("POST", "tokens/refresh", stolen)[0] == 401

    key = ann("POST", "accounts/keys", {"scopes": ["notes.read"]})[1]
    assert tool("GET", "accounts/me", X_API_Key=key)[1]["username"] == "ann"

    status, note = ann("POST", "notes", {"text": "mine", "is_public": False})
    assert (status, note) == (200, {"id": 1, "owner_id": 1, "text": "mine", "is_public": False})
    assert ann("POST", "notes", {"text": "x", "is_public": True, "is_flagged": True})[0] == 403
    assert [item["id"] for item in ann("GET", "notes")[1]] == [1]
    assert eve("GET", "notes")[1] == []
    assert eve("GET", "notes/1")[0] == 404
    assert eve("PATCH", "notes/1", {"text": "hers"})[0] == 403
    assert eve("PATCH", "notes/9", {"text": "hers"})[0] == 404
    assert tool("POST", "notes", {"text": "x", "is_public": True})[0] == 401
    assert ann("PATCH", "notes/1", {"is_public": True})[1]["is_public"] is True
    assert eve("GET", "notes/1")[0] == 200
    assert ann("DELETE", "notes/1")[0] == 403

    old = dict(ann.cookies)
    assert ann("POST", "accounts/logout")[0] == 204
    assert "session" not in ann.cookies
    ann.cookies = old
    assert ann("GET", "accounts/me")[0] == 401
    assert eve("DELETE", "accounts/sessions") == (200, "1")
    assert eve("GET", "accounts/me")[0] == 401


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("django_users")
def test_django_knows_who_has_logged_in(start: Start, backend: str):
    server = start(BACKEND=backend)
    ann = Browser(server, "/")
    assert ann("GET", "pages/whoami")[1] == "AnonymousUser"
    assert ann("POST", "api/v1/login", {"name": "ann", "password": "wrong"})[1] == "false"
    planted = {"sessionid": "planted0planted0planted0planted0"}
    ann.cookies = dict(planted)
    assert ann("POST", "api/v1/login", {"name": "ann", "password": "correct horse"})[1] == "true"
    assert ann.cookies["sessionid"] != planted["sessionid"]
    assert ann("GET", "api/v1/me")[1] == "ann"
    assert ann("GET", "pages/whoami")[1] == "ann"
    assert ann("GET", "api/v1/everybody")[0] == 403
    assert ann("POST", "api/v1/logout")[0] == 204
    assert ann("GET", "pages/whoami")[1] == "AnonymousUser"
    bob = Browser(server, "/")
    bob("POST", "api/v1/login", {"name": "bob", "password": "battery staple"})
    assert bob("GET", "api/v1/everybody") == (200, ["ann", "bob"])
