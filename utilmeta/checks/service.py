"""What is worth knowing of the running service, in development too."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Info, Warning  # noqa: A004 - Django's name

from utilmeta.conf import current
from utilmeta.core.orm.connections.checks import check_databases
from utilmeta.core.server.identity import is_semantic
from utilmeta.core.setup.merge import RANDOM_KEY

NO_SERVICE = Info(
    "There is no service in this process.",
    hint="Set UTILMETA_SERVICE to its dotted path, such as 'shop.service.service'.",
    id="utilmeta.I001",
)


def check_service(app_configs: Sequence[Any] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Return what is worth knowing of the running service and its settings."""
    service = current.get()
    if service is None:
        return [NO_SERVICE]
    found = [_version, _secret_key, _apps, _late, _urls, _databases]
    return [message for look in found for message in look(service)]


def _late(service: Any) -> list[CheckMessage]:
    if service.settings is None or "DEFAULT_AUTO_FIELD" not in service.settings.late:
        return []
    value = service.settings.values["DEFAULT_AUTO_FIELD"]
    return [
        Warning(
            "DjangoSettings(default_autofield=...) came after the models were loaded, so it has no "
            "effect.",
            hint=f"Write in the settings module: DEFAULT_AUTO_FIELD = {value!r}",
            id="utilmeta.W005",
        )
    ]


def _version(service: Any) -> list[CheckMessage]:
    if is_semantic(service.version):
        return []
    return [
        Warning(
            f"The version {service.version!r} of service {service.name!r} is not semantic.",
            hint="Write three numbers, such as '1.0.2' or (1, 0, 2); see semver.org.",
            id="utilmeta.W001",
        )
    ]


def _secret_key(service: Any) -> list[CheckMessage]:
    origins = service.settings.origins if service.settings else {}
    if origins.get("SECRET_KEY", ("", ""))[1] != RANDOM_KEY:
        return []
    return [
        Warning(
            "SECRET_KEY is random and changes with every process, so that signed values do not "
            "outlive it and several workers do not understand each other.",
            hint="Give DjangoSettings(secret_key=...), read from an environment variable.",
            id="utilmeta.W002",
        )
    ]


def _apps(service: Any) -> list[CheckMessage]:
    wanted = service.composed.values["INSTALLED_APPS"] if service.composed else []
    installed = {config.name for config in apps.get_app_configs()}
    labels = {f"{type(c).__module__}.{type(c).__qualname__}" for c in apps.get_app_configs()}
    missing = [name for name in wanted if name not in installed | labels]
    if not missing:
        return []
    lines = ", ".join(repr(name) for name in missing)
    return [
        Warning(
            f"The service needs apps that Django was set up without: {lines}.",
            hint=f"Add to INSTALLED_APPS in the settings module: {lines}.",
            id="utilmeta.W003",
        )
    ]


def _urls(service: Any) -> list[CheckMessage]:
    if service.backend_name != "django" or not service.engine.operations:
        return []
    from django.urls import get_resolver

    from utilmeta.core.server.patterns import views_of

    views = {pattern.callback for pattern in service.urlpatterns if hasattr(pattern, "callback")}
    if any(view in views for view in views_of(get_resolver().url_patterns)):
        return []
    return [
        Warning(
            "ROOT_URLCONF does not lead to the service's API.",
            hint="Add to its urlpatterns: path('', include('utilmeta.urls')), or serve "
            "service.application().",
            id="utilmeta.W004",
        )
    ]


def _databases(service: Any) -> list[CheckMessage]:
    return check_databases(settings.DATABASES, service.serving, service.backend_name)
