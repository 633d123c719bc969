"""Whether the service lives, and whether it is ready for requests."""

from dataclasses import dataclass

from utilmeta.conf.base import Config
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.fields import is_plain_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Config):
    """Endpoints that tell load balancers and orchestrators how a serving process is.

    Args:
        live: path that answers 200 as long as the process answers at all; None for no such path.
        ready: path that answers 200 when requests may be sent here and 503 when not; None for no
            such path.
        databases: whether a database that cannot be reached means not ready.
        caches: whether a cache that cannot be reached means not ready.
        migrations: whether migrations that are not applied mean not ready.
        timeout: seconds after which a check that has not ended has failed.
        interval: seconds an outcome is kept, so that many who ask cost no more than one.
        grace: seconds between readiness turning false and the first refused request when the
            service is told to end, for load balancers to notice.
    """

    live: str | None = "/healthz"
    ready: str | None = "/readyz"
    databases: bool = True
    caches: bool = True
    migrations: bool = True
    timeout: int | float = 2
    interval: int | float = 1
    grace: int | float = 5

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, a path is none such as `/healthz`, or a number of
                seconds is negative.
        """
        Config.__post_init__(self)
        for name in ("live", "ready"):
            path = getattr(self, name)
            if path is not None and not is_plain_path(path):
                raise ConfigError(
                    f"Health({name}={path!r}): expected a path such as '/{name.rstrip('/')}z'"
                )
        if self.live is not None and self.live == self.ready:
            raise ConfigError(f"Health(live={self.live!r}, ready=...): expected two paths")
        if self.timeout <= 0:
            raise ConfigError(f"Health(timeout={self.timeout}): expected seconds above 0")
        for name in ("interval", "grace"):
            if getattr(self, name) < 0:
                raise ConfigError(f"Health({name}={getattr(self, name)}): expected seconds, or 0")

    def grace_for(self, *, production: bool) -> float:
        """Return the seconds of grace; none in development, where Ctrl+C has nobody to tell."""
        return self.grace if production else 0.0
