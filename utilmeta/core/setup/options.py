"""What a service tells Django, as one typed class."""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from utilmeta.conf.base import Config
from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoSettings(Config):
    """Django's settings for the service; what is left at None keeps an existing project's.

    Args:
        module_name: settings module of an existing project, such as `shop.settings`.
        secret_key: Django's `SECRET_KEY`; required in production.
        apps: entries of `INSTALLED_APPS`.
        apps_package: package or packages whose direct sub-packages are all apps.
        middleware: entries of `MIDDLEWARE`.
        database_routers: entries of `DATABASE_ROUTERS`.
        allowed_hosts: host names the service answers for.
        root_urlconf: module of Django's URL patterns, in place of the service's.
        wsgi_application: dotted path of the WSGI application, in place of the service's.
        default_autofield: class of automatic primary keys.
        language: language code.
        use_i18n: whether Django translates.
        append_slash: whether Django's CommonMiddleware redirects to a trailing slash.
        extra: any other settings, by upper-case name.
    """

    module_name: str | None = None
    secret_key: str = field(default="", repr=False)
    apps: Sequence[str] = ()
    apps_package: str | Sequence[str] = ()
    middleware: Sequence[str] = ()
    database_routers: Sequence[str] = ()
    allowed_hosts: Sequence[str] = ()
    root_urlconf: str | None = None
    wsgi_application: str | None = None
    default_autofield: str | None = None
    language: str | None = None
    use_i18n: bool | None = None
    append_slash: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    # dataclass leaves a __repr__ alone that is in the class body.
    __repr__ = Config.__repr__

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type; a list is given as text; `extra` holds a name
                that is not upper case or has an option of its own.
        """
        Config.__post_init__(self)
        for name in ("apps", "middleware", "database_routers", "allowed_hosts"):
            if isinstance(getattr(self, name), str):
                raise ConfigError(
                    f"DjangoSettings({name}=...): expected a list of texts, got a text"
                )
        for name in self.extra:
            if not name.isupper():
                raise ConfigError(
                    f"DjangoSettings(extra=...): {name!r} is no setting; use upper case"
                )
            if name in _OPTIONS:
                raise ConfigError(
                    f"DjangoSettings(extra=...): {name} is set by {_OPTIONS[name]}; use that"
                )

    def installed_apps(self) -> list[str]:
        """Return the apps, those of the packages after those named.

        Raises:
            ConfigError: a package cannot be found.
        """
        packages = [self.apps_package] if isinstance(self.apps_package, str) else self.apps_package
        found = [app for package in packages if package for app in _sub_packages(package)]
        return list(dict.fromkeys([*self.apps, *found]))

    def _decided(self) -> dict[str, object]:
        return {
            "SECRET_KEY": self.secret_key or None,
            "ROOT_URLCONF": self.root_urlconf,
            "WSGI_APPLICATION": self.wsgi_application,
            "DEFAULT_AUTO_FIELD": self.default_autofield,
            "LANGUAGE_CODE": self.language,
            "USE_I18N": self.use_i18n,
            "APPEND_SLASH": self.append_slash,
        }

    def django_settings(self) -> dict[str, object]:
        """Return the settings that were decided.

        Raises:
            ConfigError: a package of apps cannot be found.
        """
        settings: dict[str, object] = {
            "INSTALLED_APPS": self.installed_apps(),
            "MIDDLEWARE": list(self.middleware),
            "DATABASE_ROUTERS": list(self.database_routers),
            "ALLOWED_HOSTS": list(self.allowed_hosts),
        }
        settings = {name: value for name, value in settings.items() if value}
        decided = {name: value for name, value in self._decided().items() if value is not None}
        return {**settings, **decided, **self.extra}

    def named_settings(self) -> frozenset[str]:
        """Return the settings the user decided."""
        return frozenset(name for name, value in self._decided().items() if value is not None)


_OPTIONS = {
    "SECRET_KEY": "DjangoSettings(secret_key=...)",
    "INSTALLED_APPS": "DjangoSettings(apps=...)",
    "MIDDLEWARE": "DjangoSettings(middleware=...)",
    "DATABASE_ROUTERS": "DjangoSettings(database_routers=...)",
    "ALLOWED_HOSTS": "DjangoSettings(allowed_hosts=...)",
    "ROOT_URLCONF": "DjangoSettings(root_urlconf=...)",
    "WSGI_APPLICATION": "DjangoSettings(wsgi_application=...)",
    "DEFAULT_AUTO_FIELD": "DjangoSettings(default_autofield=...)",
    "LANGUAGE_CODE": "DjangoSettings(language=...)",
    "USE_I18N": "DjangoSettings(use_i18n=...)",
    "APPEND_SLASH": "DjangoSettings(append_slash=...)",
    "DEBUG": "UtilMeta(production=...)",
    "DATABASES": "DatabaseConnections(...)",
    "CACHES": "CacheConnections(...)",
    "TIME_ZONE": "Time(time_zone=...)",
    "USE_TZ": "Time(use_tz=...)",
}


def _sub_packages(package: str) -> list[str]:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.submodule_search_locations is None:
        raise ConfigError(
            f"DjangoSettings(apps_package={package!r}): there is no such package on the import path"
        )
    return [
        f"{package}.{info.name}"
        for info in pkgutil.iter_modules(spec.submodule_search_locations)
        if info.ispkg and not info.name.startswith("_")
    ]
