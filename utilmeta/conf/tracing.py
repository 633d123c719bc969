"""Which traces a service takes part in."""

from dataclasses import dataclass
from typing import Any

from utilmeta.conf.base import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing(Config):
    """A span for each request and statement, through OpenTelemetry's API.

    It needs `pip install 'utilmeta[tracing]'`; where spans go is said to OpenTelemetry's SDK, or to
    `opentelemetry-instrument`. Traces that a caller has begun (`traceparent`) are gone on with.

    Args:
        statements: whether each SQL statement within a request is a span, without its parameters.
        durations: whether requests are recorded as the metric `http.server.request.duration`.
        tracer_provider: where spans go; None takes OpenTelemetry's global one.
        meter_provider: where durations go; None takes OpenTelemetry's global one.
    """

    statements: bool = True
    durations: bool = True
    tracer_provider: Any = None
    meter_provider: Any = None
