"""A FastAPI application of one's own, with its own routes, that serves a UtilMeta API as well."""

import os

from fastapi import FastAPI

from utilmeta import UtilMeta
from utilmeta.core import api

fastapi_app = FastAPI(debug=False, title="My own application")


@fastapi_app.get("/native")
async def native():
    return {"from": "fastapi"}


class RootAPI(api.API):
    @api.get
    def hello(self):
        return {"from": "utilmeta"}


service = UtilMeta(
    __name__,
    name="demo",
    backend=fastapi_app,
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
