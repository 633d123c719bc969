"""Django configuration of the Conduit app."""

from django.apps import AppConfig


class ConduitConfig(AppConfig):
    """Registers the Conduit app under the label `conduit`."""

    name = "testproject.conduit"
    label = "conduit"
    verbose_name = "Conduit"
    default_auto_field = "django.db.models.BigAutoField"
