"""FastAPI: as Starlette, of which it is one."""

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
        return FastAPI(debug=not frame.production, openapi_url=None, title=frame.name)

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a FastAPI application."""
        return isinstance(app, FastAPI)


ADAPTER = FastAPIAdapter
