"""A service on each back end, and accounts that call it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from django.apps import apps
from django.core.cache import caches
from django.db import connection
from django.test import override_settings
from sanic import Sanic

from tests.auth.project.apps import LABEL
from utilmeta.testing import Client, override_service

# Lets several Sanic applications start in one process, which only tests do.
Sanic.test_mode = True

APP = "tests.auth.project"
BACKENDS = (
    "django-wsgi",
    "django-asgi",
    "flask",
    "starlette",
    "fastapi",
    "sanic",
    "tornado",
)
SYNC = frozenset({"django-wsgi", "flask"})
MD5 = "django.contrib.auth.hashers.MD5PasswordHasher"
PASSWORD = "secret-word"


class Serve(Protocol):
    """Starts a service of an API class, and returns a client of it."""

    def __call__(
        self,
        api: type,
        *,
        settings: dict[str, Any] | None = None,
        client: dict[str, Any] | None = None,
        **options: Any,
    ) -> Client:
        """Start it; it ends with the test."""


@pytest.fixture(scope="package", autouse=True)
def _project(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Install the app of this folder, with its tables."""
    from django.conf import settings

    with (
        override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, APP]),
        django_db_blocker.unblock(),
    ):
        models = list(apps.get_app_config(LABEL).get_models())
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)
        with django_db_blocker.block():
            yield
        with connection.schema_editor() as editor:
            for model in reversed(models):
                editor.delete_model(model)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Name of the back end, with the kind of its server where it has two."""
    name: str = request.param
    return name


@pytest.fixture
def is_sync(backend: str) -> bool:
    """Whether the back end's server is sync."""
    return backend in SYNC


@pytest.fixture
def serve(backend: str, transactional_db: None) -> Iterator[Serve]:
    """Return what starts a service on the back end, with a cheap hasher and an empty cache."""
    name, _, mode = backend.partition("-")
    kind = True if mode == "asgi" else None
    caches["default"].clear()
    with ExitStack() as stack:
        stack.enter_context(override_settings(PASSWORD_HASHERS=[MD5], DEBUG=False))

        def start(
            api: type,
            *,
            settings: dict[str, Any] | None = None,
            client: dict[str, Any] | None = None,
            **options: Any,
        ) -> Client:
            made = {"backend": name, "asynchronous": kind, "name": "auth", "api": api, **options}
            service = stack.enter_context(override_service(**made))
            stack.enter_context(override_settings(**{"MIDDLEWARE": [], **(settings or {})}))
            return stack.enter_context(Client(service, **(client or {})))

        yield start


@pytest.fixture
def clean(transactional_db: None) -> Callable[[], None]:
    """Return what forgets all users and all that a cache holds."""
    from testproject.conduit.models import User
    from tests.auth.project.models import Account

    def forget() -> None:
        for model in (Account, User):
            model.objects.all().delete()
        caches["default"].clear()

    return forget
