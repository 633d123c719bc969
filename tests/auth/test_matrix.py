"""Each way to prove who one is, with each kind of credentials, for each way to ask who it is."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.auth.accounts import told
from tests.auth.conftest import PASSWORD, Serve
from tests.auth.methods import METHODS, Creds, Method, World, always
from utilmeta.core import api, auth, request
from utilmeta.utils.exceptions import ConfigError

STATES = (
    "absent",
    "wrong",
    "malformed",
    "expired",
    "tampered",
    "revoked",
    "deleted",
    "inactive",
    "right",
)
# What each back end has answered to each request; all have to agree.
SEEN: dict[tuple[str, str, str], tuple[str, Any]] = {}


def make_root(model: Any, users: Any) -> type[api.API]:
    """Return an API class with each way to ask who it is."""

    class KnownAPI(api.API):
        user: model = users

        @api.get
        def me(self) -> str:
            return self.user.username

    class MaybeAPI(api.API):
        user: model | None = users

        @api.get
        def me(self) -> str:
            return self.user.username if self.user else "nobody"

    class RootAPI(api.API):
        known: KnownAPI
        maybe: MaybeAPI

        @api.post
        def login(self, name: str = request.BodyParam, password: str = request.BodyParam) -> str:
            return "yes" if users.login(self.request, name, password) else "no"

        @api.post
        def logout(self, user: model = users) -> None:
            users.logout(self.request)

        @api.get("user")
        def as_user(self, user: model = users) -> str:
            return user.username

        @api.get("optional")
        def as_optional(self, user: model | None = users) -> str:
            return user.username if user else "nobody"

    return RootAPI


def make_async_root(model: Any, users: Any) -> type[api.API]:
    """Return an API class with each way to ask who it is, in async endpoints too."""

    class AsyncKnownAPI(api.API):
        user: model = users

        @api.get
        async def me(self) -> str:
            return self.user.username

    class AsyncMaybeAPI(api.API):
        user: model | None = users

        @api.get
        async def me(self) -> str:
            return self.user.username if self.user else "nobody"

    class AsyncRootAPI(make_root(model, users)):  # type: ignore[misc]
        aknown: AsyncKnownAPI
        amaybe: AsyncMaybeAPI

        @api.get("auser")
        async def as_user_async(self, user: model = users) -> str:
            return user.username

        @api.get("aoptional")
        async def as_optional_async(self, user: model | None = users) -> str:
            return user.username if user else "nobody"

    return AsyncRootAPI


def make_user(model: Any, name: str) -> Any:
    """Return a new user of a model."""
    user = model(username=name, email=f"{name}@example.com", password=PASSWORD)
    if hasattr(user, "set_password"):
        user.set_password(PASSWORD)
    user.save()
    return user


def credentials(method: Method, world: World, state: str) -> Creds | None:
    """Return what a client sends in a state; None where the way has no such state."""
    names = {"deleted": "dan", "inactive": "ina"}
    user = make_user(method.model, names.get(state, "ann"))
    if state in {"absent", "wrong", "malformed"}:
        return always({"wrong": method.wrong, "malformed": method.malformed}.get(state, {}))
    if state == "expired":
        return None if method.expired is None else method.expired(world, user)
    if state == "revoked" and method.revoked is None:
        return None
    creds = method.grant(world, user)
    if state == "tampered":
        return method.tampered(creds)
    if state == "revoked":
        assert method.revoked is not None
        method.revoked(world, creds)
    if state == "deleted":
        user.delete()
    if state == "inactive":
        method.model.objects.filter(pk=user.pk).update(is_active=False)
    return creds


def challenge(method: Method, state: str) -> str:
    """Return the `WWW-Authenticate` header of the answer to nobody."""
    code = None if state == "absent" else method.error
    if state == "malformed" and method.malformed_error is not None:
        code = method.malformed_error
    return method.challenge if code is None else f'{method.challenge} error="{code}"'


def is_kept_apart(answer: httpx.Response, users: Any) -> bool:
    """Return whether caches learn, once, what an answer depends on."""
    names = [item.strip().lower() for item in answer.headers["vary"].split(",")]
    return names.count((users.methods[0].header or "Cookie").lower()) == 1


def agree(backend: str, method: Method, state: str, path: str, found: Any) -> None:
    """Compare an answer with those of other back ends."""
    other, first = SEEN.setdefault((method.name, state, path), (backend, found))
    assert found == first, f"{backend} differs from {other}"


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_credentials_are_told_alike_everywhere(
    backend: str, is_sync: bool, serve: Serve, method: Method, clean: Callable[[], None]
) -> None:
    users = auth.User(method.model, authentication=method.make())
    root = (make_root if is_sync else make_async_root)(method.model, users)
    if is_sync and method.is_async:
        with pytest.raises(ConfigError, match=r"AsyncBadge\.authenticate is async"):
            serve(root, settings=dict(method.settings))
        return
    client = serve(root, settings=dict(method.settings))
    leads = ("",) if is_sync else ("", "a")
    tested = []
    for state in STATES:
        clean()
        creds = credentials(method, World(client, users), state)
        if creds is None:
            continue
        tested.append(state)
        is_known = state == "right"
        for lead in leads:
            for path in ("user", "known/me"):
                answer = client.get(f"/{lead}{path}", headers=creds(f"/{lead}{path}"))
                client.cookies.clear()
                assert is_kept_apart(answer, users)
                if is_known:
                    assert (answer.status_code, answer.text) == (200, "ann"), (state, path)
                    assert "www-authenticate" not in answer.headers
                else:
                    assert answer.status_code == 401, (state, path, answer.text)
                    assert answer.headers["www-authenticate"] == challenge(method, state)
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert set(answer.json()) <= {"type", "title", "status", "detail", "code"}
                agree(backend, method, state, path, told(answer))
            for path in ("optional", "maybe/me"):
                answer = client.get(f"/{lead}{path}", headers=creds(f"/{lead}{path}"))
                client.cookies.clear()
                assert is_kept_apart(answer, users)
                expected = (200, "ann" if is_known else "nobody")
                assert (answer.status_code, answer.text) == expected, (state, path)
                assert "www-authenticate" not in answer.headers
                agree(backend, method, state, path, told(answer))
    assert set(STATES) - set(tested) <= {"expired", "revoked"}
