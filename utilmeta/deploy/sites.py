"""What a site for nginx says of a service."""

from typing import Any

from utilmeta.conf import Metrics
from utilmeta.core.server.own import paths_of
from utilmeta.utils.exceptions import ConfigError

# Where metrics are read unless something else is said.
METRICS = "/metrics"


def spelt(host: str | None) -> str | None:
    """Return a host name as clients send it.

    Args:
        host: as people write it; None for none.

    Raises:
        ConfigError: it is none.
    """
    try:
        return host if host is None or host.isascii() else host.encode("idna").decode()
    except UnicodeError as exc:
        raise ConfigError(f"UtilMeta(origin=...): {host!r} is no host name: {exc}") from exc


def hsts_of(settings: Any) -> str | None:
    """Return what Strict-Transport-Security is to say; None for nothing.

    Args:
        settings: Django's.
    """
    if not settings.SECURE_HSTS_SECONDS:
        return None
    words = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    words += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    words += ["preload"] if settings.SECURE_HSTS_PRELOAD else []
    return "; ".join(words)


def metrics_of(service: Any) -> str | None:
    """Return where metrics are read; None where the API has an endpoint of its own there.

    Args:
        service: the service, set up.
    """
    config = service.get_config(Metrics)
    if config is not None:
        return str(config.path)
    return None if METRICS in paths_of(service) else METRICS
