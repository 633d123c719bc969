"""Every case of the contract, watched: the same answers, an id on each, a line for each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.contract import api
from tests.contract.cases import ASYNC_CASES, CASES, RAW_PATH_CASES, SYNC_CASES, Case
from tests.contract.inprocess import ASGIClient, Loop, TornadoClient, call_wsgi
from tests.contract.test_contract import BACKENDS, HOSTS, SYNC, normal
from tests.observe.conftest import Written
from tests.observe.test_logs import QUIET
from tests.servers import Answer
from utilmeta.conf import Config, Logging, Metrics, Tracing
from utilmeta.core.server.observe.make import numbers_of
from utilmeta.testing import override_service


@contextmanager
def calling(name: str, configs: list[Config]) -> Iterator[tuple[Any, Callable[[Case], Answer]]]:
    backend, _, mode = name.partition("-")
    with override_service(
        backend=backend,
        name=f"{'watched' if configs else 'plain'}-{name}",
        asynchronous=True if mode == "asgi" else None,
        api=api.SyncRootAPI if name in SYNC else api.AsyncRootAPI,
        route="/api",
        configs=configs,
        settings={"MIDDLEWARE": [], "DEBUG": False, "ALLOWED_HOSTS": HOSTS},
    ) as service:
        app = service.application()
        service.adapter.prepare_tests()
        if name in SYNC:
            yield service, lambda case: call_wsgi(app, case)
            return
        loop = Loop()
        client = TornadoClient(app, loop) if backend == "tornado" else ASGIClient(app, loop)
        yield service, client
        client.close()
        loop.close()


@pytest.mark.parametrize("name", BACKENDS)
def test_watching_changes_no_answer(name: str, written: Written):
    cases = [*CASES, *RAW_PATH_CASES, *(SYNC_CASES if name in SYNC else ASYNC_CASES)]
    with calling(name, []) as (_, call):
        plain = [normal(call(case)) for case in cases]
    spans = Tracing(tracer_provider=TracerProvider(shutdown_on_exit=False))
    logs = Logging(format="json", slow_sql=0, slow_request=0, loggers=QUIET)
    with calling(name, [logs, Metrics(sizes=True), spans]) as (service, call):
        written.catch()
        for case, expected in zip(cases, plain, strict=True):
            written.clear()
            answer = call(case)
            found = answer.header("x-request-id")
            status, headers, body = normal(answer)
            kept = [pair for pair in headers if pair[0] != "x-request-id"]
            assert len(headers) == len(kept) + 1, case
            assert (status, kept, body) == expected, case
            (line,) = written.lines("utilmeta.access")
            assert line["request_id"] == found, case
            assert (line["status"], line["bytes"]) == (status, len(body)), case
        numbers = numbers_of(service.observer)
        assert numbers is not None
        assert b"\nhttp_requests_in_progress 0.0\n" in numbers.text()
