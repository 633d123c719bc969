"""The app's name, which its models have to tell as they are imported before it is installed."""

from django.apps import AppConfig

LABEL = "auth_project"


class ProjectConfig(AppConfig):
    """The app of the models of this folder."""

    name = "tests.auth.project"
    label = LABEL
    default_auto_field = "django.db.models.BigAutoField"
