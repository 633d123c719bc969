"""Keys of programs: stolen from the table, guessed, grown old."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.auth.accounts import make_account
from tests.auth.conftest import Serve
from tests.auth.project.models import Account, AccountKey
from utilmeta.core import api, auth
from utilmeta.core.auth.api_key import APIKey

KEYS = APIKey(AccountKey)
USERS = auth.User(Account, authentication=KEYS, scopes_field="scopes")


class KeyAPI(api.API):
    def get(self, user: Account = USERS) -> str:
        return user.username

    @auth.Require("note.read", user=USERS)
    @api.get
    def read(self) -> str:
        return "read"

    @auth.Require("note.write")
    @api.post
    def write(self, user: Account = USERS) -> str:
        return "written"


def status(client: Any, key: str, path: str = "/") -> int:
    """Return the status of a request with a key."""
    found: int = client.get(path, headers={"X-API-Key": key}).status_code
    return found


def test_stolen_table_gives_no_key(serve: Serve) -> None:
    row, key = KEYS.create(make_account(), name="robot")
    client = serve(KeyAPI)
    assert status(client, key) == 200
    prefix, _, secret = key.partition(".")
    stored = AccountKey.objects.values().get()
    assert stored["prefix"] == prefix
    assert not any(secret in str(value) for value in stored.values())
    assert len(secret) >= 43
    assert key not in str(row)
    for guess in (
        f"{prefix}.{row.digest}",
        f"{prefix}.",
        prefix,
        f".{secret}",
        f"{prefix}.{secret}x",
        f"{prefix}.{secret.swapcase()}",
        f"{prefix} .{secret}",
        f"{'0' * 16}.{secret}",
    ):
        assert status(client, guess) == 401, guess


def test_scopes_of_a_key_are_no_more_than_its_users(serve: Serve) -> None:
    ann = make_account(scopes=["note.read"])
    client = serve(KeyAPI)
    _, every = KEYS.create(ann)
    _, reading = KEYS.create(ann, scopes=["note.read"])
    _, writing = KEYS.create(ann, scopes=["note.write"])
    assert [status(client, key, "/read") for key in (every, reading, writing)] == [200, 200, 403]
    for key in (every, reading, writing):
        assert client.post("/write", headers={"X-API-Key": key}).status_code == 403
    Account.objects.update(scopes=["note.read", "note.write"])
    codes = [
        client.post("/write", headers={"X-API-Key": key}).status_code
        for key in (every, reading, writing)
    ]
    assert codes == [200, 403, 200]


def test_old_and_revoked_keys_are_refused(serve: Serve) -> None:
    ann = make_account()
    client = serve(KeyAPI)
    row, key = KEYS.create(ann, expires=timedelta(hours=1))
    assert status(client, key) == 200
    for values in (
        {"expires_at": timezone.now()},
        {"expires_at": None, "revoked_at": timezone.now()},
    ):
        AccountKey.objects.filter(pk=row.pk).update(**values)
        assert status(client, key) == 401


def test_last_use_is_written_once_a_minute(serve: Serve) -> None:
    row, key = KEYS.create(make_account())
    client = serve(KeyAPI)
    assert row.last_used_at is None
    assert status(client, key) == 200
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    assert status(client, key) == 200
    row.refresh_from_db()
    assert row.last_used_at == first
    AccountKey.objects.update(last_used_at=first - timedelta(seconds=61))
    assert status(client, key) == 200
    row.refresh_from_db()
    assert row.last_used_at >= first


def test_refused_key_does_not_count_as_used(serve: Serve) -> None:
    row, key = KEYS.create(make_account())
    client = serve(KeyAPI)
    assert status(client, f"{key}x") == 401
    row.refresh_from_db()
    assert row.last_used_at is None


@pytest.mark.parametrize("key", ["", ".", "x" * 5000, "%00.x", "a.b.c", "1.2", "ä.ö"])
def test_what_is_no_key_is_refused(serve: Serve, key: str) -> None:
    make_account()
    client = serve(KeyAPI)
    headers: Any = [(b"X-API-Key", key.encode())]
    answer = client.get("/", headers=headers)
    assert answer.status_code == 401, answer.text


def test_key_takes_one_statement_with_its_user(serve: Serve, is_sync: bool) -> None:
    _, key = KEYS.create(make_account())
    client = serve(KeyAPI)
    status(client, key)
    if not is_sync:
        # There statements go through connections of other threads.
        assert status(client, key) == 200
        return
    with CaptureQueriesContext(connection) as found:
        assert status(client, key) == 200
    assert len(found) == 1
