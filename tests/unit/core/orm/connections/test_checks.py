"""Checks of database connections, each by its id."""

from typing import Any

import pytest

from utilmeta.conf.serving import Serving
from utilmeta.core.orm.connections.checks import check_databases

SYNC = Serving()
ASYNC = Serving(asynchronous=True, lanes=8)
THREADS = Serving(makes_threads=True)
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/srv/shop/db.sqlite3"}
KEPT = {**POSTGRES, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
SHARED = {**SQLITE, "NAME": "file:x?mode=memory&cache=shared"}


def pooled(size: object, **more: object) -> dict[str, Any]:
    return {**POSTGRES, "CONN_MAX_AGE": 0, "OPTIONS": {"pool": size}, **more}


CASES: list[tuple[str, dict[str, Any], Serving, str]] = [
    ("W006", KEPT, THREADS, "flask"),
    ("W006", {**KEPT, "CONN_MAX_AGE": None}, THREADS, "django"),
    ("E001", pooled(True, CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True), SYNC, "django"),
    ("E001", pooled({"max_size": 2}, CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True), SYNC, "flask"),
    ("W007", pooled(True), ASYNC, "starlette"),
    ("W007", pooled({"max_size": 7}), ASYNC, "starlette"),
    ("W007", pooled({"min_size": 7}), ASYNC, "starlette"),
    ("W008", {**SQLITE, "NAME": ":memory:"}, ASYNC, "sanic"),
    ("W008", {**SQLITE, "NAME": "file:x?mode=memory"}, THREADS, "flask"),
    ("W009", {**KEPT, "CONN_HEALTH_CHECKS": False}, SYNC, "django"),
    ("W009", {**POSTGRES, "CONN_MAX_AGE": None}, ASYNC, "tornado"),
    ("E002", {**POSTGRES, "ATOMIC_REQUESTS": True}, ASYNC, "django"),
    ("W010", {**POSTGRES, "ATOMIC_REQUESTS": True}, ASYNC, "starlette"),
    ("W010", {**SQLITE, "ATOMIC_REQUESTS": True}, SYNC, "flask"),
]
SILENT: list[tuple[dict[str, Any], Serving, str]] = [
    ({}, ASYNC, "starlette"),
    (POSTGRES, SYNC, "django"),
    (POSTGRES, ASYNC, "tornado"),
    (POSTGRES, THREADS, "flask"),
    (KEPT, SYNC, "django"),
    (KEPT, ASYNC, "sanic"),
    (pooled(True), SYNC, "django"),
    (pooled({"min_size": 1, "max_size": 8}), ASYNC, "starlette"),
    ({**SQLITE, "CONN_MAX_AGE": 60}, THREADS, "django"),
    ({**SQLITE, "NAME": ":memory:"}, SYNC, "django"),
    (SHARED, ASYNC, "starlette"),
    ({**POSTGRES, "ATOMIC_REQUESTS": True}, SYNC, "django"),
]


@pytest.mark.parametrize(("found", "entry", "serving", "backend"), CASES)
def test_what_goes_wrong_is_told_with_alias_and_hint(
    found: str, entry: dict[str, Any], serving: Serving, backend: str
):
    messages = check_databases({"default": POSTGRES, "other": entry}, serving, backend)
    assert [message.id for message in messages] == [f"utilmeta.{found}"]
    assert "'other'" in messages[0].msg
    assert messages[0].hint


@pytest.mark.parametrize(("entry", "serving", "backend"), SILENT)
def test_what_goes_well_is_not_told_of(entry: dict[str, Any], serving: Serving, backend: str):
    assert check_databases({"default": entry}, serving, backend) == []
