"""Django REST framework beside an API: serializers, views, routers and policies of its kind.

Names are loaded when they are first asked for, as REST framework reads Django's settings.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from utilmeta.utils.exceptions import DependencyNotInstalled

if find_spec("rest_framework") is None:
    raise DependencyNotInstalled(
        "rest_framework",
        requirement="utilmeta[drf]",
        purpose="utilmeta.contrib.rest_framework",
    )

if TYPE_CHECKING:
    from utilmeta.contrib.rest_framework.authentication import DRFAuthentication
    from utilmeta.contrib.rest_framework.documents import make_document
    from utilmeta.contrib.rest_framework.policies import Use, check_object_permissions
    from utilmeta.contrib.rest_framework.requests import request_of
    from utilmeta.contrib.rest_framework.routers import APIRoutes, Router
    from utilmeta.contrib.rest_framework.serializing import Existing

__all__ = [
    "APIRoutes",
    "DRFAuthentication",
    "Existing",
    "Router",
    "Use",
    "check_object_permissions",
    "make_document",
    "request_of",
]

_PLACES = {
    "APIRoutes": "routers",
    "DRFAuthentication": "authentication",
    "Existing": "serializing",
    "Router": "routers",
    "Use": "policies",
    "check_object_permissions": "policies",
    "make_document": "documents",
    "request_of": "requests",
}


def __getattr__(name: str) -> Any:
    """Return a public name, imported when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
