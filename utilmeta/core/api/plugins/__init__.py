"""Plugins: code around endpoints, put there by decorators."""

from utilmeta.core.api.plugins.base import Plugin

__all__ = ["Plugin"]
