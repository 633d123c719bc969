"""The Django app: when things are wired."""

from django.apps import AppConfig
from django.conf import settings


class UtilMetaConfig(AppConfig):
    """`utilmeta` in `INSTALLED_APPS`."""

    name = "utilmeta"
    verbose_name = "UtilMeta"

    def ready(self) -> None:
        """Load the project's service and set it up, and register the checks.

        The setting `UTILMETA_SERVICE` names the service, such as `shop.service.service`; without
        it a service that exists already is set up.
        """
        from utilmeta.checks import register_checks
        from utilmeta.conf import current
        from utilmeta.utils.references import load_reference

        reference = getattr(settings, "UTILMETA_SERVICE", None)
        if reference and current.get() is None:
            load_reference(reference, what="UTILMETA_SERVICE")
        service = current.get()
        if service is not None:
            service.setup()
        register_checks()
