"""What `check --deploy` finds of users: cookies of sessions, counters of logins, and the zone."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.examples.copies import run
from utilmeta.checks import check_deployment
from utilmeta.conf.http import Cookie
from utilmeta.core import api, auth
from utilmeta.core.auth.session.db import DBSession
from utilmeta.testing import override_service


def ids(cookie: Cookie, **options: Any) -> set[str | None]:
    users = auth.User(get_user_model(), authentication=DBSession(cookie=cookie), **options)

    class RootAPI(api.API):
        @api.get
        def me(self, user: Any = users):
            return user.pk

    with override_service(backend="flask", api=RootAPI):
        return {item.id for item in check_deployment()} & {"utilmeta.W110", "utilmeta.W121"}


@pytest.mark.parametrize(
    "cookie",
    [Cookie(secure=False), Cookie(http_only=False), Cookie(same_site="None")],
)
def test_open_cookie_is_found(cookie: Cookie) -> None:
    assert ids(cookie, throttle_cache="default") == {"utilmeta.W110"}


def test_counters_of_each_process_are_found() -> None:
    assert ids(Cookie()) == {"utilmeta.W121"}
    assert ids(Cookie(), throttle_cache="default") == set()


PROGRAM = """
from utilmeta import UtilMeta
service = UtilMeta("shop", backend="flask").setup()
from utilmeta.checks import check_deployment
print(*(item.id for item in check_deployment()))
"""


@pytest.mark.parametrize(("line", "is_found"), [("", True), ("TIME_ZONE = 'UTC'", False)])
def test_time_zone_that_nobody_sets_is_found(line: str, is_found: bool, tmp_path: Path) -> None:
    text = f"SECRET_KEY = 'x' * 60\n{line}\n"
    (tmp_path / "project.py").write_text(text, encoding="utf-8")
    done = run(tmp_path, "-c", PROGRAM, DJANGO_SETTINGS_MODULE="project")
    assert "utilmeta.W101" in done.stdout, done.stderr
    assert ("utilmeta.W130" in done.stdout) is is_found
