"""From configurations to what watches a service."""

from typing import Any

from utilmeta.conf.logs import Logging
from utilmeta.conf.metrics import Metrics
from utilmeta.conf.tracing import Tracing
from utilmeta.core.request import RequestRules
from utilmeta.core.server.contract import Handler
from utilmeta.core.server.observe.access import AccessLog
from utilmeta.core.server.observe.handler import ObservedHandler
from utilmeta.core.server.observe.metrics import CountedStatements, Numbers
from utilmeta.core.server.observe.observer import Observer, Watcher
from utilmeta.core.server.observe.routes import route_finder
from utilmeta.core.server.observe.statements import SlowStatements, Statements, Wrapper
from utilmeta.core.server.observe.tracing import Spans, TracedStatements


def make_observer(service: Any, rules: RequestRules) -> Observer | None:
    """Return what watches a service's requests; None when nobody asked for it.

    Args:
        service: the service, being set up.
        rules: limits and trusted proxies.

    Raises:
        DependencyNotInstalled: a library that a configuration needs is missing.
    """
    watchers: list[Watcher] = []
    wrappers: list[Wrapper] = []
    logs = service.get_config(Logging)
    if logs is not None:
        if logs.access or logs.slow_request is not None:
            watchers.append(AccessLog(logs))
        if logs.slow_sql is not None:
            wrappers.append(SlowStatements(logs.slow_sql))
    tracing = service.get_config(Tracing)
    if tracing is not None:
        spans = Spans(tracing)
        # Before the others, so that their lines and numbers are a part of the trace.
        watchers.insert(0, spans)
        if tracing.statements:
            wrappers.append(TracedStatements(spans))
    metrics = service.get_config(Metrics)
    if metrics is not None:
        numbers = Numbers(
            metrics, service=service.name, version=service.version, backend=service.backend_name
        )
        watchers.append(numbers)
        wrappers.append(CountedStatements(numbers))
    Statements(wrappers).watch()
    if logs is None and not watchers:
        return None
    return Observer(watchers, rules, None if logs is None else logs.request_id_header)


def observed(handler: Handler, route: str, observer: Observer | None) -> Handler:
    """Return a handler whose requests are watched; itself when nobody watches.

    Args:
        handler: answers requests.
        route: where it is mounted.
        observer: tells of them.
    """
    if observer is None:
        return handler
    return ObservedHandler(
        handler,
        observer,
        route_finder(route, handler),
        is_probe=getattr(handler, "is_exact", False),
    )


def numbers_of(observer: Observer | None) -> Numbers | None:
    """Return what counts for a service; None when nothing does."""
    watchers = () if observer is None else observer.watchers
    return next((item for item in watchers if isinstance(item, Numbers)), None)
