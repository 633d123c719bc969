"""The service of this process: the only module-level mutable state of the package."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from utilmeta.conf.base import ServiceInfo
from utilmeta.utils.exceptions import ConfigError

_running: list[ServiceInfo] = []


def get() -> Any:
    """Return the running service, or None before one is made."""
    return _running[-1] if _running else None


def register(service: ServiceInfo) -> None:
    """Make this the service of the process.

    Raises:
        ConfigError: there is one already; names the module that made it.
    """
    if _running:
        first = _running[-1]
        raise ConfigError(
            f"UtilMeta({service.module_name!r}): this process has a service already, "
            f"{first.name!r} made in module {first.module_name!r}; a process holds one, so use "
            "'from utilmeta import service' there (tests use utilmeta.testing.override_service)"
        )
    _running.append(service)


@contextmanager
def replaced() -> Iterator[None]:
    """Set the running service aside for a while, so that another can be made."""
    aside = list(_running)
    _running.clear()
    try:
        yield
    finally:
        _running[:] = aside
