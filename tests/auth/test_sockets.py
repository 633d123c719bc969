"""WebSockets that ask who opens them."""

from typing import Any

import pytest

from tests.auth.accounts import SECRET, basic, bearer, cookies, log_in, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.project.models import Account
from utilmeta.core import api, auth
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.testing.sockets import WebSocketRefused
from utilmeta.utils.exceptions import ConfigError


def socket_api(users: Any) -> type[api.API]:
    """Return an API with WebSockets."""

    class SocketAPI(account_api(users)):  # type: ignore[misc]
        @api.ws
        async def chat(self, ws: api.WebSocket[str, str], user: Account = users) -> None:
            await ws.accept()
            await ws.send(user.username)

        @api.ws
        async def open(self, ws: api.WebSocket[str, str], user: Account | None = users) -> None:
            await ws.accept()
            await ws.send(user.username if user else "nobody")

        @auth.Require("chat")
        @api.ws
        async def scoped(self, ws: api.WebSocket[str, str], user: Account = users) -> None:
            await ws.accept()
            await ws.send(user.username)

    return SocketAPI


class Talk:
    """A service with WebSockets."""

    def __init__(self, serve: Serve, method: Any) -> None:
        self.method = method
        self.users = auth.User(Account, authentication=method, scopes_field="scopes")
        self.account = make_account()
        self.client = serve(socket_api(self.users))

    def hear(self, path: str, **headers: str) -> str:
        """Return what an endpoint says first."""
        with self.client.websocket(path, headers=headers) as socket:
            return str(socket.receive())

    def refusal(self, path: str, **headers: str) -> WebSocketRefused:
        """Return the answer in place of a connection."""
        with (
            pytest.raises(WebSocketRefused) as refused,
            self.client.websocket(path, headers=headers),
        ):
            raise AssertionError("it was opened")
        return refused.value


def test_sockets_know_who_opens_them(serve: Serve, is_sync: bool) -> None:
    token = JsonWebToken(SECRET)
    if is_sync:
        with pytest.raises(ConfigError):
            Talk(serve, token)
        return
    talk = Talk(serve, token)
    right = bearer(token.issue(talk.users, talk.account).access_token)
    assert talk.hear("/chat", **right) == "ann"
    assert [talk.hear("/open", **right), talk.hear("/open")] == ["ann", "nobody"]
    assert talk.hear("/open", **bearer("wrong")) == "nobody"
    refused = talk.refusal("/chat")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    refused = talk.refusal("/chat", **bearer("wrong"))
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_sockets_of_those_who_may_not_are_refused(serve: Serve, is_sync: bool) -> None:
    if is_sync:
        with pytest.raises(ConfigError):
            Talk(serve, BasicAuth())
        return
    talk = Talk(serve, BasicAuth())
    assert talk.refusal("/scoped").status == 401
    assert talk.refusal("/scoped", **basic("ann", "wrong")).status == 401
    assert talk.refusal("/scoped", **basic("ann")).status == 403
    Account.objects.update(scopes=["chat"])
    assert talk.hear("/scoped", **basic("ann")) == "ann"


def test_cross_site_hijacking_of_sockets_with_a_session_is_refused(
    serve: Serve, is_sync: bool
) -> None:
    if is_sync:
        with pytest.raises(ConfigError):
            Talk(serve, CacheSession())
        return
    talk = Talk(serve, CacheSession())
    log_in(talk.client)
    key = cookies(sessionid=talk.client.cookies["sessionid"])
    talk.client.cookies.clear()
    assert talk.hear("/chat", **key, Origin="http://localhost") == "ann"
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        for path in ("/chat", "/open"):
            assert talk.refusal(path, **key, Origin=origin).status == 403, origin
    assert talk.refusal("/chat", **cookies(sessionid="a" * 32)).status == 401
