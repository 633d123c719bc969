"""How a service runs, by what it was declared with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from utilmeta.conf.deployment import Deployment, choose_server
from utilmeta.conf.preference import Preference
from utilmeta.conf.serving import LANES, Serving, find_serving
from utilmeta.conf.sizing import decide, is_open, without_pool
from utilmeta.core.orm.connections.databases import DatabaseConnections
from utilmeta.core.setup import bootstrap
from utilmeta.core.setup.options import DjangoSettings


def serving_of(service: Any) -> Serving:
    """Return how a service runs in this process.

    Args:
        service: the service, not set up yet.

    Raises:
        ConfigError: `WEB_CONCURRENCY` is no number, or the project's settings cannot be used.
    """
    preference = service.get_config(Preference) or Preference()
    serving = find_serving(
        asynchronous=service.asynchronous,
        lanes=LANES if preference.lanes is None else preference.lanes,
    )
    deployment = service.get_config(Deployment)
    if deployment is None:
        return serving
    options, own = service.get_config(DjangoSettings), service.get_config(DatabaseConnections)
    existing = bootstrap.existing_settings(options.module_name if options else None) or {}
    given: Any = own.django_settings()["DATABASES"] if own else {}
    # Such a pool becomes as large as there are threads.
    declared = {
        alias: without_pool(entry) if is_open(entry) else entry for alias, entry in given.items()
    }
    return sized(
        serving,
        deployment,
        {**declared, **existing.get("DATABASES", {})},
        backend=service.backend_name,
        lanes=preference.lanes,
    )


def sized(
    serving: Serving,
    deployment: Deployment,
    databases: Mapping[str, Mapping[str, Any]],
    *,
    backend: str,
    lanes: int | None,
) -> Serving:
    """Return how a service runs when databases have connections for all of its threads.

    Args:
        serving: how it runs otherwise.
        deployment: what was decided.
        databases: Django's `DATABASES`, as far as they were declared.
        backend: name of the framework.
        lanes: worker threads of an async service, where they were decided.

    Raises:
        ConfigError: `WEB_CONCURRENCY` is no number.
    """
    # Flask's application is WSGI, whatever its endpoints are.
    asynchronous = serving.asynchronous and backend != "flask"
    _, worker = choose_server(deployment, backend, asynchronous=asynchronous)
    sizing = decide(deployment, databases, asynchronous=asynchronous, worker=worker, lanes=lanes)
    if asynchronous:
        return replace(serving, lanes=sizing.threads)
    return replace(
        serving,
        threads=sizing.threads,
        # Each request has a greenlet of its own, and with it its connections.
        makes_threads=serving.makes_threads or worker == "gevent",
    )
