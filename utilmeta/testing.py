"""Help for tests of services."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from utilmeta.conf import current
from utilmeta.core.server.service import UtilMeta


@contextmanager
def override_service(module_name: str = __name__, **options: Any) -> Iterator[UtilMeta]:
    """Make another service for the length of a `with` block, where a process holds only one.

    Django's settings and URLconf are those of the block as well: what the service sets is undone
    at its end.

    Args:
        module_name: as for `UtilMeta`.
        **options: as for `UtilMeta`.
    """
    from django.test import override_settings

    urlconf: Any = ModuleType("utilmeta_override_urls")
    urlconf.urlpatterns = []
    with current.replaced(), override_settings(ROOT_URLCONF=urlconf):
        yield UtilMeta(module_name, **options)
