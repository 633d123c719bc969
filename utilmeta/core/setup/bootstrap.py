"""The only code that touches django.conf and calls django.setup()."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import django
from django.apps import apps
from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.log import configure_logging

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
    # Django refuses to hand out an empty SECRET_KEY, which is what is to be found out here.
    holder = settings._wrapped  # noqa: SLF001
    return {
        name: getattr(holder, name)
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
    late: tuple[str, ...] = ()
    if existing is None:
        merged = merge(None, composed, production=production)
        settings.configure(**merged.values)
    else:
        merged = merge(existing, composed, production=production)
        late = tuple(name for name in _READ_EARLY if name in merged.values and _is_populated())
        for name, value in merged.values.items():
            if name != "INSTALLED_APPS" or name not in late:
                _set(name, value)
    if "TIME_ZONE" in merged.values:
        _use_time_zone()
    if not _is_populated():
        django.setup()
    elif "LOGGING" in merged.values:
        # Django's own set-up has read it before.
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    return replace(merged, late=late)


# What Django has read when its registry is filled: the apps themselves, and the models' keys.
_READ_EARLY = ("INSTALLED_APPS", "DEFAULT_AUTO_FIELD")


def _use_time_zone() -> None:
    """Make the configured zone the process's, as Django does for settings modules."""
    os.environ["TZ"] = settings.TIME_ZONE
    time.tzset()
    cached: Any = timezone.get_default_timezone
    cached.cache_clear()


def _is_populated() -> bool:
    return bool(apps.apps_ready or apps.loading)


def _set(name: str, value: Any) -> None:
    own = settings.is_overridden(name)
    current = getattr(settings._wrapped, name, None) if own else None  # noqa: SLF001
    if isinstance(current, dict) and isinstance(value, dict):
        # Connection handlers may hold the same dictionary already, so it is added to in place.
        current.update({alias: item for alias, item in value.items() if not current.get(alias)})
    else:
        setattr(settings, name, value)
    _configure_aliases(name)


def _configure_aliases(name: str) -> None:
    from django.core.cache import caches
    from django.db import connections

    handler: Any = {"DATABASES": connections, "CACHES": caches}.get(name)
    if handler is not None:
        # Django fills in the defaults of each alias when the handler first reads its settings.
        vars(handler).pop("settings", None)
        handler._settings = None  # noqa: SLF001


def is_composed(composed: Composed, alias: str) -> bool:
    """Return whether the database of an alias is the service's, not the project's."""
    databases: Any = composed.values["DATABASES"]
    return settings.DATABASES.get(alias) is databases.get(alias)


def keep_no_connections(composed: Composed) -> None:
    """Close connections with their request where nobody said how long they are kept."""
    for alias in composed.aged:
        if is_composed(composed, alias):
            # The same dictionary that open connections read.
            settings.DATABASES[alias].update({"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False})


def is_debug() -> bool:
    """Return Django's `DEBUG`."""
    return bool(settings.DEBUG)


def allowed_hosts() -> list[str]:
    """Return Django's `ALLOWED_HOSTS`; in development, without any, those of this machine."""
    hosts = list(settings.ALLOWED_HOSTS)
    return hosts or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
