"""Services of one API on every back end, in process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from utilmeta import UtilMeta
from utilmeta.core.api import API
from utilmeta.testing import override_service

BACKENDS = ("django", "django-asgi", "flask", "starlette", "fastapi", "sanic", "tornado")
ASYNC = ("django-asgi", "starlette", "fastapi", "sanic", "tornado")


@contextmanager
def service_on(backend: str, api: type[API], **options: Any) -> Iterator[UtilMeta]:
    """Make a service on a back end, with no middleware of the test project's."""
    name, _, mode = backend.partition("-")
    settings = {"MIDDLEWARE": [], "DEBUG": False, **options.pop("settings", {})}
    with override_service(
        backend=name,
        name=f"testing-{backend}",
        asynchronous=True if mode else None,
        api=api,
        settings=settings,
        **options,
    ) as service:
        yield service
