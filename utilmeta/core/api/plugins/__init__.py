"""Plugins: code around endpoints, put there by decorators."""

from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.api.plugins.cache import Cache
from utilmeta.core.api.plugins.cors import CORS
from utilmeta.core.api.plugins.idempotency import Idempotency
from utilmeta.core.api.plugins.rate_limit import RateLimit
from utilmeta.core.api.plugins.retry import BodyLimit, Retry, Timeout

__all__ = ["CORS", "BodyLimit", "Cache", "Idempotency", "Plugin", "RateLimit", "Retry", "Timeout"]
