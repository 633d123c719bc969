"""A service for tests of serving: hooks, lanes, database connections, native routes."""

import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator

from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.response import Response

BACKEND = os.environ.get("BACKEND", "django")
ASYNCHRONOUS = os.environ.get("ASYNCHRONOUS") == "1"
IS_ASYNC = ASYNCHRONOUS or BACKEND not in {"django", "flask"}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class RootAPI(api.API):
    @api.get
    def backend_pid(self):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            return cursor.fetchone()[0]

    @api.get
    def thread(self):
        return {"name": threading.current_thread().name, "pid": os.getpid()}

    @api.get
    def sleep(self, seconds: float):
        time.sleep(seconds)
        return "slept"

    @api.get
    def fail(self):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("select 1 / 0")

    @api.get
    def ticks(self) -> Iterator[str]:
        try:
            for number in range(1000):
                yield f"{number}\n"
                time.sleep(0.02)
        finally:
            say("ticks ended")


class AsyncAPI(api.API):
    @api.get
    async def backend_pid(self):
        from asgiref.sync import sync_to_async

        return await sync_to_async(RootAPI.backend_pid)(self)

    @api.get
    async def threads(self):
        from asgiref.sync import sync_to_async

        def name() -> str:
            return threading.current_thread().name

        return [await sync_to_async(name)() for _ in range(3)]

    @api.get
    async def ticks(self) -> AsyncIterator[str]:
        import asyncio

        try:
            for number in range(1000):
                yield f"{number}\n"
                await asyncio.sleep(0.02)
        finally:
            say("async ticks ended")

    @api.post
    async def upper(self, body: AsyncIterator[bytes] = request.Body):
        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in body:
                yield chunk.upper()

        return Response(chunks(), content_type="text/plain")


class AsyncRootAPI(RootAPI):
    asynchronous: AsyncAPI


def native_app():
    """Return an application object with a native route, when NATIVE asks for one."""
    if BACKEND == "flask":
        from flask import Flask

        app = Flask("native")
        app.get("/native")(lambda: "native")
        app.after_request(_mark)
        return app
    if BACKEND == "starlette":
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route

        async def native(_request):
            return PlainTextResponse("native")

        async def lifespan_marker(app):
            say("native start")
            yield
            say("native stop")

        from contextlib import asynccontextmanager

        return Starlette(
            routes=[Route("/native", native)], lifespan=asynccontextmanager(lifespan_marker)
        )
    if BACKEND == "fastapi":
        from fastapi import FastAPI
        from fastapi.responses import PlainTextResponse

        app = FastAPI()

        @app.get("/native", response_class=PlainTextResponse)
        def native_route():
            return "native"

        return app
    if BACKEND == "sanic":
        from sanic import Sanic
        from sanic.response import text

        app = Sanic("native")

        @app.get("/native")
        async def native_view(_request):
            return text("native")

        return app
    from tornado.web import Application, RequestHandler

    class Native(RequestHandler):
        def get(self):
            self.write("native")

    return Application([("/native", Native)])


def _mark(response):
    response.headers["X-Native"] = "1"
    return response


service = UtilMeta(
    __name__,
    name="serving",
    backend=native_app() if os.environ.get("NATIVE") else BACKEND,
    asynchronous=ASYNCHRONOUS or None,
    api=AsyncRootAPI if IS_ASYNC else RootAPI,
    route=os.environ.get("ROUTE", "/api"),
    port=int(os.environ.get("PORT", "8000")),
)
if os.environ.get("MAX_AGE"):
    service.use(
        DatabaseConnections(
            {
                "default": Database(
                    name="test",
                    engine="postgresql",
                    user="postgres",
                    host="127.0.0.1",
                    max_age=None if os.environ["MAX_AGE"] == "none" else int(os.environ["MAX_AGE"]),
                    options={"application_name": os.environ["APPLICATION"]},
                )
            }
        )
    )


@service.on_startup
def first():
    say(f"start 1 in {os.getpid()}")
    time.sleep(float(os.environ.get("START_SECONDS", "0")))
    if os.environ.get("FAIL") == "start":
        raise RuntimeError("no start today")


@service.on_startup
def second():
    say(f"start 2 in {os.getpid()}")


@service.on_shutdown
def one():
    say("stop 1")


@service.on_shutdown
def two():
    say("stop 2")
    if os.environ.get("FAIL") == "stop":
        raise RuntimeError("no stop today")


app = service.application()

if __name__ == "__main__":
    workers = os.environ.get("WORKERS")
    service.run(**({"workers": int(workers)} if workers else {}))
