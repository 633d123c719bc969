"""The way to the service's caches."""

from collections.abc import Iterator

from utilmeta.core.cache.client import CacheClient
from utilmeta.core.cache.registry import registry


class Caches:
    """The service's caches by alias: `caches['sessions']`."""

    def __getitem__(self, alias: str) -> CacheClient:
        """Return a cache.

        Raises:
            ConfigError: there is none of this alias, or it is declared wrongly.
        """
        registry.opened(alias)
        return CacheClient(alias)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the aliases."""
        from django.conf import settings

        return iter(settings.CACHES)

    def __contains__(self, alias: object) -> bool:
        """Whether there is a cache of this alias."""
        return alias in list(self)


caches = Caches()
cache = CacheClient("default")
