"""Caches that users depend on: which may be, and what is answered while they fail."""

from collections.abc import Iterator
from contextlib import contextmanager

from utilmeta.core.api.rules import CompileRules
from utilmeta.utils.exceptions import ConfigError, HttpError, ServiceUnavailable


@contextmanager
def needing_cache(message: str | None = None) -> Iterator[None]:
    """Answer 503 when a cache fails in the block; what the block itself answers stays.

    Args:
        message: for clients.

    Raises:
        ServiceUnavailable: the cache failed.
    """
    try:
        yield
    except HttpError:
        raise
    except Exception as exc:
        raise ServiceUnavailable(message, headers={"Retry-After": "1"}) from exc


def check_cache(alias: str, rules: CompileRules, what: str) -> None:
    """Refuse a cache that is not there, keeps nothing, or in production is not shared.

    Raises:
        ConfigError: it is one; says what to use.
    """
    from django.conf import settings

    if alias not in settings.CACHES:
        raise ConfigError(
            f"{what}(cache_alias={alias!r}): the caches are {', '.join(map(repr, settings.CACHES))}"
        )
    backend = str(settings.CACHES[alias]["BACKEND"])
    is_local = backend.endswith("LocMemCache")
    if backend.endswith("DummyCache") or (rules.production and is_local):
        raise ConfigError(
            f"{what}(cache_alias={alias!r}): {backend.rpartition('.')[2]} "
            f"{'is not shared by processes' if is_local else 'keeps nothing'}; use one that is, "
            "such as RedisCache or Django's database cache"
        )
