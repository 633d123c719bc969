"""Services on every back end that are watched, in process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.observe.api import AsyncAPI, RootAPI
from tests.testing.services import ASYNC, service_on
from utilmeta import UtilMeta
from utilmeta.conf import Config
from utilmeta.testing import Client


@contextmanager
def watched(
    backend: str, configs: Sequence[Config | type[Config]], **options: Any
) -> Iterator[tuple[UtilMeta, Client]]:
    """Make a service and a client of it."""
    options.setdefault("route", "/api")
    api = AsyncAPI if backend in ASYNC else RootAPI
    with service_on(backend, api, configs=configs, **options) as service:
        service.setup()
        with Client(service) as client:
            yield service, client
