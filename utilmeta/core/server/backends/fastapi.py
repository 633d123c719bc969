"""FastAPI: as Starlette, of which it is one."""

import inspect
from typing import Any

from fastapi import FastAPI

from utilmeta.core.server.backends.starlette import StarletteAdapter
from utilmeta.core.server.contract import Frame


class FastAPIAdapter(StarletteAdapter):
    """Serves behind the application's middleware, after its own routes."""

    name = "fastapi"
    package = "fastapi"
    requirement = "utilmeta[fastapi]"

    @staticmethod
    def make(frame: Frame) -> FastAPI:
        """Return a new application, without FastAPI's own documents."""
        options: dict[str, Any] = {}
        if frame.has_traces and "telemetry" in inspect.signature(FastAPI).parameters:
            # Newer ones make spans of their own.
            options["telemetry"] = {"tracing": False, "metrics": False, "logs": False}
        return FastAPI(debug=not frame.production, openapi_url=None, title=frame.name, **options)

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a FastAPI application."""
        return isinstance(app, FastAPI)


ADAPTER = FastAPIAdapter
