"""Help for tests of services: clients in process, and other services for a while."""

from typing import TYPE_CHECKING

from utilmeta.testing.services import override_service

if TYPE_CHECKING:
    from utilmeta.testing.client import AsyncClient, Client
    from utilmeta.testing.sockets import WebSocketSession

__all__ = ["AsyncClient", "Client", "WebSocketSession", "override_service"]


def __getattr__(name: str) -> object:
    """Return a client on first use, as only clients need httpx.

    Raises:
        DependencyNotInstalled: httpx is missing.
    """
    if name in {"AsyncClient", "Client"}:
        try:
            from utilmeta.testing import client
        except ModuleNotFoundError as exc:
            if exc.name != "httpx":
                raise
            from utilmeta.utils.exceptions import DependencyNotInstalled

            raise DependencyNotInstalled(
                "httpx", requirement="utilmeta[testing]", purpose=f"utilmeta.testing.{name}"
            ) from exc
        return getattr(client, name)
    if name == "WebSocketSession":
        from utilmeta.testing.sockets import WebSocketSession

        return WebSocketSession
    raise AttributeError(f"module 'utilmeta.testing' has no attribute {name!r}")
