"""What a site for nginx says of a service."""

import ipaddress
from typing import Any

from utilmeta.conf import Metrics, Preference, Tracing
from utilmeta.core.server.own import paths_of
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.fields import is_plain_path

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


def check_url(path: str) -> None:
    """Refuse a path of files that nginx's configuration could not hold as it is.

    Args:
        path: of `STATIC_URL` or `MEDIA_URL`.

    Raises:
        ConfigError: it has other letters.
    """
    if not is_plain_path(f"/{path.strip('/')}"):
        raise ConfigError(
            f"STATIC_URL or MEDIA_URL {path!r}: write it with letters, digits and ._~+@=:,- alone"
        )


def trusts(preference: Preference, address: str) -> bool:
    """Return whether a service believes what a proxy at an address says."""
    peer = ipaddress.ip_address(address)
    return any(
        peer in ipaddress.ip_network(item, strict=False) for item in preference.trusted_proxies
    )


def watched_by(service: Any) -> tuple[str, ...]:
    """Return the extras of what watches a service's requests."""
    extras = ((Metrics, "metrics"), (Tracing, "tracing"))
    return tuple(extra for kind, extra in extras if service.get_config(kind) is not None)
