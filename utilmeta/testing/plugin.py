"""Fixtures for pytest, found by it when the package is installed."""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from utilmeta.core.server.service import UtilMeta
    from utilmeta.testing.client import AsyncClient, Client


@pytest.fixture
def utilmeta_service() -> "UtilMeta":
    """The process's service, set up: the one that UTILMETA_SERVICE names, or the running one."""
    from utilmeta.conf import current
    from utilmeta.testing.client import service_of

    if current.get() is None:
        import django
        from django.conf import settings

        django.setup()
        reference = getattr(settings, "UTILMETA_SERVICE", None)
        if reference:
            from utilmeta.utils.references import load_reference

            load_reference(reference, what="UTILMETA_SERVICE")
        elif getattr(settings, "ROOT_URLCONF", None):
            # A project that only holds APIs among its URLs makes its service there.
            import_module(settings.ROOT_URLCONF)
    return service_of(None).setup()


@pytest.fixture
def api_client(utilmeta_service: "UtilMeta") -> "Iterator[Client]":
    """A client of the service, in process."""
    from utilmeta.testing.client import Client

    with Client(utilmeta_service) as client:
        yield client


@pytest.fixture
async def async_api_client(utilmeta_service: "UtilMeta") -> "AsyncIterator[AsyncClient]":
    """An async client of the service, in process; needs a plugin that runs async fixtures."""
    from utilmeta.testing.client import AsyncClient

    async with AsyncClient(utilmeta_service) as client:
        yield client
