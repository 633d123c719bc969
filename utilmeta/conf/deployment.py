"""How a service runs in production: what `manage.py deploy` writes and `check --deploy` judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from utilmeta.conf.base import Config
from utilmeta.utils.exceptions import ConfigError

ServerName = Literal[
    "gunicorn", "uwsgi", "uvicorn", "hypercorn", "granian", "daphne", "sanic", "tornado"
]
WorkerName = Literal["sync", "gthread", "gevent", "uvicorn", "asgi"]
# More than one machine is for.
MOST_WORKERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Config):
    """How a service runs in production.

    Args:
        server: the program that serves; None takes what suits the backend.
        worker: kind of gunicorn's workers; None takes what suits the backend.
        workers: serving processes; None takes the variable `WEB_CONCURRENCY`, and where that is
            not set as many as suit the processors and the databases.
        threads: requests that a sync process answers at once, by threads, or by greenlets under
            gevent; None takes what suits the worker and the databases.
        preload: whether the program is loaded once, before the workers are forked.
        connections: database connections that all processes together may hold, of each database
            or by alias; None takes the database's usual limit, less some for other programs.
        timeout: seconds a request may take, and that requests in flight are given at the end.
        max_requests: answers after which a worker is replaced; 0 for never.
        domain: host name that clients use; None takes that of `UtilMeta(origin=...)`.
        listen: port that nginx listens on; None takes 443 for https and 80 for http.
        certificate: file of the TLS certificate; None takes where certbot keeps it.
        certificate_key: file of its private key; None takes where certbot keeps it.
        user: system user that the service runs as.
    """

    server: ServerName | None = None
    worker: WorkerName | None = None
    workers: int | None = None
    threads: int | None = None
    preload: bool = False
    connections: int | Mapping[str, int] | None = None
    timeout: int = 30
    max_requests: int = 0
    domain: str | None = None
    listen: int | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    user: str = "www-data"

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, is not positive, or does not suit another.
        """
        Config.__post_init__(self)
        for name in ("workers", "threads", "timeout", "listen"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"Deployment({name}={value}): expected a positive number")
        if self.workers is not None and self.workers > MOST_WORKERS:
            raise ConfigError(
                f"Deployment(workers={self.workers}): expected {MOST_WORKERS} at most"
            )
        if self.listen is not None and self.listen > 65535:
            raise ConfigError(f"Deployment(listen={self.listen}): expected a port")
        if self.max_requests < 0:
            raise ConfigError(f"Deployment(max_requests={self.max_requests}): expected 0 or more")
        given = self.connections
        numbers = (
            given.values() if isinstance(given, Mapping) else () if given is None else (given,)
        )
        if any(number < 1 for number in numbers):
            raise ConfigError(f"Deployment(connections={given!r}): expected positive numbers")
        if self.worker is not None and self.server not in {None, "gunicorn"}:
            raise ConfigError(
                f"Deployment(server={self.server!r}, worker={self.worker!r}): only gunicorn has "
                "kinds of workers; leave worker out"
            )


def choose_server(
    deployment: Deployment, backend: str, *, asynchronous: bool
) -> tuple[ServerName, WorkerName | None]:
    """Return what serves, and the kind of gunicorn's workers, where nothing else was decided.

    Args:
        deployment: what was decided.
        backend: name of the framework.
        asynchronous: whether the application answers on an event loop.
    """
    server = deployment.server
    if server is None and deployment.worker is not None:
        server = "gunicorn"
    if server is None:
        own: dict[str, ServerName] = {"sanic": "sanic", "tornado": "tornado"}
        server = own.get(backend) or ("uvicorn" if asynchronous else "gunicorn")
    if server != "gunicorn":
        return server, None
    return server, deployment.worker or ("uvicorn" if asynchronous else "gthread")
