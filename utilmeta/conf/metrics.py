"""What a service counts, and who may read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from utilmeta.conf.base import Config
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.fields import check_networks, is_plain_path

# Seconds, from what a cached answer takes to what clients give up on.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Config):
    """Numbers about requests, statements and processes, as Prometheus reads them.

    It needs `pip install 'utilmeta[metrics]'`. Where several processes serve, all of them count
    into the folder that the variable `PROMETHEUS_MULTIPROC_DIR` names, and each tells the sum.

    Args:
        path: where they are read.
        allow: addresses and networks that may read them besides this machine; others get 404, and
            so does what came through a proxy that `Preference(trusted_proxies=...)` does not name.
        buckets: upper bounds of durations, in seconds.
        sizes: whether the sizes of requests and answers are counted too.
    """

    path: str = "/metrics"
    allow: Sequence[str] = ()
    buckets: Sequence[int | float] = BUCKETS
    sizes: bool = False

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, the path is none such as `/metrics`, an entry of
                `allow` is no network, or the buckets do not rise.
        """
        Config.__post_init__(self)
        if not is_plain_path(self.path):
            raise ConfigError(f"Metrics(path={self.path!r}): expected a path such as '/metrics'")
        check_networks("Metrics(allow=...)", self.allow)
        bounds = list(self.buckets)
        if not bounds or bounds[0] <= 0 or sorted(set(bounds)) != bounds:
            raise ConfigError(
                f"Metrics(buckets={self.buckets!r}): expected seconds above 0 that rise"
            )
