"""Django's checks of middleware, where no middleware of Django's is run."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.checks.registry import registry
from django.core.checks.security import base, csrf

from utilmeta.conf import current

# They ask for middleware that only Django's own handlers run.
_NAMES = (
    (base, "check_security_middleware"),
    (base, "check_xframe_options_middleware"),
    (csrf, "check_csrf_middleware"),
)


def leave_to_django() -> None:
    """Have Django ask for its middleware only where it is run; harmless when repeated."""
    checks = registry.deployment_checks
    for module, name in _NAMES:
        check: Any = getattr(module, name)
        if check in checks:
            checks.remove(check)
            checks.add(_only_with_django(check))


def _only_with_django(check: Callable[..., Any]) -> Any:
    @wraps(check)
    def look(app_configs: Any, **kwargs: Any) -> Any:
        return check(app_configs, **kwargs) if runs_middleware(current.get()) else []

    return look


def runs_middleware(service: Any) -> bool:
    """Return whether Django's middleware sees any request of the process.

    Args:
        service: the running service; None without one.
    """
    if service is None or service.backend_name == "django":
        return True
    return bool(settings.MIDDLEWARE)
