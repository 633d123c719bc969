"""What a service is told: configuration classes, environment variables, the running service."""

from utilmeta.conf.base import Config, ServiceInfo
from utilmeta.conf.deployment import Deployment
from utilmeta.conf.env import Env
from utilmeta.conf.health import Health
from utilmeta.conf.logs import Logging
from utilmeta.conf.metrics import Metrics
from utilmeta.conf.preference import Preference
from utilmeta.conf.time import Time
from utilmeta.conf.tracing import Tracing

__all__ = [
    "Config",
    "Deployment",
    "Env",
    "Health",
    "Logging",
    "Metrics",
    "Preference",
    "ServiceInfo",
    "Time",
    "Tracing",
]
