"""Another service for the length of a `with` block."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any

from utilmeta.conf import Config, current
from utilmeta.core.server.service import UtilMeta


@contextmanager
def override_service(
    module_name: str = __name__,
    *,
    configs: Sequence[Config | type[Config]] = (),
    settings: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[UtilMeta]:
    """Make another service for the length of a `with` block, where a process holds only one.

    Django's settings and URLconf are those of the block as well: what the service sets is undone
    at its end. In a process whose Django is not configured, the first such service configures it.

    Args:
        module_name: as for `UtilMeta`.
        configs: configurations for `use`.
        settings: Django settings for the block.
        **options: as for `UtilMeta`.
    """
    with current.replaced(), _settings(settings or {}):
        service = UtilMeta(module_name, **options)
        for config in configs:
            service.use(config)
        try:
            yield service
        finally:
            service.lifecycle.stop()


def _settings(given: dict[str, Any]) -> AbstractContextManager[Any]:
    from django.conf import ENVIRONMENT_VARIABLE, settings
    from django.test import override_settings

    if not (settings.configured or os.environ.get(ENVIRONMENT_VARIABLE)):
        return nullcontext()
    urlconf: Any = ModuleType("utilmeta_override_urls")
    urlconf.urlpatterns = []
    # What the clients call themselves, beside what the project answers for.
    hosts = [*settings.ALLOWED_HOSTS, "localhost", "127.0.0.1", "testserver"]
    given = {"ALLOWED_HOSTS": hosts, **given}
    return override_settings(ROOT_URLCONF=urlconf, **given)
