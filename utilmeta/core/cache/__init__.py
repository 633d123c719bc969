"""Cache connections of a service."""

from utilmeta.core.cache.config import Cache, CacheConnections

__all__ = ["Cache", "CacheConnections"]
