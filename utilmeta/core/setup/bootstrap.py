"""The only code that touches django.conf and calls django.setup()."""

import os
from collections.abc import Mapping
from typing import Any

import django
from django.apps import apps
from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.exceptions import ImproperlyConfigured

from utilmeta.core.setup.compose import Composed
from utilmeta.core.setup.merge import Merged, merge
from utilmeta.utils.exceptions import ConfigError


def existing_settings(module_name: str | None) -> Mapping[str, Any] | None:
    """Return what an existing Django project sets, None when there is no project.

    Args:
        module_name: settings module named by the user; it wins when nothing is configured yet.

    Raises:
        ConfigError: another settings module is in force already, or the module fails to import.
    """
    if not settings.configured:
        if module_name is not None:
            os.environ[ENVIRONMENT_VARIABLE] = module_name
        if not os.environ.get(ENVIRONMENT_VARIABLE):
            return None
        try:
            settings.is_overridden("DEBUG")
        except (ImportError, ImproperlyConfigured) as exc:
            raise ConfigError(
                f"the settings module {os.environ[ENVIRONMENT_VARIABLE]!r} (from "
                f"{'DjangoSettings(module_name=...)' if module_name else ENVIRONMENT_VARIABLE}) "
                f"cannot be used: {exc}"
            ) from exc
    loaded = getattr(settings, "SETTINGS_MODULE", None)
    if module_name is not None and loaded != module_name:
        raise ConfigError(
            f"DjangoSettings(module_name={module_name!r}): Django uses "
            f"{loaded or 'settings made in code'!r} already; name that, or make the service first"
        )
    return {
        name: getattr(settings, name)
        for name in dir(settings)
        if name.isupper() and settings.is_overridden(name)
    }


def apply(composed: Composed, *, module_name: str | None, production: bool) -> Merged:
    """Put composed settings in force and set Django up.

    In an existing project only what the rules allow is touched. When Django is already set up, or
    is just being set up, its list of apps is left alone: a check then names the line to add.

    Returns:
        What was set, and why.

    Raises:
        ConfigError: the settings do not go together; see `merge` and `existing_settings`.
    """
    existing = existing_settings(module_name)
    if existing is None:
        merged = merge(None, composed, production=production)
        settings.configure(**merged.values)
    else:
        merged = merge(existing, composed, production=production)
        for name, value in merged.values.items():
            if name == "INSTALLED_APPS" and _is_populated():
                continue
            _set(name, value)
    if not _is_populated():
        django.setup()
    return merged


def _is_populated() -> bool:
    return bool(apps.apps_ready or apps.loading)


def _set(name: str, value: Any) -> None:
    current = getattr(settings, name, None)
    if isinstance(current, dict) and isinstance(value, dict):
        # Connection handlers may hold the same dictionary already, so it is added to in place.
        current.update({alias: item for alias, item in value.items() if not current.get(alias)})
        _configure_aliases(name)
        return
    setattr(settings, name, value)


def _configure_aliases(name: str) -> None:
    from django.core.cache import caches
    from django.db import connections

    handler: Any = {"DATABASES": connections, "CACHES": caches}.get(name)
    if handler is not None and "settings" in vars(handler):
        # Django fills in the defaults of each alias when the handler first reads its settings.
        del handler.settings


def is_debug() -> bool:
    """Return Django's `DEBUG`."""
    return bool(settings.DEBUG)
