"""A visitor of the RealWorld API, on each back end, whose answers are kept to be compared."""

import re
from typing import Any, Self

import httpx

from utilmeta import UtilMeta
from utilmeta.testing import Client

# What differs from one time to the next: tokens, moments, keys, and the ends of slugs.
_VARYING = (
    (re.compile(rb'"token":"[^"]+"'), b'"token":"..."'),
    (re.compile(rb'"\d{4}-\d\d-\d\dT[^"]+Z"'), b'"moment"'),
    (re.compile(rb'"id":\d+'), b'"id":0'),
    (re.compile(rb"-[0-9a-f]{8}\b"), b"-end"),
)
_HEADERS = ("content-type", "www-authenticate", "vary", "allow")


class Visitor:
    """Sends requests to the API, as somebody or as nobody.

    Args:
        client: of a service.
        token: whose requests they are.
        transcript: gets what each answer was.
    """

    def __init__(
        self, client: Client, token: str | None = None, transcript: list[Any] | None = None
    ) -> None:
        self.client = client
        self.token = token
        self.transcript: list[Any] = [] if transcript is None else transcript

    @classmethod
    def of(cls, service: UtilMeta) -> Self:
        """Return somebody who has no token."""
        return cls(Client(service))

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send a request, and keep the answer."""
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        if body is not None:
            options["json"] = body
        answer = self.client.request(method, f"/api{path}", headers=headers, **options)
        content = answer.content
        for pattern, text in _VARYING:
            content = pattern.sub(text, content)
        told = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        self.transcript.append((method, answer.status_code, told, content))
        return answer

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """Return what a path holds."""
        return self._checked(self.send("GET", path, params=params), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """Send something new, and return the answer."""
        return self._checked(self.send("POST", path, body), status)

    def put(self, path: str, body: Any = None, status: int = 200) -> Any:
        """Send a change, and return the answer."""
        return self._checked(self.send("PUT", path, body), status)

    def delete(self, path: str, status: int = 204) -> Any:
        """Delete something, and return the answer."""
        return self._checked(self.send("DELETE", path), status)

    def register(self, name: str, email: str | None = None) -> "Visitor":
        """Return a new user."""
        email = email or f"{name}@test.com"
        sent = {"username": name, "email": email, "password": "password123"}
        made = self.post("/users", {"user": sent}, 201)
        return Visitor(self.client, made["user"]["token"], self.transcript)

    def publish(self, title: str = "A title", **members: Any) -> dict[str, Any]:
        """Return a new article."""
        sent = {"title": title, "description": "d", "body": "b", **members}
        made: dict[str, Any] = self.post("/articles", {"article": sent}, 201)["article"]
        return made

    @staticmethod
    def _checked(answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, (answer.status_code, answer.text)
        if status == 204:
            assert answer.content == b""
            return None
        body = answer.json()
        if status >= 400:
            assert list(body) == ["errors"]
            assert all(isinstance(text, str) for texts in body["errors"].values() for text in texts)
            return body["errors"]
        return body
