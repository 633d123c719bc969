"""The service under test."""

import os

from utilmeta import UtilMeta
from utilmeta.core import api, request


class RootAPI(api.API):
    @api.get
    def add(self, a: int, b: int = request.QueryParam(0)):
        return {"sum": a + b}


service = UtilMeta(
    __name__, name="shop", backend=os.environ.get("BACKEND", "starlette"), api=RootAPI, route="/api"
)
