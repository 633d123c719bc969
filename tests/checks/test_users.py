"""What `check --deploy` finds of users: cookies of sessions, counters of logins, and the zone."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import override_settings

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


def test_time_zone_that_nobody_sets_is_found() -> None:
    def found() -> bool:
        with override_service(backend="flask"):
            return "utilmeta.W130" in {item.id for item in check_deployment()}

    with override_settings(TIME_ZONE="UTC"):
        assert settings.is_overridden("TIME_ZONE")
        assert not found()
