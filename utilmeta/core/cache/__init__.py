"""The caches of a service: how they are declared, and how they are used.

`cache` is the default one, `caches[alias]` any other.
"""

from utilmeta.core.cache.client import DEFAULT, CacheClient
from utilmeta.core.cache.config import Cache, CacheConnections
from utilmeta.core.cache.connections import cache, caches
from utilmeta.core.cache.errors import CacheUnavailable, LockLost, LockTaken
from utilmeta.core.cache.locks import Lock

__all__ = [
    "DEFAULT",
    "Cache",
    "CacheClient",
    "CacheConnections",
    "CacheUnavailable",
    "Lock",
    "LockLost",
    "LockTaken",
    "cache",
    "caches",
]
