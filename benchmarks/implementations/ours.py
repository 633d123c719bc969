"""This project: one API class on the back end that `BENCHMARKS_BACKEND` names."""

import os
from importlib import import_module
from typing import Any

from benchmarks.data import add_sleep_to_django, database_url
from benchmarks.implementations.middleware import (
    ASGIStamp,
    flask_stamp,
    sanic_stamp,
    wanted,
)
from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

BACKEND = os.environ["BENCHMARKS_BACKEND"]
STAMP = "benchmarks.implementations.middleware.DjangoStamp"


def backend() -> Any:
    """Return the back end's name, or an application that has a middleware of its own."""
    if not wanted() or BACKEND == "django":
        return BACKEND
    framework = import_module(BACKEND)
    if BACKEND == "flask":
        app = framework.Flask("ours")
        app.after_request(flask_stamp)
        return app
    if BACKEND == "sanic":
        app = framework.Sanic("ours", configure_logging=False)
        app.config.ACCESS_LOG = False
        app.register_middleware(sanic_stamp, "response")
        return app
    if BACKEND == "fastapi":
        app = framework.FastAPI()
    else:
        app = import_module("starlette.applications").Starlette()
    app.add_middleware(ASGIStamp)
    return app


service = UtilMeta(
    __name__,
    name="ours",
    backend=backend(),
    asynchronous=bool(os.environ.get("BENCHMARKS_ASYNCHRONOUS")) or None,
    production=True,
    api="benchmarks.implementations." + os.environ.get("BENCHMARKS_API", "ours_api") + ".RootAPI",
    route="/api",
    port=int(os.environ.get("BENCHMARKS_PORT", "8000")),
)
service.use(
    DjangoSettings(
        secret_key="only-for-measuring",
        apps=["django.contrib.auth", "django.contrib.contenttypes", "testproject.conduit"],
        middleware=[STAMP] if wanted() and BACKEND == "django" else [],
        allowed_hosts=["localhost", "127.0.0.1"],
        extra={"AUTH_USER_MODEL": "conduit.User"},
    )
)
service.use(DatabaseConnections({"default": Database.from_url(database_url())}))
add_sleep_to_django()

app = service.application()

if __name__ == "__main__":
    service.run()
