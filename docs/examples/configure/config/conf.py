"""All configuration of the service in one function."""

from config.env import env
from utilmeta import UtilMeta


def configure(service: UtilMeta):
    from utilmeta.conf.time import Time
    from utilmeta.core.orm import Database, DatabaseConnections
    from utilmeta.core.server.backends.django import DjangoSettings

    service.use(
        DjangoSettings(
            apps_package="domain",
            secret_key=env.DJANGO_SECRET_KEY,
        )
    )
    service.use(
        DatabaseConnections(
            {
                "default": Database(
                    name="db",
                    engine="sqlite3",
                )
            }
        )
    )
    service.use(
        Time(
            time_zone="UTC",
            use_tz=True,
            datetime_format="%Y-%m-%dT%H:%M:%S.%fZ",
        )
    )
