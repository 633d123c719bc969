"""Spans of requests and statements, as OpenTelemetry's SDK takes them in."""

import json
import sys
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.observe.conftest import Written
from tests.observe.services import watched
from tests.observe.test_logs import JSON
from tests.testing.services import ASYNC, BACKENDS
from utilmeta.conf import Tracing
from utilmeta.utils.exceptions import DependencyNotInstalled

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


class Traced:
    """A provider whose spans and durations are kept."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.config = Tracing(tracer_provider=self.provider, meter_provider=self.meters)

    def spans(self, kind: SpanKind) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.kind is kind]

    def one(self) -> tuple[ReadableSpan, dict[str, Any]]:
        """Return the span of the only request, and its attributes."""
        (span,) = self.spans(SpanKind.SERVER)
        return span, dict(span.attributes or {})


@pytest.fixture
def traced() -> Traced:
    return Traced()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_request_is_a_span_of_its_callers_trace(backend: str, traced: Traced):
    with watched(backend, [traced.config]) as (_, client):
        headers = {**CALLER, "User-Agent": "tester/1"}
        assert client.get("/api/items/7?token=hidden", headers=headers).status_code == 200
        client.get("/healthz")
    span, facts = traced.one()
    assert span.name == "GET /api/items/{id}"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT
    assert span.status.status_code is StatusCode.UNSET
    assert facts == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/api/items/7",
        "server.address": "localhost",
        "client.address": "127.0.0.1",
        "network.peer.address": "127.0.0.1",
        "user_agent.original": "tester/1",
        "http.route": "/api/items/{id}",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_are_told_by_the_span(backend: str, traced: Traced):
    with watched(backend, [traced.config]) as (_, client):
        client.get("/api/fails")
        span, facts = traced.one()
        assert span.status.status_code is StatusCode.ERROR
        assert (facts["error.type"], facts["http.response.status_code"]) == ("ValueError", 500)
        (event,) = span.events
        assert dict(event.attributes or {})["exception.message"] == "a secret text"
        traced.exporter.clear()
        assert client.request("BREW", "/api/items/1").status_code == 405
        span, facts = traced.one()
        # Faults of clients are none of the server.
        assert span.status.status_code is StatusCode.UNSET
        assert not span.events
        assert facts["http.request.method"] == "_OTHER"
        assert facts["http.request.method_original"] == "BREW"
        traced.exporter.clear()
        client.get("/api/absent")
        span, facts = traced.one()
        assert span.name == "GET"
        assert "http.route" not in facts


@pytest.mark.parametrize("backend", BACKENDS)
def test_statements_are_spans_below_the_request(backend: str, traced: Traced):
    with watched(backend, [traced.config]) as (_, client):
        assert client.get("/api/number").json() == 42
        if backend in ASYNC:
            traced.exporter.clear()
            assert client.get("/api/number_awaited").json() == 42
    request, _ = traced.one()
    (statement,) = traced.spans(SpanKind.CLIENT)
    assert request.context is not None
    assert statement.parent is not None
    assert statement.parent.span_id == request.context.span_id
    facts = dict(statement.attributes or {})
    assert facts["db.system.name"] == "sqlite"
    assert facts["db.query.text"] == "SELECT %s + 1"
    assert facts["db.operation.name"] == "SELECT"
    assert "41" not in json.dumps({**facts, "db.namespace": ""})


@pytest.mark.parametrize("backend", BACKENDS)
def test_streams_end_their_span_with_their_last_byte(backend: str, traced: Traced):
    with watched(backend, [traced.config]) as (_, client):
        for name in ("pieces", "flow")[: 2 if backend in ASYNC else 1]:
            traced.exporter.clear()
            assert client.get(f"/api/{name}").content == b"0\n1\n2\n"
            span, facts = traced.one()
            assert facts["http.route"] == f"/api/{name}"
            assert span.end_time is not None


@pytest.mark.parametrize("backend", BACKENDS)
def test_log_lines_hold_trace_and_span(backend: str, traced: Traced, written: Written):
    with watched(backend, [JSON, traced.config]) as (_, client):
        written.catch()
        client.get("/api/items/1", headers=CALLER)
    span, _ = traced.one()
    assert span.context is not None
    for logger in ("some.library", "utilmeta.access"):
        (line,) = written.lines(logger)
        assert line["trace_id"] == TRACE
        assert line["span_id"] == f"{span.context.span_id:016x}"


@pytest.mark.parametrize("backend", ["django", "starlette", "tornado"])
def test_durations_are_recorded(backend: str, traced: Traced):
    with watched(backend, [traced.config]) as (_, client):
        client.get("/api/items/1")
        client.get("/api/items/2")
        client.get("/healthz")
    data = traced.reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("http.server.request.duration", "s")
    (point,) = metric.data.data_points
    assert point.count == 2  # type: ignore[union-attr]
    assert dict(point.attributes or {}) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/api/items/{id}",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize("backend", ASYNC)
def test_a_websocket_is_a_span(backend: str, traced: Traced):
    with (
        watched(backend, [traced.config]) as (_, client),
        client.websocket("/api/talk", headers=CALLER) as socket,
    ):
        socket.send("a")
        socket.receive()
        assert not traced.exporter.get_finished_spans()
    span, facts = traced.one()
    assert (span.name, facts["http.response.status_code"]) == ("GET /api/talk", 101)


@pytest.mark.parametrize("given", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é"])
def test_a_broken_traceparent_begins_a_trace(given: str, traced: Traced):
    with watched("starlette", [traced.config]) as (_, client):
        headers = [(b"traceparent", given.encode("latin-1"))]
        assert client.get("/api/items/1", headers=headers).status_code == 200
    span, _ = traced.one()
    assert span.parent is None


def test_a_missing_library_is_told_at_setup(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with (
        pytest.raises(DependencyNotInstalled, match=r"utilmeta\[tracing\]"),
        watched("django", [Tracing()]),
    ):
        pass


def test_a_request_is_below_the_span_of_a_server_that_is_traced(traced: Traced):
    from utilmeta.core.server.inprocess import Sent, call_wsgi

    with watched("flask", [traced.config]) as (service, _):
        tracer = traced.provider.get_tracer("server")
        headers = [("host", "localhost"), *CALLER.items()]
        with tracer.start_as_current_span("server") as outer:
            call_wsgi(service.application(), Sent(method="GET", target="/x", headers=headers))
    span, _ = traced.one()
    assert span.parent is not None
    assert span.parent.span_id == outer.get_span_context().span_id


def test_fastapi_makes_no_spans_beside_ours(traced: Traced, monkeypatch: pytest.MonkeyPatch):
    from opentelemetry import trace

    monkeypatch.setattr(trace, "_TRACER_PROVIDER", traced.provider)
    with watched("fastapi", [Tracing()]) as (_, client):
        client.get("/api/items/1")
    assert [span.name for span in traced.spans(SpanKind.SERVER)] == ["GET /api/items/{id}"]
