"""A service whose requests are logged, counted and traced."""

import logging
import os
import time

import spans
from django.db import connection
from utilmeta import UtilMeta
from utilmeta.conf import Logging, Metrics, Tracing
from utilmeta.core import api
from utilmeta.core.server.backends.django import DjangoSettings

logger = logging.getLogger("shop")
spans.begin()


class RootAPI(api.API):
    @api.get("orders/{number}")
    def order(self, number: int) -> dict[str, int]:
        logger.info("an order is looked for", extra={"order": number})
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [number])
        return {"number": number}

    @api.get
    def slow(self) -> str:
        time.sleep(0.2)
        return "done"

    @api.get
    def broken(self) -> None:
        raise RuntimeError("the till is locked")


service = UtilMeta(
    __name__,
    name="shop",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    production=os.environ.get("PRODUCTION", "1") == "1",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(DjangoSettings(secret_key="only-an-example", allowed_hosts=["127.0.0.1"]))
service.use(Logging(slow_request=0.1, slow_sql=0.1, loggers={"shop": "DEBUG"}))
service.use(Metrics(allow=["10.0.0.0/8"]))
service.use(Tracing())

app = service.application()

if __name__ == "__main__":
    service.run()
