"""Results: templates, files, cookies, streams of records."""

import os
from pathlib import Path
from typing import Any

from utilmeta import UtilMeta
from utilmeta.core import api
from utilmeta.core.response import JSONLinesResponse, Response, ServerSentEvent, SSEResponse
from utilmeta.utils import exceptions


class Wrapped(Response):
    """Everything below is sent as an object with exactly these keys."""

    result_key = "data"
    message_key = "message"
    state_key = "code"
    count_key = "total"


class Numbers(Response[list[int]]):
    """Results are converted to the declared type; what does not fit is a 500."""

    result_key = "numbers"
    strict = True


class WrappedAPI(api.API):
    response = Wrapped

    @api.get
    def plain(self):
        return ["a", "b"]

    @api.get
    def page(self):
        return self.response(["a"], message="the first of two", count=2)

    @api.get
    def missing(self):
        raise exceptions.NotFound("no such row", code="row")

    @api.get
    def numbers(self) -> Numbers:
        return ["1", "2"]

    @api.get
    def finished(self):
        # What is a response already is never wrapped.
        return Response({"as": "it is"}, status=202)


class FilesAPI(api.API):
    @api.get
    def report(self):
        # Ranges, If-None-Match and If-Modified-Since are answered for.
        return Response(file=Path(__file__), attachment="rapport é.txt")

    @api.get
    def login(self):
        return Response("hello").set_cookie("session", "abc", max_age=3600)


class RecordsAPI(api.API):
    @api.get
    def events(self) -> SSEResponse[Any]:
        yield ServerSentEvent("start", {"n": 0}, id=1, retry=5000)
        yield {"n": 1}

    @api.get
    def lines(self) -> JSONLinesResponse[Any]:
        for n in range(3):
            yield {"n": n}


class RootAPI(api.API):
    wrapped: WrappedAPI
    files: FilesAPI
    records: RecordsAPI


service = UtilMeta(
    __name__,
    name="results",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
app = service.application()

if __name__ == "__main__":
    service.run()
