"""The engine: from a raw request to a raw response, on whatever framework."""

from utilmeta.core.server.engine.engine import Engine, EngineRules

__all__ = ["Engine", "EngineRules"]
