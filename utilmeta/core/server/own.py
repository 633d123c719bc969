"""What every service answers beside its API: how it is, and what it counts."""

from typing import Any

from utilmeta.core.server.contract import Handler


def own_handlers(_service: Any) -> list[tuple[str, Handler]]:
    """Return route and handler of what a service answers of its own accord.

    Args:
        service: the service, set up.
    """
    return []
