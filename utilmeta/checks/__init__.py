"""Django system checks of the running service."""

from django.core.checks import register

from utilmeta.checks.deployment import check_deployment
from utilmeta.checks.framework import leave_to_django
from utilmeta.checks.service import NO_SERVICE, check_service

__all__ = ["NO_SERVICE", "check_deployment", "check_service", "register_checks"]


def register_checks() -> None:
    """Make Django run the checks; harmless when repeated."""
    register(check_service, "utilmeta")
    register(check_deployment, "utilmeta", deploy=True)
    leave_to_django()
