"""Numbers about requests and statements, counted with prometheus_client."""

import os
import platform
import time
from pathlib import Path
from typing import Any

from utilmeta._version import __version__
from utilmeta.conf.metrics import Metrics
from utilmeta.core.server.observe.ended import alone, enlist, fold, forget
from utilmeta.core.server.observe.observer import UNMATCHED, Seen, Watcher
from utilmeta.core.server.observe.statements import StatementWatcher
from utilmeta.supervisor.variables import METRICS
from utilmeta.utils.exceptions import DependencyNotInstalled

# Methods that are told apart; clients may make up others.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_SIZES = tuple(float(4**power) for power in range(3, 14))

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _client() -> Any:
    """Return the library.

    Raises:
        DependencyNotInstalled: it is missing.
    """
    try:
        import prometheus_client
    except ModuleNotFoundError as exc:
        raise DependencyNotInstalled(
            "prometheus_client", requirement="utilmeta[metrics]", purpose="Metrics()"
        ) from exc
    return prometheus_client


class Numbers(Watcher):
    """Counts requests, and shows what was counted.

    Args:
        config: what is counted.
        service: name of the service.
        version: version of the service.
        backend: name of the framework.

    Raises:
        DependencyNotInstalled: prometheus_client is missing.
    """

    def __init__(self, config: Metrics, *, service: str, version: str, backend: str) -> None:
        client = _client()
        folder = os.environ.get(METRICS)
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
        self._client = client
        registry = self._registry = client.CollectorRegistry()
        labels = ("method", "route", "status")
        bounds = tuple(config.buckets)
        self._requests = client.Counter(
            "http_requests", "Requests that were answered.", labels, registry=registry
        )
        self._durations = client.Histogram(
            "http_request_duration_seconds",
            "Seconds from a request's first line to the end of its answer.",
            labels[:2],
            buckets=bounds,
            registry=registry,
        )
        self._running = self._gauge("http_requests_in_progress", "Requests that are answered now.")
        self._sockets = self._gauge("websockets_open", "WebSockets that are open.")
        self.statements = client.Histogram(
            "db_query_duration_seconds",
            "Seconds that the execution of a statement took.",
            ("database",),
            buckets=bounds,
            registry=registry,
        )
        self._sizes: tuple[Any, Any] | None = None
        if config.sizes:
            self._sizes = (self._size("request"), self._size("response"))
        self._about = client.Gauge(
            "utilmeta_build_info",
            "What serves; always 1.",
            ("service", "version", "utilmeta", "backend", "python"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._started = client.Gauge(
            "utilmeta_process_start_time_seconds",
            "When the process began to serve, in seconds since 1970.",
            registry=registry,
            multiprocess_mode="liveall",
        )
        self._facts = (service, version, __version__, backend, platform.python_version())
        self._known: dict[tuple[str, str, int], tuple[Any, ...]] = {}

    def _gauge(self, name: str, text: str) -> Any:
        return self._client.Gauge(name, text, registry=self._registry, multiprocess_mode="livesum")

    def _size(self, what: str) -> Any:
        return self._client.Histogram(
            f"http_{what}_size_bytes",
            f"Bytes of the body of a {what}.",
            ("method", "route"),
            buckets=_SIZES,
            registry=self._registry,
        )

    def start(self) -> None:
        """Tell of this process, once it serves."""
        folder = os.environ.get(METRICS)
        if folder:
            enlist(Path(folder))
        self._about.labels(*self._facts).set(1)
        self._started.set(time.time())

    def stop(self) -> None:
        """Take back what holds only as long as this process lives."""
        folder = os.environ.get(METRICS)
        if folder:
            forget(os.getpid(), Path(folder))

    def begin(self, seen: Seen) -> None:
        """Count a request as running."""
        (self._sockets if seen.is_socket else self._running).inc()

    def probe(self, seen: Seen) -> None:
        """Do not count what asks for health or metrics."""
        (self._sockets if seen.is_socket else self._running).dec()

    def end(self, seen: Seen, seconds: float) -> None:
        """Count a request that has ended."""
        if seen.is_probe:
            return
        if seen.is_socket:
            self._sockets.dec()
            return
        self._running.dec()
        method = seen.raw.method if seen.raw.method in _METHODS else "other"
        key = (method, seen.route or UNMATCHED, seen.status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._children(*key)
        found[0].inc()
        found[1].observe(seconds)
        if self._sizes is not None:
            found[2].observe(_length_of(seen))
            found[3].observe(seen.size or 0)

    def _children(self, method: str, route: str, status: int) -> tuple[Any, ...]:
        """Return what counts requests of one kind; kept, as looking it up takes a lock."""
        sizes = () if self._sizes is None else self._sizes
        return (
            self._requests.labels(method, route, str(status)),
            *(item.labels(method, route) for item in (self._durations, *sizes)),
        )

    def text(self) -> bytes:
        """Return all numbers, those of other processes and of the program's own metrics too."""
        client = self._client
        folder = os.environ.get(METRICS)
        if not folder:
            whole: bytes = client.generate_latest(client.REGISTRY)
            own: bytes = client.generate_latest(self._registry)
            return whole + own
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = client.CollectorRegistry()
        # Its constructor is not typed, and registers itself.
        collector: Any = MultiProcessCollector
        collector(registry, folder)
        with alone(Path(folder)):
            fold(Path(folder))
            text: bytes = client.generate_latest(registry)
        return text


def _length_of(seen: Seen) -> int:
    """Return the announced length of a request's body."""
    text = seen.raw.header("content-length") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class CountedStatements(StatementWatcher):
    """Counts how long statements take, by the alias of their database.

    Args:
        numbers: counts.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._histogram = numbers.statements
        self._known: dict[str, Any] = {}

    def __call__(
        self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """Execute a statement."""
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken = time.perf_counter() - started
            alias = context["connection"].alias
            child = self._known.get(alias)
            if child is None:
                child = self._known[alias] = self._histogram.labels(alias)
            child.observe(taken)
