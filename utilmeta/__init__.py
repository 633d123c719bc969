"""UtilMeta: declare an API, its data and its configuration once.

Importing the package loads nothing else: `UtilMeta` and `service` are found on first use.
"""

from typing import TYPE_CHECKING

from utilmeta._version import __version__

if TYPE_CHECKING:
    from utilmeta.core.server.service import UtilMeta

    service: UtilMeta

__all__ = ["UtilMeta", "__version__", "service"]


def __getattr__(name: str) -> object:
    """Return `UtilMeta`, or the running `service`, on first use.

    Raises:
        ImportError: `service` is asked for before one was made.
    """
    if name == "UtilMeta":
        from utilmeta.core.server.service import UtilMeta

        return UtilMeta
    if name == "service":
        from utilmeta.conf import current

        running = current.get()
        if running is None:
            raise ImportError(
                "utilmeta.service: no service exists in this process yet; make one first with "
                "'service = UtilMeta(__name__, backend=..., name=...)' and import that module"
            )
        return running
    raise AttributeError(f"module 'utilmeta' has no attribute {name!r}")
