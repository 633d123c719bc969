"""The original UtilMeta, as released on PyPI, on Django WSGI."""

import django

import benchmarks.settings  # noqa: F401  (it takes the module from those that are loaded)
from utilmeta import UtilMeta
from utilmeta.conf import Time
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="original",
    backend=django,
    production=True,
    route="/api",
    api="benchmarks.implementations.original_api.RootAPI",
)
service.use(DjangoSettings(module_name="benchmarks.settings"))
# By itself it leaves the zone of moments out.
service.use(Time(time_zone="UTC", use_tz=True, datetime_format="%Y-%m-%dT%H:%M:%S%z"))
app = service.application()
