"""What goes wrong with a cache.

::

    ServiceUnavailable
    ├── CacheUnavailable    the store does not answer, or refuses to work
    └── LockTaken           somebody else holds the lock, and the time to wait is over
    ServerError
    └── LockLost            the lock ran out before the work it guarded was done
"""

from utilmeta.utils.exceptions import ServerError, ServiceUnavailable

_AGAIN = {"Retry-After": "1"}


class CacheUnavailable(ServiceUnavailable):
    """503: the store does not answer, or refuses to work; its cause is in `__cause__`."""

    def __init__(self) -> None:
        super().__init__("a cache that is needed for this is unavailable", headers=_AGAIN)


class LockTaken(ServiceUnavailable):
    """503: somebody else holds the lock, and the time to wait is over.

    Args:
        name: name of the lock; the client is not told.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("the same is being done right now", headers=_AGAIN)


class LockLost(ServerError):  # noqa: N818 - named like the two above
    """500: a lock ran out before the work it guarded was done, so others may have done it too.

    Args:
        name: name of the lock; the client is not told.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("this took longer than it may")
