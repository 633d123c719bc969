"""Plugins: those that come along, and one of your own."""

import os
import time
from typing import Any

from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.request.conditions import require_match


class Timing(api.Plugin):
    """Tells how long an answer took."""

    def process_request(self, request: Any, api: Any) -> None:
        request.context["began"] = time.perf_counter()

    def process_response(self, response: Any, api: Any) -> None:
        seconds = time.perf_counter() - api.request.context["began"]
        response.headers["Server-Timing"] = f"app;dur={seconds * 1000:.1f}"


class OrderAPI(api.API):
    @api.get
    @api.Cache(max_age=60)
    def prices(self):
        return {"milk": 2}

    @api.post
    @api.Idempotency()
    def pay(self, amount: int = request.BodyParam(ge=1)):
        return {"paid": amount, "receipt": time.time_ns()}

    @api.get
    @api.RateLimit("3/minute", key="header:x-who")
    def quote(self):
        return "42"

    @api.get
    @api.Retry(2, delay=0.01)
    @api.Timeout(2)
    def upstream(self):
        return "answered"

    @api.put
    def note(self, text: str = request.BodyParam):
        # 412 unless If-Match names the version that is there.
        require_match(self.request, etag='"v1"')
        return {"text": text}


@api.CORS(["https://app.example.com"], allow_credentials=True)
@Timing()
class RootAPI(api.API):
    orders: OrderAPI


service = UtilMeta(
    __name__,
    name="orders",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
service.use(CacheConnections({"default": Cache()}))
app = service.application()

if __name__ == "__main__":
    service.run()
