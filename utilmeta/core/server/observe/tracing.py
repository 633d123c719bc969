"""Spans of requests and statements, through OpenTelemetry's API.

Source: OpenTelemetry's semantic conventions 1.23 and later, "HTTP spans", "HTTP metrics" and
"Database spans", stable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from utilmeta._version import __version__
from utilmeta.conf.tracing import Tracing
from utilmeta.core.request import RawRequest
from utilmeta.core.server.observe.observer import GONE, Seen, Watcher
from utilmeta.core.server.observe.statements import StatementWatcher, shown_sql
from utilmeta.utils.exceptions import DependencyNotInstalled

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_LONGEST = 512

# Names of databases that differ from what Django calls their vendors.
_SYSTEMS = {"oracle": "oracle.db"}


class Spans(Watcher):
    """Makes a span of each request.

    Args:
        config: what is traced.

    Raises:
        DependencyNotInstalled: opentelemetry-api is missing.
    """

    has_context = True

    def __init__(self, config: Tracing) -> None:
        try:
            from opentelemetry import context, metrics, propagate, trace
        except ModuleNotFoundError as exc:
            raise DependencyNotInstalled(
                "opentelemetry", requirement="utilmeta[tracing]", purpose="Tracing()"
            ) from exc
        self._context: Any = context
        self._propagate: Any = propagate
        self._trace: Any = trace
        self._getter: Any = _Headers()
        self.tracer: Any = trace.get_tracer(
            "utilmeta", __version__, tracer_provider=config.tracer_provider
        )
        self._durations: Any = None
        if config.durations:
            meter = metrics.get_meter("utilmeta", __version__, meter_provider=config.meter_provider)
            self._durations = meter.create_histogram(
                "http.server.request.duration",
                unit="s",
                description="Duration of HTTP server requests.",
                explicit_bucket_boundaries_advisory=_BUCKETS,
            )

    def begin(self, seen: Seen) -> None:
        """Begin the span of a request, as a part of its caller's trace."""
        current = self._trace.get_current_span().get_span_context()
        # Where the framework or the server is traced itself, the request is a part of that.
        parent = (
            self._context.get_current()
            if current.is_valid
            else self._propagate.extract(seen.raw, getter=self._getter)
        )
        span = self.tracer.start_span(
            _method(seen),
            context=parent,
            kind=self._trace.SpanKind.SERVER,
            attributes=self._facts(seen),
        )
        seen.span = span
        seen.context = self._trace.set_span_in_context(span, parent)
        found = span.get_span_context()
        if found.is_valid:
            seen.trace = (f"{found.trace_id:032x}", f"{found.span_id:016x}")

    def _facts(self, seen: Seen) -> dict[str, Any]:
        raw = seen.raw
        request = self.observer.request_of(seen)
        host, port = _divided(request.host)
        facts: dict[str, Any] = {
            "http.request.method": _method(seen),
            "url.scheme": request.scheme,
            "url.path": seen.target,
            "server.address": host,
        }
        if raw.method not in _METHODS:
            facts["http.request.method_original"] = raw.method[:_LONGEST]
        optional = {
            "server.port": port,
            "client.address": request.ip_address,
            "network.peer.address": raw.client[0] if raw.client else None,
            "user_agent.original": raw.header("user-agent"),
        }
        return facts | {name: value for name, value in optional.items() if value is not None}

    def probe(self, seen: Seen) -> None:
        """Leave out what asks for health or metrics: a span that does not end is not told of."""
        seen.span = None

    def enter(self, seen: Seen) -> Any:
        """Make the span the current one."""
        return self._context.attach(seen.context)

    def leave(self, token: Any) -> None:
        """Make what was current before current again."""
        self._context.detach(token)

    def end(self, seen: Seen, seconds: float) -> None:
        """End the span of a request."""
        span = seen.span
        if span is None:
            return
        told: dict[str, Any] = {}
        if seen.route is not None:
            told["http.route"] = seen.route
            span.update_name(f"{_method(seen)} {seen.route}")
        # There is no answer when the client went away before.
        if seen.status and seen.status != GONE:
            told["http.response.status_code"] = seen.status
        if seen.has_failed:
            error = seen.error
            told["error.type"] = str(seen.status) if error is None else type(error).__qualname__
            if error is not None:
                span.record_exception(error)
            span.set_status(self._trace.StatusCode.ERROR)
        span.set_attributes(told)
        span.end()
        if self._durations is not None and not seen.is_socket:
            scheme = self.observer.request_of(seen).scheme
            common = {"http.request.method": _method(seen), "url.scheme": scheme}
            self._durations.record(seconds, {**common, **told})


def _method(seen: Seen) -> str:
    return seen.raw.method if seen.raw.method in _METHODS else "_OTHER"


def _divided(host: str) -> tuple[str, int | None]:
    """Return name and port of what a `Host` header says."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or len(port) > 5:
        return host[:_LONGEST], None
    return name[:_LONGEST], int(port)


class _Headers:
    """Reads a request's headers for OpenTelemetry's propagators."""

    def get(self, carrier: RawRequest, key: str) -> list[str] | None:
        """Return a header's values; None without it."""
        value = carrier.header(key.lower())
        return None if value is None else [value]

    def keys(self, carrier: RawRequest) -> list[str]:
        """Return the names of all headers."""
        return [name for name, _ in carrier.headers()]


class TracedStatements(StatementWatcher):
    """Makes a span of each statement within a trace; its parameters are never shown.

    Args:
        spans: makes those of requests.
    """

    def __init__(self, spans: Spans) -> None:
        from opentelemetry import trace

        self._tracer: Any = spans.tracer
        self._trace: Any = trace

    def __call__(
        self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """Execute a statement."""
        if not self._trace.get_current_span().is_recording():
            return execute(sql, params, many, context)
        with self._span(sql, context["connection"]):
            return execute(sql, params, many, context)

    @contextmanager
    def _span(self, sql: Any, connection: Any) -> Iterator[None]:
        text = shown_sql(sql)
        operation = text.partition(" ")[0].upper()[:20]
        settings = connection.settings_dict
        facts = {
            "db.system.name": _SYSTEMS.get(connection.vendor, connection.vendor),
            "db.namespace": str(settings.get("NAME") or ""),
            "db.operation.name": operation,
            "db.query.text": text,
        }
        if settings.get("HOST"):
            facts["server.address"] = str(settings["HOST"])
        with self._tracer.start_as_current_span(
            f"{operation} {connection.alias}",
            kind=self._trace.SpanKind.CLIENT,
            attributes=facts,
            # What databases say of an error holds values of rows.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as exc:
                span.set_attribute("error.type", type(exc).__qualname__)
                span.set_status(self._trace.StatusCode.ERROR)
                raise
