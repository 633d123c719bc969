"""What every service answers beside its API: how it is, and what it counts."""

from typing import Any

from utilmeta.conf.health import Health
from utilmeta.conf.metrics import Metrics
from utilmeta.core.server.contract import Handler
from utilmeta.core.server.health import Live, Ready, make_checks
from utilmeta.core.server.observe.make import numbers_of
from utilmeta.core.server.scrape import Scrape
from utilmeta.core.setup.compose import DEFAULT
from utilmeta.core.setup.merge import DJANGO
from utilmeta.utils.exceptions import ConfigError


def own_handlers(service: Any) -> list[tuple[str, Handler]]:
    """Return route and handler of what a service answers of its own accord.

    Args:
        service: the service, set up.

    Raises:
        ConfigError: an endpoint lies below such a path, where it would never be asked.
    """
    found = [*_health_handlers(service), *_metrics_handlers(service)]
    for route, _ in found:
        hidden = [path for path in paths_of(service) if path.startswith(f"{route}/")]
        if hidden:
            raise ConfigError(
                f"{route} would hide the endpoint {hidden[0]}; choose another path in "
                "Health(live=..., ready=...) or Metrics(path=...)"
            )
    return [(route, handler) for route, handler in found if not _is_taken(service, route)]


def _metrics_handlers(service: Any) -> list[tuple[str, Handler]]:
    metrics, numbers = service.get_config(Metrics), numbers_of(service.observer)
    if metrics is None or numbers is None:
        return []
    return [(metrics.path, Scrape(numbers, metrics.allow, service.engine.rules.request))]


def _health_handlers(service: Any) -> list[tuple[str, Handler]]:
    health = service.get_config(Health) or Health()
    found: list[tuple[str, Handler]] = []
    if health.live is not None:
        found.append((health.live, Live()))
    if health.ready is not None:
        from django.conf import settings

        databases = [
            alias
            for alias, entry in _declared(service, settings, "DATABASES").items()
            # A copy of another is not what the service hangs on.
            if not entry.get("TEST", {}).get("MIRROR")
        ]
        caches = list(_declared(service, settings, "CACHES"))
        checks = make_checks(health, databases=databases, caches=caches)
        found.append((health.ready, Ready(service.lifecycle, checks)))
    return found


def _declared(service: Any, settings: Any, name: str) -> dict[str, Any]:
    """Return a setting that somebody has set; an empty one when it is a default of ours."""
    rule = service.settings.origins.get(name)
    if rule is None or rule[1] in {DEFAULT, DJANGO}:
        return {}
    found: dict[str, Any] = getattr(settings, name)
    return found


def _is_taken(service: Any, route: str) -> bool:
    """Return whether the API has an endpoint of its own at a path."""
    return route in paths_of(service)


def paths_of(service: Any) -> list[str]:
    """Return where the endpoints of the API are, as templates.

    Args:
        service: the service, set up.
    """
    operations = service.engine.operations
    return [f"{service.route}{item.template}".rstrip("/") for item in operations]
